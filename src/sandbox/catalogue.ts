/** What can only be read: the account itself, its users, pipelines, stages and definitions of custom fields. */
import { PIPELINES, STAGES, USERS } from "./account.ts";
import { type Call, json, refuse, unknownPath } from "./call.ts";
import { CUSTOM_FIELD_OWNERS } from "./custom-fields.ts";
import type { JsonObject, Reply } from "./reply.ts";

/** Null: the path is none of these. */
export const people = (call: Call): Reply | null => {
  const [, name, id] = call.parts;
  switch (name) {
    case "accounts":
      return id === "self" && call.method === "GET" ? self(call) : unknownPath(call);
    case "users":
      return readOnly(call, "user", USERS, id === "self" ? String(USERS[0].id) : id, [
        "email",
        "name",
        "role",
        "status",
      ]);
    case "pipelines":
      return readOnly(call, "pipeline", PIPELINES, id, ["name"]);
    case "stages":
      return readOnly(call, "stage", STAGES, id, ["pipeline_id", "name", "active"]);
    default:
      return null;
  }
};

/** `GET /v2/{contact,lead,deal,prospect_and_customer}/custom_fields`. */
export const catalogue = (call: Call): Reply | null => {
  const [, name, second] = call.parts;
  const owner = CUSTOM_FIELD_OWNERS.find((known) => known === name);
  if (owner === undefined || second !== "custom_fields" || call.method !== "GET") return null;
  const fields = [...call.account.catalogue[owner].values()].map(({ id, name: field, type, choices }) => ({
    id,
    name: field,
    type,
    choices: choices?.map((choice, i) => ({ id: i + 1, name: choice })),
    ...(owner === "contact" ? { for_company: true, for_contact: true } : {}),
  }));
  return listOf("custom_field", fields);
};

const self = ({ account }: Call): Reply => {
  const { id, name, currency } = account.config.account;
  return json({ data: { id, name, currency, timezone: "UTC", time_format: "24H" }, meta: { type: "account" } });
};

const readOnly = (
  call: Call,
  type: string,
  records: readonly JsonObject[],
  id: string | undefined,
  filters: readonly string[],
): Reply => {
  if (call.method !== "GET") return unknownPath(call);
  if (id !== undefined) {
    const data = records.find((record) => String(record["id"]) === id);
    return data === undefined
      ? refuse(call, 404, { resource: type, code: "not_found" })
      : json({ data, meta: { type } });
  }
  let found = records;
  const [page, perPage] = [Number(call.query.get("page") ?? 1), Number(call.query.get("per_page") ?? 25)];
  if (!(page >= 1 && perPage >= 1 && perPage <= 100))
    return refuse(call, 400, { field: "page", code: "invalid_param" });
  for (const [name, value] of call.query) {
    if (name === "page" || name === "per_page") continue;
    if (!filters.includes(name)) return refuse(call, 400, { field: name, code: "invalid_param" });
    found = found.filter((record) => String(record[name]) === value);
  }
  const next = page * perPage < found.length ? `${call.path}?page=${page + 1}&per_page=${perPage}` : undefined;
  return listOf(type, found.slice((page - 1) * perPage, page * perPage), next);
};

const listOf = (type: string, records: readonly object[], next?: string): Reply => {
  const items = records.map((data) => ({ data, meta: { type } }));
  return json({ items, meta: { type: "collection", count: items.length, links: { next_page: next } } });
};
