/** The types of attributes: what a value must be, and the form in which Sell keeps it. */
import type { CatalogueField, FieldTable } from "./custom-fields.ts";
import type { Json } from "./reply.ts";
import type { Attribute } from "./resources.ts";
import { isObject } from "./value-at.ts";

/** What an attribute may refer to. */
export interface References {
  exists(resource: NonNullable<Attribute["ref"]>, id: number): boolean;
  isCompany(contactId: number): boolean;
}

/** Notes a problem of the attribute with this name (a pointer without its first slash). */
export type Report = (field: string, code: string, details?: string) => undefined;

/** What the values of one account may be. */
export interface ValueRules {
  readonly customFields: FieldTable;
  readonly references: References;
}

/** The value as it is kept, or undefined when it was reported. */
export const normal = (
  attribute: Attribute,
  value: Json,
  name: string,
  before: Json | undefined,
  rules: ValueRules,
  report: Report,
): Json | undefined => {
  switch (attribute.type) {
    case "text":
      return text(attribute, value, name, report);
    case "integer":
      return integer(attribute, value, name, rules.references, report);
    case "boolean":
      return typeof value === "boolean" ? value : wrongType(name, report);
    case "amount":
      return amount(value, name, report);
    case "decimal":
      return decimal(value, name, report);
    case "date":
      return matching(value, DATE, name, report);
    case "datetime":
      return matching(value, DATETIME, name, report);
    case "currency":
      return matching(value, /^[A-Z]{3}$/, name, report);
    case "tags":
      return isTextList(value) ? [...new Set(value)] : wrongType(name, report);
    case "address":
      return address(value, name, report);
    case "prices":
      return prices(value, name, report);
    case "custom_fields":
      return customFields(value, name, before, rules.customFields, report);
  }
};

const wrongType = (name: string, report: Report): undefined => report(name, "invalid_type");

const text = ({ oneOf }: Attribute, value: Json, name: string, report: Report): Json | undefined => {
  if (typeof value !== "string") return wrongType(name, report);
  if (oneOf === undefined || oneOf.includes(value)) return value;
  return report(name, "incorrect_value", `must be one of ${oneOf.join(", ")}`);
};

const integer = (
  { ref, max, company }: Attribute,
  value: Json,
  name: string,
  references: References,
  report: Report,
): Json | undefined => {
  if (!Number.isSafeInteger(value)) return wrongType(name, report);
  const id = value as number;
  if (max !== undefined && (id < 0 || id > max)) {
    return report(name, "incorrect_value", `must be between 0 and ${max}`);
  }
  if (ref !== undefined && !references.exists(ref, id)) {
    return report(name, "incorrect_value", `there is no such record in ${ref}`);
  }
  if (company && !references.isCompany(id)) {
    return report(name, "incorrect_value", "must be a company");
  }
  return value;
};

const DATE = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;
const DATETIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$/;
const NUMBER = /^-?\d+(\.\d+)?$/;

const matching = (value: Json, pattern: RegExp, name: string, report: Report): Json | undefined => {
  if (typeof value !== "string") return wrongType(name, report);
  return pattern.test(value) ? value : report(name, "incorrect_value");
};

/** Sell shows 1000 for "1000.00", but "1000.50" as text. */
const amount = (value: Json, name: string, report: Report): Json | undefined => {
  const digits = plainNumber(value);
  if (digits === null) return wrongType(name, report);
  const [whole = "", fraction = ""] = digits.split(".");
  if (fraction.length > 2) return report(name, "incorrect_value", "has more than two decimals");
  if (/^0*$/.test(fraction)) return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole;
  return `${whole}.${fraction.padEnd(2, "0")}`;
};

const decimal = (value: Json, name: string, report: Report): Json | undefined =>
  plainNumber(value) ?? wrongType(name, report);

const plainNumber = (value: Json): string | null => {
  if (typeof value !== "number" && typeof value !== "string") return null;
  const digits = String(value).trim();
  return NUMBER.test(digits) ? digits : null;
};

const ADDRESS_LINES = ["line1", "city", "postal_code", "state", "country"];

const address = (value: Json, name: string, report: Report): Json | undefined => {
  if (!isObject(value)) return wrongType(name, report);
  for (const line in value) {
    if (!ADDRESS_LINES.includes(line)) return report(`${name}/${line}`, "unknown");
    if (value[line] !== null && typeof value[line] !== "string") return wrongType(`${name}/${line}`, report);
  }
  return Object.fromEntries(ADDRESS_LINES.map((line) => [line, value[line] ?? null]));
};

const prices = (value: Json, name: string, report: Report): Json | undefined => {
  if (!Array.isArray(value)) return wrongType(name, report);
  const wrong = value.findIndex(
    (price) =>
      !isObject(price) || plainNumber(price["amount"] ?? null) === null || typeof price["currency"] !== "string",
  );
  return wrong === -1 ? value : report(`${name}/${wrong}`, "incorrect_value");
};

const customFields = (
  value: Json,
  name: string,
  before: Json | undefined,
  fields: FieldTable,
  report: Report,
): Json | undefined => {
  if (!isObject(value)) return wrongType(name, report);
  const merged: { [name: string]: Json } = isObject(before) ? { ...before } : {};
  for (const fieldName in value) {
    const field = fields.get(fieldName);
    const given = value[fieldName] ?? null;
    if (field === undefined) report(`${name}/${fieldName}`, "unknown");
    else if (given === null) delete merged[fieldName];
    else merged[fieldName] = customValue(field, given, `${name}/${fieldName}`, report) ?? null;
  }
  return merged;
};

const customValue = (field: CatalogueField, value: Json, name: string, report: Report): Json | undefined => {
  switch (field.type) {
    case "string":
    case "text":
    case "email":
    case "phone":
    case "url":
      return typeof value === "string" ? value : wrongType(name, report);
    case "number":
      return decimal(value, name, report);
    case "bool":
      return typeof value === "boolean" ? value : wrongType(name, report);
    case "date":
      return matching(value, DATE, name, report);
    case "datetime":
      return matching(value, DATETIME, name, report);
    case "address":
      return address(value, name, report);
    case "list":
      return choice(field, value, name, report);
    case "multi_select_list":
      if (!Array.isArray(value)) return wrongType(name, report);
      return value.map((element: Json) => choice(field, element, name, report) ?? null);
  }
};

/** A choice travels as its name, or as an object that holds it. */
const choice = (field: CatalogueField, value: Json, name: string, report: Report): Json | undefined => {
  const chosen = isObject(value) ? value["name"] : value;
  if (typeof chosen !== "string") return wrongType(name, report);
  if (field.choices === undefined || field.choices.includes(chosen)) return chosen;
  return report(name, "incorrect_value", `must be one of ${field.choices.join(", ")}`);
};

const isTextList = (value: Json): value is readonly string[] =>
  Array.isArray(value) && value.every((element) => typeof element === "string" && element !== "");
