/** The dialect that Zendesk documents: one record a request under `/v2`. */
import { keyOf, kindOf, revisionOf, type WriteResult } from "./account.ts";
import { bodyHash } from "./applied-log.ts";
import { type Call, json, refuse, unknownPath } from "./call.ts";
import { catalogue, people } from "./catalogue.ts";
import { addLineItem } from "./line-items.ts";
import { listReply, readQuery } from "./list.ts";
import type { JsonObject, Reply } from "./reply.ts";
import { RESOURCES, type Resource, type ResourceName, resourceOf } from "./resources.ts";
import type { Filter, Row } from "./table.ts";
import { isObject } from "./value-at.ts";

/** Answers a request whose credential and quota are in order. */
export const core = (call: Call): Reply => {
  const [, name, second, third, fourth] = call.parts;
  const fixed = people(call) ?? catalogue(call);
  if (fixed !== null) return fixed;
  const resource = RESOURCES.find((known) => known === name && known !== "line_items");
  if (resource === undefined) return unknownPath(call);
  if (call.account.settings().forbidden.includes(resource)) return forbidden(call);
  if (resource === "orders" && third === "line_items") return lineItems(call, Number(second), fourth);
  if (third !== undefined) return unknownPath(call);
  if (second === undefined) {
    return collection(call, resourceOf(resource), [], (data) => call.account.create(resource, data));
  }
  if (second === "upsert" && call.method === "POST") return upsert(call, resourceOf(resource));
  return member(call, resourceOf(resource), call.account.get(resource, Number(second)));
};

/** What a resource without plan or right answers, in both dialects. */
export const forbidden = (call: Call): Reply =>
  refuse(call, 403, {
    code: "insufficient_scope",
    details: "The account's plan or the token's user does not allow this",
  });

const lineItems = (call: Call, orderId: number, id: string | undefined): Reply => {
  const order = call.account.get("orders", orderId);
  if (order === undefined) return notFound(call, "order");
  const resource = resourceOf("line_items");
  if (id === undefined) {
    const ofOrder = [{ path: "order_id", value: String(orderId) }];
    return collection(call, resource, ofOrder, (data) => addLineItem(call.account, data, orderId));
  }
  const row = call.account.get("line_items", Number(id));
  if (call.method === "PUT") return unknownPath(call); // A line item changes by delete and create only.
  return member(call, resource, row?.record["order_id"] === orderId ? row : undefined);
};

const collection = (
  call: Call,
  resource: Resource,
  implied: readonly Filter[],
  create: (data: JsonObject) => WriteResult,
): Reply => {
  if (call.method === "GET") return listReply(call, resource, implied);
  if (call.method !== "POST") return unknownPath(call);
  const data = dataOf(call);
  return data === null ? emptyData(call, resource) : written(call, resource, data, create(data));
};

const member = (call: Call, resource: Resource, row: Row | undefined): Reply => {
  const { account, method } = call;
  if (method !== "GET" && method !== "PUT" && method !== "DELETE") return unknownPath(call);
  if (row === undefined) {
    if (method !== "GET") note(call, resource.name, null, dataOf(call), "failed", "not_found");
    return notFound(call, resource.type);
  }
  if (method === "GET") return single(call, resource, row);
  if (method === "DELETE") {
    account.remove(resource.name, row);
    note(call, resource.name, row, null, "deleted", null);
    return { status: 204 };
  }
  const data = dataOf(call);
  if (data === null) return emptyData(call, resource);
  return written(call, resource, data, account.update(resource.name, row, data, true));
};

/** The filter finds the record to update; without a match the body alone makes a new one. */
const upsert = (call: Call, resource: Resource): Reply => {
  if (!resource.upsert) return unknownPath(call);
  const data = dataOf(call);
  if (data === null) return emptyData(call, resource);
  const query = readQuery(call, resource);
  if ("status" in query) return query;
  if (query.filters.length === 0)
    return refuse(call, 400, { code: "invalid_param", details: "An upsert needs a filter" });
  const matches = call.account.find(resource.name, query.filters);
  const [row] = matches;
  const { multiMatch } = call.account.settings();
  if (matches.length > 1 && multiMatch !== "first") {
    note(call, resource.name, null, data, "failed", "ambiguous_match");
    const details = `${matches.length} records match`;
    return refuse(call, multiMatch === "error-409" ? 409 : 422, {
      resource: resource.type,
      code: "ambiguous_match",
      details,
    });
  }
  const result =
    row === undefined ? call.account.create(resource.name, data) : call.account.update(resource.name, row, data, true);
  return written(call, resource, data, result);
};

const written = (call: Call, resource: Resource, data: JsonObject, result: WriteResult): Reply => {
  if (result.status === "invalid") {
    note(call, resource.name, null, data, "failed", result.problems[0]?.code ?? null);
    return refuse(call, 422, ...result.problems);
  }
  note(call, resource.name, result.row, data, result.result, null);
  return single(call, resource, result.row);
};

const single = (call: Call, resource: Resource, row: Row): Reply =>
  json({ data: call.account.show(resource.name, row), meta: { type: resource.type, version: row.version } });

const note = (
  call: Call,
  name: ResourceName,
  row: Row | null,
  data: JsonObject | null,
  result: Call["applied"][number]["result"],
  code: string | null,
): void => {
  const record = row?.record ?? data ?? {};
  call.applied.push({
    resource: kindOf(name, record),
    key: keyOf(record, call.account.config.keyField),
    id: row?.id ?? null,
    result,
    code,
    hash: data === null ? null : bodyHash(data),
    revision: data === null ? null : revisionOf(data, call.account.config.revisionField),
    atMs: call.atMs(),
  });
};

/** The `data` of the body; null when there is none or nothing in it. */
const dataOf = ({ body }: Call): JsonObject | null => {
  const data = isObject(body) ? body["data"] : undefined;
  return isObject(data) && Object.keys(data).length > 0 ? data : null;
};

const emptyData = (call: Call, resource: Resource): Reply =>
  refuse(call, 422, { resource: resource.type, field: "/data", code: "missing", details: "The body holds no data" });

const notFound = (call: Call, type: string): Reply => refuse(call, 404, { resource: type, code: "not_found" });
