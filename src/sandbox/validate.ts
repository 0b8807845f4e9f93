/** Checks the attributes of a request and brings them into the form in which Sell keeps them. */
import type { Json, JsonObject, Problem } from "./reply.ts";
import { isBlank, type Resource } from "./resources.ts";
import { isObject } from "./value-at.ts";
import { normal, type Report, type ValueRules } from "./values.ts";

export interface Rules extends ValueRules {
  readonly resource: Resource;
}

/** The record as it would be after the write, or all that is wrong with it; `changed` is false when nothing would differ. */
export type Checked =
  | { readonly status: "valid"; readonly record: JsonObject; readonly changed: boolean }
  | { readonly status: "invalid"; readonly problems: readonly Problem[] };

/**
 * `current` null: a create, which takes the defaults. Otherwise absent attributes stay, null clears, arrays are replaced and
 * custom fields are merged one by one. Fields of the problems are JSON pointers that start with `pointer`.
 */
export const check = (rules: Rules, data: JsonObject, current: JsonObject | null, pointer = ""): Checked => {
  const { resource } = rules;
  const problems: Problem[] = [];
  const report: Report = (field, code, details) => {
    problems.push({
      resource: resource.type,
      field: `${pointer}/${field}`,
      code,
      ...(details === undefined ? {} : { details }),
    });
    return undefined;
  };
  const record: { [name: string]: Json } = { ...(current ?? resource.defaults) };
  let changed = current === null;
  for (const name in data) {
    const given = data[name];
    const attribute = resource.attributes.get(name);
    if (attribute === undefined || given === undefined) {
      report(name, "unknown");
      continue;
    }
    const before = record[name];
    const value = given === null ? null : normal(attribute, given, name, before, rules, report);
    if (value === undefined || same(before ?? null, value)) continue;
    if (attribute.createOnly && current !== null) {
      report(name, "incorrect_value", "can be set only when the record is created");
      continue;
    }
    record[name] = value;
    changed = true;
  }
  for (const name of resource.required(record)) {
    if (isBlank(record[name])) report(name, Object.hasOwn(data, name) || current !== null ? "blank" : "missing");
  }
  if (resource.name === "contacts") checkContact(record, data, report);
  return problems.length > 0 ? { status: "invalid", problems } : { status: "valid", record, changed };
};

const checkContact = (record: JsonObject, data: JsonObject, report: Report): void => {
  const isCustomer = [record["customer_status"], record["prospect_status"]].some((it) => !isBlank(it) && it !== "none");
  for (const name of ["billing_address", "shipping_address"]) {
    if (!isCustomer && !isBlank(data[name])) report(name, "incorrect_value", "only customers and prospects have it");
  }
  const wrong = record["is_organization"] === true ? "contact_id" : "parent_organization_id";
  if (!isBlank(data[wrong])) report(wrong, "incorrect_value", "is not for this kind of contact");
};

/** Equal as JSON, whatever the order of names. */
const same = (a: Json, b: Json): boolean => {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => same(item, b[i] ?? null));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => same(a[name] ?? null, b[name] ?? null));
};
