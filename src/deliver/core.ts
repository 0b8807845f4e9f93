/**
 * The core dialect, as Zendesk documents it: one record a request. Upsert by key, then by id once it is known; lookups,
 * which the bulk dialect borrows.
 */
import { strict as assert } from "node:assert";
import type { Fields } from "../domain/mutation.ts";
import type { Outcome, Verb, Write } from "../domain/receipt.ts";
import { type Call, one, parseJson, stepDone, unknown } from "./call.ts";
import { type Notes, noteOf } from "./notes.ts";
import { isId, isOurs, isRecord, keyFilter, keyOf, newRecord, type Resource, withKey } from "./resources.ts";
import type { Reply, WireRequest } from "./wire.ts";

/** What is known of a sku; null: surely no product has it. Taken once: after the write that follows it may be wrong. */
export type SkuNote =
  | { readonly id: number | null }
  /** A creation without an answer may yet appear: until then another would make a twin. Monotonic milliseconds. */
  | { readonly openUntilMs: number };

export interface CoreContext {
  readonly keyField: string;
  readonly skus: Notes<SkuNote>;
  readonly nowMs: number;
  /** So much later a creation without an answer is either found or will never be. */
  readonly openMs: number;
}

/** An outcome in place of a call: it is not the time for one. */
export const coreCall = (write: Write, verb: Verb, resource: Resource, context: CoreContext): Call | Outcome => {
  const { keyField } = context;
  switch (verb) {
    case "lookup":
      return lookupCall(write, resource, keyField);
    case "delete":
      return deleteCall(resource, idOf(write, verb));
    case "update":
      return putCall(write, resource, keyField, idOf(write, verb));
    case "upsert":
      if (write.id !== null) return putCall(write, resource, keyField, write.id);
      return resource.hasUpsert ? upsertCall(write, resource, keyField) : lookThenWrite(write, resource, context);
  }
};

/** Which record has this key? Several are ambiguous: writing to one of them would be a guess. */
export const lookupCall = (write: Write, resource: Resource, keyField: string): Call =>
  findCall(
    `${resource.corePath}?${keyFilter(resource, keyField, write.key)}`,
    (data) => keyOf(resource, keyField, data) === write.key,
  );

/** `isAsked`: a server that ignores the filter answers with any record at all. */
export const findCall = (path: string, isAsked: (data: Readonly<Record<string, unknown>>) => boolean): Call =>
  callOf({ method: "GET", path, body: null }, false, (json) => {
    const items = isRecord(json) ? json["items"] : undefined;
    if (!Array.isArray(items)) return unknown("reply-unreadable");
    const [first, ...others] = items.map((item: unknown) => (isRecord(item) ? item["data"] : undefined));
    if (first === undefined && items.length === 0) return { status: "accepted", result: "missing", id: null };
    if (!isRecord(first) || !isId(first["id"])) return unknown("reply-unreadable");
    for (const data of [first, ...others]) {
      if (!isRecord(data) || !isAsked(data)) return unknown("key-mismatch");
    }
    return others.length > 0 ? AMBIGUOUS : { status: "accepted", result: "found", id: first["id"] };
  });

const AMBIGUOUS: Outcome = {
  status: "rejected",
  reason: "ambiguous-match",
  message: "Several records in Sell carry this ERP key; merge or delete all but one, then replay the dead letter.",
  httpStatus: 200,
};

const deleteCall = (resource: Resource, id: number): Call => ({
  request: { method: "DELETE", path: `${resource.corePath}/${id}`, body: null },
  byId: true,
  read: (reply) => one(readDeletion(reply, id) ?? { status: "accepted", result: "deleted", id }),
});

/**
 * Null: the record is deleted. Sell says so by 204; a 200 has to show the record, since a login page or a proxy's comes with
 * that status, too, and has deleted nothing.
 */
export const readDeletion = ({ status, body }: Reply, id: number): Outcome | null => {
  if (status === 204) return null;
  if (status !== 200) return unknown(`http-${status}`);
  const json = parseJson(body);
  const data = isRecord(json) ? json["data"] : undefined;
  return isRecord(data) && data["id"] === id ? null : unknown("reply-unreadable");
};

export const putCall = (write: Write, resource: Resource, keyField: string, id: number): Call =>
  writeCall(
    {
      method: "PUT",
      path: `${resource.corePath}/${id}`,
      body: envelope(withKey(resource, keyField, write.key, write.body)),
    },
    true,
    (data) => {
      if (!isOurs(resource, keyField, write, data)) return unknown("key-mismatch");
      return data["id"] === id ? { status: "accepted", result: "updated", id } : unknown("id-mismatch");
    },
  );

const upsertCall = (write: Write, resource: Resource, keyField: string): Call =>
  writeCall(
    {
      method: "POST",
      path: `${resource.corePath}/upsert?${keyFilter(resource, keyField, write.key)}`,
      body: envelope(newRecord(resource, keyField, write.key, write.body)),
    },
    false,
    (data, id) => {
      if (!isOurs(resource, keyField, write, data)) return unknown("key-mismatch");
      // Sell does not say whether an upsert created. In doubt it did: the key then stays locked for the index lag, no more.
      const isNew = data["created_at"] === data["updated_at"];
      return { status: "accepted", result: isNew ? "created" : "updated", id };
    },
  );

/**
 * Products have no upsert: the first send asks for the sku, the second writes what the answer allows. So a repeated send,
 * whatever became of the one before, creates no twin of what is there.
 */
const lookThenWrite = (
  write: Write,
  resource: Resource,
  { keyField, skus, nowMs, openMs }: CoreContext,
): Call | Outcome => {
  const known = skus.get(noteOf(write));
  if (known !== undefined && "openUntilMs" in known && known.openUntilMs > nowMs) return CREATION_OPEN;
  skus.forget(noteOf(write));
  if (known !== undefined && "id" in known) {
    if (known.id !== null) return putCall(write, resource, keyField, known.id);
    const refused = (outcome: Outcome): Outcome => {
      if (outcome.status === "unknown") skus.put(noteOf(write), { openUntilMs: nowMs + openMs });
      return outcome;
    };
    return { ...postCall(write, resource, keyField), refused };
  }
  const lookup = lookupCall(write, resource, keyField);
  return {
    ...lookup,
    read: (reply) => {
      const [outcome] = lookup.read(reply).outcomes;
      if (outcome?.status !== "accepted") return one(outcome ?? unknown("reply-unreadable"));
      skus.put(noteOf(write), { id: outcome.id });
      return one(stepDone("looked-up", false));
    },
  };
};

/** Told of a write whose creation has no answer yet. */
export const CREATION_OPEN: Outcome = { status: "retriable", reason: "creation-open" };

export const postCall = (write: Write, resource: Resource, keyField: string): Call =>
  writeCall(
    {
      method: "POST",
      path: resource.corePath,
      body: envelope(newRecord(resource, keyField, write.key, write.body)),
    },
    false,
    (data, id) =>
      isOurs(resource, keyField, write, data) ? { status: "accepted", result: "created", id } : unknown("key-mismatch"),
  );

/** A write that is answered with the record, `{"data": {...}}`. */
export const writeCall = (
  request: WireRequest,
  byId: boolean,
  judge: (data: Readonly<Record<string, unknown>>, id: number) => Outcome,
): Call => ({
  request,
  byId,
  read: ({ status, body }) => {
    if (status !== 200 && status !== 201) return one(unreadable(status));
    const json = parseJson(body);
    const data = isRecord(json) ? json["data"] : undefined;
    if (!isRecord(data) || !isId(data["id"])) return one(unknown("reply-unreadable"));
    return one(judge(data, data["id"]), data);
  },
});

const callOf = (request: WireRequest, byId: boolean, readJson: (json: unknown) => Outcome): Call => ({
  request,
  byId,
  read: ({ status, body }: Reply) =>
    one(status === 200 || status === 201 ? readJson(parseJson(body)) : unreadable(status)),
});

const unreadable = (status: number): Outcome => unknown(status === 202 ? "asynchronous-reply" : `http-${status}`);

export const envelope = (data: Fields): string => JSON.stringify({ data });

const idOf = (write: Write, verb: Verb): number => {
  assert(write.id !== null, `a ${verb} needs the id of the record`);
  return write.id;
};
