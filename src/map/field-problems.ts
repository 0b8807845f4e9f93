/** Compares a mapped field with Sell's catalogue: does the entity have it, may it be written, can it hold the constants. */
import type { Entity } from "../domain/mutation.ts";
import { nearest } from "../lib/nearest.ts";
import { splitPath } from "./body.ts";
import { CATALOGUE, type FieldKind } from "./catalogue.ts";
import type { FieldExpression } from "./config.ts";

/** Messages to be read behind the field's path. */
export const fieldProblems = (
  entity: Entity,
  path: string,
  expression: FieldExpression,
  keyField: string,
): readonly string[] => {
  const { fields } = CATALOGUE[entity];
  const [group, name] = splitPath(path);
  const field = fields.get(group ?? name);
  if (field === undefined) return [unknownField(entity, group ?? name)];
  const nesting = nestingProblem(field, group, name, keyField);
  if (nesting !== null) return [nesting];
  return [...kindProblems(field, expression)];
};

const unknownField = (entity: Entity, name: string): string => {
  const { fields } = CATALOGUE[entity];
  const meant = nearest(name, fields.keys());
  if (meant !== null) return `is no field of ${entity}; did you mean ${meant}?`;
  const custom = fields.has("custom_fields") ? `; a custom field is written custom_fields.${name}` : "";
  const names = [...fields].filter(([, { kind }]) => kind !== "fixed").map(([known]) => known);
  return `is no field of ${entity}${custom}; known here: ${names.join(", ")}.`;
};

const nestingProblem = (field: FieldKind, group: string | null, name: string, keyField: string): string | null => {
  if (field.kind !== "group") return group === null ? null : `has no members; write ${group} alone.`;
  if (field.members === "custom") {
    if (group === null) return "is a group; map its members one by one, like custom_fields.credit_limit.";
    return name === keyField
      ? "holds the ERP key, which the connector writes from the route's key; leave it out."
      : null;
  }
  const members = field.members.join(", ");
  if (group === null) return `is a group; map its members one by one, like ${name}.city (${members}).`;
  if (field.members.includes(name)) return null;
  const meant = nearest(name, field.members);
  return `is no member of ${group}; ${meant === null ? `known here: ${members}.` : `did you mean ${group}.${meant}?`}`;
};

const kindProblems = (field: FieldKind, expression: FieldExpression): readonly string[] => {
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
    case "plain":
    case "group":
      return referred === null ? [] : [NO_REFERENCE];
  }
};

const NO_REFERENCE = "holds no reference to another record; write a column, or map the field that does.";

/** Everything that the expression may write whatever the row holds, as text; null is always allowed. */
const constantsOf = (expression: FieldExpression): readonly string[] => {
  if (typeof expression === "string") return [];
  if ("value" in expression)
    return [expression.value]
      .flat()
      .filter((constant) => constant !== null)
      .map(String);
  if (!("from" in expression)) return [];
  const { values = {}, default: fallback } = expression;
  return [...Object.values(values), fallback ?? null].filter((constant) => constant !== null).map(String);
};
