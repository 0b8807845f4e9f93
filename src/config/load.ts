/** Reads the configuration file and says everything that is wrong with it at once, each fault with its place. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { errorText } from "../domain/errors.ts";
import { findings } from "./issues.ts";
import { type Path, type Problem, pathText } from "./problem.ts";
import { crossFieldFaults } from "./rules.ts";
import type { SchemaNode } from "./schema-node.ts";
import { type Config, configSchema } from "./spec.ts";
import { readYaml, type YamlSource } from "./yaml-source.ts";

export type Loaded =
  | {
      readonly status: "ok";
      readonly config: Config;
      readonly warnings: readonly Problem[];
      /** As a problem names it: `routes[0].paused (line 31)`. */
      readonly placeOf: (path: Path) => string;
    }
  | { readonly status: "refused"; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] };

const FILE_BYTES_MAX = 4 * 1024 * 1024;

export const loadConfig = (path: string, env: Readonly<Record<string, string | undefined>>): Loaded => {
  const text = textOf(path);
  if (typeof text !== "string") return { status: "refused", problems: [text], warnings: [] };
  return configIn(text, env);
};

/** The file's text, or what is wrong with the file as a whole. */
export const textOf = (path: string): string | Problem => {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const message = `${path} cannot be read (${errorText(error)}); give the configuration file with --config.`;
    return { path: "", line: null, message };
  }
  if (text.length <= FILE_BYTES_MAX) return text;
  return { path: "", line: null, message: `${path} is larger than 4 MiB; is it the configuration file?` };
};

/** The same for text that is no file yet. */
export const configIn = (text: string, env: Readonly<Record<string, string | undefined>>): Loaded =>
  parseConfig(readYaml(text, { env, readFile: (name) => readFileSync(name, "utf8") }), trustProblems(env));

/** Node's own switch, which would let anybody in between pose as Sell, and every other server. */
const trustProblems = (env: Readonly<Record<string, string | undefined>>): readonly Problem[] =>
  env["NODE_TLS_REJECT_UNAUTHORIZED"] === "0" ? [{ path: "", line: null, message: UNVERIFIED }] : [];

const UNVERIFIED =
  "the environment sets NODE_TLS_REJECT_UNAUTHORIZED=0, which lets anybody pose as Sell, Kafka, Redis or the registry; unset it, and name a private authority in tls.caFile of its section.";

/** Sections are checked one by one, so that a fault in one hides neither faults nor cross-field rules of the others. */
const parseConfig = (source: YamlSource, others: readonly Problem[]): Loaded => {
  const problems: Problem[] = [...source.problems];
  const warnings: Problem[] = [];
  const { sections, issues } = parseSections(source.data, problems.length > 0 && source.data === undefined);
  const filledIn = new Set(problems.map(({ path }) => path));
  if (issues.length > 0) {
    const schema = z.toJSONSchema(configSchema, { io: "input", unrepresentable: "any" }) as SchemaNode;
    for (const { path, message } of findings(issues, schema, [])) {
      // A setting that could not be filled in has been named already.
      if (filledIn.has(pathText(path))) continue;
      problems.push({ path: pathText(path), line: source.lineOf(path), message });
    }
  }
  for (const { path, message, severity } of crossFieldFaults(sections)) {
    const problem = { path: pathText(path), line: source.lineOf(path), message };
    if (severity === "warning") warnings.push(problem);
    else problems.push(problem);
  }
  problems.push(...others);
  if (problems.length > 0) return { status: "refused", problems, warnings };
  const placeOf = (path: Path): string => `${pathText(path)} (line ${source.lineOf(path)})`;
  return { status: "ok", config: sections as Config, warnings, placeOf };
};

interface Parsed {
  /** The sections that are in order. */
  readonly sections: Partial<Config>;
  readonly issues: readonly z.core.$ZodIssue[];
}

const parseSections = (data: unknown, unreadable: boolean): Parsed => {
  if (unreadable) return { sections: {}, issues: [] };
  const given = isRecord(data) ? data : {};
  const whole = configSchema.safeParse(data ?? {}, { reportInput: true }); // an empty file is an empty object, and misses everything
  if (whole.success) return { sections: whole.data, issues: [] };
  const sections: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(configSchema.shape)) {
    const section = schema.safeParse(given[name]);
    if (section.success) sections[name] = section.data;
  }
  return { sections: sections as Partial<Config>, issues: whole.error.issues };
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
