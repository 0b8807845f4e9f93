/**
 * The core dialect, as Zendesk documents it: one record a request. Upsert by key, then by id once it is known; lookups,
 * which the bulk dialect borrows.
 */
import { strict as assert } from "node:assert";
import type { Outcome, Verb, Write } from "../domain/receipt.ts";
import { type Call, parseJson, unknown } from "./call.ts";
import { isId, isRecord, keyFilter, keyOf, newRecord, type Resource, withKey } from "./resources.ts";
import type { SkuMemory } from "./sku-memory.ts";
import type { Reply, WireRequest } from "./wire.ts";

export const coreCall = (write: Write, verb: Verb, resource: Resource, keyField: string, skus: SkuMemory): Call => {
  switch (verb) {
    case "lookup":
      return lookupCall(write, resource, keyField);
    case "delete":
      return deleteCall(resource, idOf(write, verb));
    case "update":
      return putCall(write, resource, keyField, idOf(write, verb));
    case "upsert":
      if (write.id !== null) return putCall(write, resource, keyField, write.id);
      return resource.hasUpsert
        ? upsertCall(write, resource, keyField)
        : lookThenWrite(write, resource, keyField, skus);
  }
};

/** Which record has this key? Several are ambiguous: writing to one of them would be a guess. */
const lookupCall = (write: Write, resource: Resource, keyField: string): Call =>
  callOf(
    { method: "GET", path: `${resource.corePath}?${keyFilter(resource, keyField, write.key)}`, body: null },
    false,
    (json) => {
      const items = isRecord(json) ? json["items"] : undefined;
      if (!Array.isArray(items)) return unknown("reply-unreadable");
      const [first, ...others] = items.map((item: unknown) => (isRecord(item) ? item["data"] : undefined));
      if (first === undefined && items.length === 0) return { status: "accepted", result: "missing", id: null };
      if (!isRecord(first) || !isId(first["id"])) return unknown("reply-unreadable");
      // A server that ignores the filter answers with any record at all.
      for (const data of [first, ...others]) {
        if (!isRecord(data) || keyOf(resource, keyField, data) !== write.key) return unknown("key-mismatch");
      }
      return others.length > 0 ? AMBIGUOUS : { status: "accepted", result: "found", id: first["id"] };
    },
  );

const AMBIGUOUS: Outcome = {
  status: "rejected",
  reason: "ambiguous-match",
  message: "Several records in Sell carry this ERP key; merge or delete all but one, then replay the dead letter.",
  httpStatus: 200,
};

const deleteCall = (resource: Resource, id: number): Call => ({
  request: { method: "DELETE", path: `${resource.corePath}/${id}`, body: null },
  byId: true,
  read: ({ status }) => {
    const isDone = status === 200 || status === 204;
    return one(isDone ? { status: "accepted", result: "deleted", id } : unknown(`http-${status}`));
  },
});

const putCall = (write: Write, resource: Resource, keyField: string, id: number): Call =>
  callOf(
    {
      method: "PUT",
      path: `${resource.corePath}/${id}`,
      body: envelope(withKey(resource, keyField, write.key, write.body)),
    },
    true,
    (json) => {
      const data = recordIn(json, write, resource, keyField);
      if ("status" in data) return data;
      return data.id === id ? { status: "accepted", result: "updated", id } : unknown("id-mismatch");
    },
  );

const upsertCall = (write: Write, resource: Resource, keyField: string): Call =>
  callOf(
    {
      method: "POST",
      path: `${resource.corePath}/upsert?${keyFilter(resource, keyField, write.key)}`,
      body: envelope(newRecord(resource, keyField, write.key, write.body)),
    },
    false,
    (json) => {
      const data = recordIn(json, write, resource, keyField);
      if ("status" in data) return data;
      return { status: "accepted", result: data.isNew ? "created" : "updated", id: data.id };
    },
  );

/**
 * Products have no upsert: the first send asks for the sku and comes back as retriable, the second writes what the answer
 * allows. So a repeated send, whatever became of the one before, never creates a twin.
 */
const lookThenWrite = (write: Write, resource: Resource, keyField: string, skus: SkuMemory): Call => {
  const known = skus.take(write.key);
  if (known === undefined) {
    const lookup = lookupCall(write, resource, keyField);
    return {
      ...lookup,
      read: (reply) => {
        const [outcome] = lookup.read(reply).outcomes;
        if (outcome?.status !== "accepted") return one(outcome ?? unknown("reply-unreadable"));
        skus.note(write.key, outcome.id);
        return one({ status: "retriable", reason: "looked-up" });
      },
    };
  }
  return known === null ? postCall(write, resource, keyField) : putCall(write, resource, keyField, known);
};

const postCall = (write: Write, resource: Resource, keyField: string): Call =>
  callOf(
    {
      method: "POST",
      path: resource.corePath,
      body: envelope(newRecord(resource, keyField, write.key, write.body)),
    },
    false,
    (json) => {
      const data = recordIn(json, write, resource, keyField);
      return "status" in data ? data : { status: "accepted", result: "created", id: data.id };
    },
  );

const callOf = (request: WireRequest, byId: boolean, readJson: (json: unknown) => Outcome): Call => ({
  request,
  byId,
  read: ({ status, body }: Reply) => {
    if (status === 200 || status === 201) return one(readJson(parseJson(body)));
    return one(unknown(status === 202 ? "asynchronous-reply" : `http-${status}`));
  },
});

/** Our record in a single reply `{"data": {...}}`, or the outcome when it is not beyond doubt. */
const recordIn = (
  json: unknown,
  write: Write,
  resource: Resource,
  keyField: string,
): Outcome | { readonly id: number; readonly isNew: boolean } => {
  const data = isRecord(json) ? json["data"] : undefined;
  if (!isRecord(data) || !isId(data["id"])) return unknown("reply-unreadable");
  const key = keyOf(resource, keyField, data);
  if (key !== null && key !== write.key) return unknown("key-mismatch");
  // Sell does not say whether an upsert created. In doubt it did: the key then stays locked for the index lag, no more.
  return { id: data["id"], isNew: data["created_at"] === data["updated_at"] };
};

const one = (outcome: Outcome) => ({ outcomes: [outcome], throttle: false, halt: null });

const envelope = (data: object): string => JSON.stringify({ data });

const idOf = (write: Write, verb: Verb): number => {
  assert(write.id !== null, `a ${verb} needs the id of the record`);
  return write.id;
};
