/**
 * A YAML file as plain data, with `${ENV}` and `file:/path` secrets filled in, that still knows the line of each setting.
 * Nothing is filled in inside a `template`, whose `${column}` are columns of a row, and never in a key.
 */
import { isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument, type Scalar, visit } from "yaml";
import { errorText } from "../domain/errors.ts";
import { type Path, type Problem, pathText } from "./problem.ts";
import { isSecretName, REREAD_SECRETS, secretFile } from "./secrets.ts";

export interface YamlSource {
  /** Undefined when the text is no YAML. */
  readonly data: unknown;
  readonly problems: readonly Problem[];
  /** Line of the setting, or of the nearest one around it that exists. */
  lineOf(path: Path): number;
}

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The file's text; throws when it cannot be read. */
  readonly readFile: (path: string) => string;
}

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

export const readYaml = (text: string, surroundings: Surroundings): YamlSource => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  const lineOf = (path: Path): number => lineAt(offsetOf(document.contents, path));
  // Only the first: whatever else the parser stumbles over is mostly what comes of that one.
  const [fault] = [...document.errors, ...document.warnings];
  if (fault !== undefined) {
    const line = lineAt(fault.pos[0]);
    return { data: undefined, problems: [syntaxProblem(fault.message, line, text)], lineOf };
  }

  const problems: Problem[] = [];
  visit(document, {
    Scalar(key, node, ancestors) {
      if (key === "key" || !isText(node)) return;
      const path = pathOf(key, ancestors);
      const filled = fillIn(node.value, path, surroundings);
      if ("text" in filled) node.value = filled.text;
      else problems.push({ path: pathText(path), line: lineOf(path), message: filled.problem });
    },
  });
  return { data: document.toJS(), problems, lineOf };
};

const syntaxProblem = (fault: string, line: number, text: string): Problem => {
  const wrong = text.split("\n")[line - 1] ?? "";
  const brace = wrong.search(/[{,]/);
  const isBraced = brace >= 0 && wrong.includes("${", brace + 1);
  const hint = isBraced ? 'inside { } write "${NAME}" with its quotes' : "correct it and try again";
  return { path: "", line, message: `this is not valid YAML: ${fault}; ${hint}.` };
};

const isText = (node: Scalar): node is Scalar<string> => typeof node.value === "string";

const fillIn = (
  text: string,
  path: Path,
  { env, readFile }: Surroundings,
): { readonly text: string } | { readonly problem: string } => {
  const name = path.at(-1);
  if (name === "template") return { text };
  const unset = new Set<string>();
  const filled = text.replace(VARIABLE, (whole, variable: string) => {
    const value = env[variable];
    if (value === undefined) unset.add(variable);
    return value ?? whole;
  });
  if (unset.size > 0) {
    const names = [...unset].join(", ");
    return { problem: `the environment does not set ${names}; set it, or write the value here.` };
  }
  const file = isSecretName(name) ? secretFile(filled) : null;
  if (file === null) return { text: filled };
  try {
    const secret = readFile(file).trim();
    if (secret === "") return { problem: `the file ${file} is empty; it should hold the secret and nothing else.` };
    return { text: REREAD_SECRETS.has(pathText(path)) ? filled : secret };
  } catch (error) {
    return { problem: `the file ${file} cannot be read (${errorText(error)}); mount it, or correct the path.` };
  }
};

/** Path of a visited node: `ancestors` are the document, then maps, pairs and sequences down to its parent. */
const pathOf = (key: unknown, ancestors: readonly unknown[]): Path => {
  const path: (string | number)[] = [];
  for (const [index, node] of ancestors.entries()) {
    if (isPair(node)) path.push(String(isScalar(node.key) ? node.key.value : node.key));
    else if (isSeq(node)) {
      const child = ancestors[index + 1];
      path.push(child === undefined ? Number(key) : node.items.indexOf(child));
    }
  }
  return path;
};

const offsetOf = (root: Node | null, path: Path): number => {
  let offset = root?.range?.[0] ?? 0;
  let node: unknown = root;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
      if (pair === undefined) return offset;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
    } else return offset;
  }
  return offset;
};
