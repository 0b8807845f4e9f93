/** Compares a mapped field with Sell's catalogue: does the entity have it, may it be written, can it hold the constants. */
import type { Entity } from "../domain/mutation.ts";
import { nearest } from "../lib/nearest.ts";
import { splitPath } from "./body.ts";
import { CATALOGUE, type FieldKind, REQUIRED_OF_LINE } from "./catalogue.ts";
import type { FieldExpression, LinesExpression } from "./expression-config.ts";

/** Messages to be read behind the field's path. */
export const fieldProblems = (
  entity: Entity,
  path: string,
  expression: FieldExpression,
  keyField: string,
): readonly string[] => {
  return problemsIn(CATALOGUE[entity].fields, entity, path, expression, keyField);
};

type KnownFields = ReadonlyMap<string, FieldKind>;

const problemsIn = (
  fields: KnownFields,
  owner: string,
  path: string,
  expression: FieldExpression,
  keyField: string,
): readonly string[] => {
  const [group, name] = splitPath(path);
  const field = fields.get(group ?? name);
  if (field === undefined) return [unknownField(fields, owner, group ?? name)];
  const nesting = nestingProblem(field, group, name, keyField);
  return nesting === null ? kindProblems(field, expression) : [nesting];
};

const unknownField = (fields: KnownFields, owner: string, name: string): string => {
  const meant = nearest(name, fields.keys());
  if (meant !== null) return `is no field of ${owner}; did you mean ${meant}?`;
  const custom = fields.has("custom_fields") ? `; a custom field is written custom_fields.${name}` : "";
  const names = [...fields].filter(([, { kind }]) => kind !== "fixed").map(([known]) => known);
  return `is no field of ${owner}${custom}; known here: ${names.join(", ")}.`;
};

const nestingProblem = (field: FieldKind, group: string | null, name: string, keyField: string): string | null => {
  if (field.kind !== "group") return group === null ? null : `has no members; write ${group} alone.`;
  if (field.members === "custom") {
    if (group === null) return "is a group; map its members one by one, like custom_fields.credit_limit.";
    return name === keyField
      ? "holds the ERP key, which the connector writes from the route's key; leave it out."
      : null;
  }
  if (field.members === "currency")
    return group === null || /^[A-Z]{3}$/.test(name)
      ? null
      : `is no price; name the currency by three capital letters, like ${group}.EUR.`;
  const members = field.members.join(", ");
  if (group === null) return `is a group; map its members one by one, like ${name}.city (${members}).`;
  if (field.members.includes(name)) return null;
  const meant = nearest(name, field.members);
  return `is no member of ${group}; ${meant === null ? `known here: ${members}.` : `did you mean ${group}.${meant}?`}`;
};

const kindProblems = (field: FieldKind, expression: FieldExpression): readonly string[] => {
  const form = typeof expression === "object" ? expression : {};
  const misplaced = MISPLACED.find(({ member, kind }) => member in form && !kind(field));
  if (misplaced !== undefined) return [misplaced.message];
  const referred = typeof expression === "object" && "ref" in expression ? expression.ref : null;
  switch (field.kind) {
    case "fixed":
      return [`is not yours to map: ${field.why}.`];
    case "ref":
      if (referred === null || field.entities.includes(referred)) return [];
      return [`points to ${field.entities.join(" or ")}, not to ${referred}; correct the ref.`];
    case "oneOf":
      if (referred !== null) return [NO_REFERENCE];
      return constantsOf(expression)
        .filter((constant) => !field.options.includes(constant))
        .map((constant) => `takes ${field.options.join(", ")}, not "${constant}".`);
    case "lines":
      if (typeof expression === "object" && "each" in expression) return lineProblems(field.members, expression);
      return [
        "is the list of an order's lines; write { from: <column>, each: { product_id: { ref: products, .. } } }.",
      ];
    case "plain":
    case "named":
    case "tags":
    case "group":
      return referred === null ? [] : [NO_REFERENCE];
  }
};

/** Forms of an expression that are for certain fields only. */
const MISPLACED: readonly { member: string; kind: (field: FieldKind) => boolean; message: string }[] = [
  {
    member: "owner",
    kind: (field) => field.kind === "named" && field.by === "owner",
    message: "holds no user; { owner } is for owner_id.",
  },
  {
    member: "stage",
    kind: (field) => field.kind === "named" && field.by === "stage",
    message: "holds no stage; { stage } is for stage_id.",
  },
  { member: "owned", kind: ({ kind }) => kind === "tags", message: "holds no tags; owned is for tags alone." },
  { member: "each", kind: ({ kind }) => kind === "lines", message: "has no lines; each is for lines of orders." },
];

const lineProblems = (members: KnownFields, { each }: LinesExpression): readonly string[] => {
  const missing = REQUIRED_OF_LINE.filter((name) => !Object.hasOwn(each, name));
  const product = each["product_id"];
  const isReference = product === undefined || (typeof product === "object" && "ref" in product);
  return [
    ...missing.map((name) => `lacks each.${name}, without which Sell takes no line.`),
    ...(isReference ? [] : ["needs each.product_id as a reference: { ref: products, key: <column with the sku> }."]),
    ...Object.entries(each).flatMap(([name, expression]) =>
      problemsIn(members, "a line", name, expression, "").map((problem) => `(each.${name}) ${problem}`),
    ),
  ];
};

const NO_REFERENCE = "holds no reference to another record; write a column, or map the field that does.";

/** Everything that the expression may write whatever the row holds, as text; null is always allowed. */
export const constantsOf = (expression: FieldExpression): readonly string[] => {
  if (typeof expression === "string") return [];
  if ("value" in expression)
    return [expression.value]
      .flat()
      .filter((constant) => constant !== null)
      .map(String);
  if (!("from" in expression) || "each" in expression) return [];
  const { values = {}, default: fallback } = expression;
  return [...Object.values(values), fallback ?? null].filter((constant) => constant !== null).map(String);
};
