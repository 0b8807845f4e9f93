/** By what a row of the ERP and a record of the CRM are known to be the same: one field, compared as text. */
import { usageError } from "../domain/errors.ts";
import type { Mutation } from "../domain/mutation.ts";
import { splitPath } from "../map/body.ts";
import type { RouteConfig } from "../map/config.ts";
import type { FieldExpression } from "../map/expression-config.ts";
import { routesProblems } from "../map/problems.ts";

export interface Match {
  /** The CRM's field, for sentences. */
  readonly field: string;
  /** The comparable text in the fields of a record; null: it has none. */
  readonly textIn: (fields: Readonly<Record<string, unknown>>) => string | null;
  /** The route with its key and nothing but the fields that are compared. */
  readonly route: RouteConfig;
}

/**
 * `email` and the like: as the route maps that field. `field=column`: the field with the row's column. `name` of persons is put
 * together from its parts. Throws ConnectorError `USAGE`.
 */
export const matchOf = (text: string, route: RouteConfig, keyField: string): Match => {
  const [field = "", column] = splitOnce(text, "=");
  const fields = column === undefined ? mappedParts(field, route) : { [field]: column };
  const narrowed: RouteConfig = { ...route, fields };
  const problem = routesProblems([narrowed], { keyField }).find(({ severity }) => severity === "error");
  if (problem !== undefined) throw usageError(`--match ${text}: ${field} ${problem.message}`);
  return { field, textIn: textIn(field), route: narrowed };
};

/** Of all that a mutation writes, whether always or only once. */
export const textOfMutation = ({ textIn: read }: Match, { fields, onCreate }: Mutation): string | null =>
  read({ ...onCreate, ...fields });

/** Names as Sell shows them: persons have one in parts, leads perhaps only that of their company. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  name: ["name", "first_name", "last_name", "organization_name"],
};

const mappedParts = (field: string, { fields }: RouteConfig): RouteConfig["fields"] => {
  const parts = PARTS[field] ?? [field];
  const mapped = Object.entries(fields).filter(([path]) => parts.includes(path));
  if (mapped.length === 0)
    throw usageError(`The route does not map ${field}: name the column that holds it, as in --match ${field}=column.`);
  const [other] = mapped.find(([, expression]) => !isText(expression)) ?? [];
  if (other !== undefined)
    throw usageError(`The route's ${other} cannot be compared: it is the same for all rows, or no text.`);
  return Object.fromEntries(mapped);
};

const isText = (expression: FieldExpression): boolean =>
  typeof expression === "string" || ("from" in expression && !("each" in expression)) || "template" in expression;

const textIn = (field: string): Match["textIn"] => {
  const isEmail = field === "email";
  const read = field === "name" ? nameIn : (fields: Readonly<Record<string, unknown>>) => plain(valueAt(fields, field));
  return (fields) => {
    const text = read(fields)?.normalize("NFC").trim() ?? "";
    if (text === "") return null;
    return isEmail ? text.toLowerCase() : text;
  };
};

const nameIn = (fields: Readonly<Record<string, unknown>>): string | null => {
  const { name, first_name: first, last_name: last, organization_name: organization } = fields;
  const whole = plain(name)?.trim();
  if (whole) return whole;
  const parts = [first, last].map((part) => plain(part)?.trim()).filter((part) => part);
  return parts.length > 0 ? parts.join(" ") : plain(organization);
};

const valueAt = (fields: Readonly<Record<string, unknown>>, path: string): unknown => {
  const [group, name] = splitPath(path);
  if (group === null) return fields[name];
  const members = fields[group];
  return typeof members === "object" && members !== null ? (members as Readonly<Record<string, unknown>>)[name] : null;
};

const plain = (value: unknown): string | null =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : null;

const splitOnce = (text: string, separator: string): readonly string[] => {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
};
