/** The configuration's reference page, one table a section, made from its JSON schema. */
import { alternatives, type SchemaNode } from "./schema-node.ts";

interface Row {
  readonly setting: string;
  readonly type: string;
  readonly fallback: string;
  readonly meaning: string;
}

const INTRODUCTION = `# Configuration reference

Generated from the declarations in \`src/*/config.ts\` by \`npm run docs\`; do not edit.

One YAML file. \`\${NAME}\` in a text is replaced by the environment variable of that name, except in a \`template\`, whose
\`\${column}\` are columns of a row. A secret (token, password, clientSecret) may be \`file:/path\`, the file that holds it.
\`sell-sink validate --config FILE\` says everything that is wrong at once, \`--print\` shows the configuration in force.
`;

export const referenceOf = (root: SchemaNode): string => {
  const sections = Object.entries(root.properties ?? {}).map(([name, section]) => sectionOf(name, section, root));
  return [INTRODUCTION, ...sections].join("\n");
};

const sectionOf = (name: string, section: SchemaNode, root: SchemaNode): string => {
  const must = root.required?.includes(name) ? "Required." : "May be left out.";
  const rows = unique(rowsBelow(section, ""));
  const lines = rows.map(
    ({ setting, type, fallback, meaning }) =>
      `| \`${setting}\` | ${cell(type)} | ${cell(fallback)} | ${cell(meaning)} |`,
  );
  const table = ["| setting | type | default | meaning |", "| --- | --- | --- | --- |", ...lines].join("\n");
  return `## ${name}\n\n${section.description ?? ""} ${must}\n\n${table}\n`;
};

/** Rows of everything inside a node, depth first, in the order of declaration. */
const rowsBelow = (node: SchemaNode, prefix: string): readonly Row[] =>
  alternatives(node).flatMap((form) => {
    const named = Object.entries(form.properties ?? {}).flatMap(([name, child]) =>
      rowsOf(child, prefix === "" ? name : `${prefix}.${name}`, form.required?.includes(name) ?? false),
    );
    const free = typeof form.additionalProperties === "object" ? form.additionalProperties : null;
    const inner = free === null ? [] : rowsBelow(free, `${prefix}.<name>`);
    const items = form.items === undefined ? [] : rowsBelow(form.items, prefix === "" ? "" : `${prefix}[]`);
    return [...named, ...inner, ...items];
  });

const rowsOf = (node: SchemaNode, setting: string, required: boolean): readonly Row[] => {
  const description = alternatives(node).find((form) => form.description !== undefined)?.description;
  const own = {
    setting,
    type: typeOf(node),
    fallback: node.default === undefined ? (required ? "required" : "") : `\`${JSON.stringify(node.default)}\``,
    meaning: description ?? "",
  };
  const inside = rowsBelow(node, setting);
  // A group that says nothing itself is told by what is in it.
  return own.meaning === "" && inside.length > 0 ? inside : [own, ...inside];
};

const typeOf = (node: SchemaNode): string => {
  const forms = alternatives(node).filter(({ anyOf, oneOf, allOf }) => !anyOf && !oneOf && !allOf);
  return [...new Set(forms.map(formOf))].filter(Boolean).join(" or ");
};

const formOf = (form: SchemaNode): string => {
  if (form.const !== undefined) return `\`${String(form.const)}\``;
  if (form.enum !== undefined) return form.enum.map((value) => `\`${String(value)}\``).join(", ");
  if (form.type === "array") return form.items === undefined ? "list" : `list of ${typeOf(form.items) || "values"}`;
  if (form.type === "integer" || form.type === "number") return `${form.type}${rangeOf(form)}`;
  const types = [form.type ?? []].flat(); // several where only the type is told
  return types.map((type) => (type === "string" ? "text" : type)).join(" or ");
};

const rangeOf = ({ minimum, maximum }: SchemaNode): string => {
  const bounded = (bound: number | undefined): bound is number =>
    bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER;
  if (bounded(minimum) && bounded(maximum)) return ` ${minimum} to ${maximum}`;
  if (bounded(minimum)) return ` from ${minimum}`;
  return bounded(maximum) ? ` up to ${maximum}` : "";
};

/** Alternatives may share a setting: it is told once, with every type it has, unless it means something else in each. */
const unique = (rows: readonly Row[]): readonly Row[] => {
  const byMeaning = Map.groupBy(rows, ({ setting, meaning }) => `${setting}\n${meaning}`);
  return [...byMeaning.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const types = new Set([first, ...others].map(({ type }) => type));
    return [{ ...first, type: [...types].join(" or ") }];
  });
};

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
