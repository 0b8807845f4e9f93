/**
 * The bulk dialect: `POST /api/v2/bulk/{resource}`, many items, one verdict each. Records are always upserted by key;
 * updates and deletes name the id. A verdict counts only if it is beyond doubt whose it is.
 */
import { strict as assert } from "node:assert";
import type { Batch, Halt, Outcome, Verb, Write } from "../domain/receipt.ts";
import { type Call, forAll, type Json, parseJson, type Reading, unknown } from "./call.ts";
import { classify, ITEM_RULES } from "./classify.ts";
import { isId, isOurs, isRecord, matchedOn, newRecord, type Resource, withKey } from "./resources.ts";
import { readErrors } from "./sell-errors.ts";

/** What the bulk endpoint takes; lookups go the core way. */
export type BulkVerb = Exclude<Verb, "lookup">;

/** How a batch is sent: `isAsync` lets Sell answer with a job instead of results. */
export interface BulkContext {
  readonly keyField: string;
  readonly serial: number;
  readonly isAsync: boolean;
}

/** `serial` differs for every request of this process, so that a verdict of another request never fits. */
export const bulkCall = (batch: Batch, verb: BulkVerb, resource: Resource, context: BulkContext): Call => {
  const { keyField, serial, isAsync } = context;
  const refs = `${serial.toString(36)}:`;
  const { writes } = batch;
  const body = JSON.stringify({
    items: writes.map((write, index) => ({
      data: dataOf(write, verb, resource, keyField),
      meta: { type: resource.type, ref: refs + index },
    })),
    meta: {
      type: "collection",
      operation: verb,
      ...(verb === "upsert" ? { match_on: [matchedOn(resource, keyField)] } : {}),
      count: writes.length,
    },
  });
  return {
    request: { method: "POST", path: isAsync ? `${resource.bulkPath}?async=true` : resource.bulkPath, body },
    byId: false,
    read: ({ status, body: text }) => {
      if (status === 202) return allUnknown(writes.length, "asynchronous-reply");
      const json = parseJson(text);
      if (!isRecord(json) || !Array.isArray(json["items"])) return allUnknown(writes.length, "reply-unreadable");
      return readItems(json["items"], { writes, verb, resource, keyField, refs });
    },
  };
};

const dataOf = (write: Write, verb: BulkVerb, resource: Resource, keyField: string) => {
  if (verb === "upsert") return newRecord(resource, keyField, write.key, write.body);
  assert(write.id !== null, `a ${verb} needs the id of the record`);
  if (verb === "delete") return { id: write.id };
  return { ...withKey(resource, keyField, write.key, write.body), id: write.id };
};

interface Asked {
  readonly writes: readonly Write[];
  readonly verb: BulkVerb;
  readonly resource: Resource;
  readonly keyField: string;
  readonly refs: string;
}

/** Verdicts may come in any order, be missing, doubled, or be somebody else's. */
const readItems = (items: readonly unknown[], asked: Asked): Reading => {
  const outcomes: (Outcome | undefined)[] = asked.writes.map(() => undefined);
  let throttle = false;
  let halt: Halt["kind"] | null = null;
  const records = new Map<number, Json>();
  for (const item of items) {
    if (!isRecord(item) || !isRecord(item["meta"])) continue;
    const index = indexOf(item["meta"]["ref"], asked);
    const write = asked.writes[index];
    if (write === undefined) continue;
    if (outcomes[index] !== undefined) {
      outcomes[index] = unknown("verdict-doubled");
      continue;
    }
    const verdict = readItem(item, item["meta"], index, write, asked);
    outcomes[index] = verdict.outcome;
    if (verdict.outcome.status === "accepted" && isRecord(item["data"])) records.set(index, item["data"]);
    throttle ||= verdict.throttle;
    halt ??= verdict.halt;
  }
  return { outcomes: outcomes.map((outcome) => outcome ?? unknown("verdict-missing")), throttle, halt, records };
};

/** -1 when the ref is none of ours. */
const indexOf = (ref: unknown, { refs }: Asked): number => {
  if (typeof ref !== "string" || !ref.startsWith(refs)) return -1;
  const digits = ref.slice(refs.length);
  return /^(0|[1-9]\d{0,3})$/.test(digits) ? Number(digits) : -1;
};

const readItem = (item: Json, meta: Json, index: number, write: Write, asked: Asked) => {
  const status = meta["status"];
  const doubt = (reason: string) => ({ outcome: unknown(reason), throttle: false, halt: null });
  if (meta["index"] !== undefined && meta["index"] !== index) return doubt("verdict-contradicts");
  if (typeof status !== "number") return doubt("verdict-unreadable");
  if (status === 200 || status === 201)
    return { outcome: readApplied(item, meta, write, asked), throttle: false, halt: null };
  const refusal = {
    status,
    errors: readErrors(item),
    isEmpty: false,
    hasRetryAfter: false,
    names429: false,
    byId: asked.verb !== "upsert",
  };
  return classify(ITEM_RULES, refusal, 1);
};

const readApplied = (item: Json, meta: Json, write: Write, { verb, resource, keyField }: Asked): Outcome => {
  const { result } = meta;
  const data = item["data"];
  if (item["errors"] !== undefined) return unknown("verdict-contradicts");
  if (verb === "delete") {
    if (result !== "deleted" || (isRecord(data) && data["id"] !== write.id)) return unknown("verdict-contradicts");
    return { status: "accepted", result, id: write.id };
  }
  if (!isRecord(data) || !isId(data["id"])) return unknown("verdict-unreadable");
  if (!isOurs(resource, keyField, write, data)) return unknown("key-mismatch");
  if (result === "updated" || result === "unchanged" || (result === "created" && verb === "upsert")) {
    if (verb === "update" && data["id"] !== write.id) return unknown("verdict-contradicts");
    return { status: "accepted", result, id: data["id"] };
  }
  return unknown("verdict-contradicts");
};

const allUnknown = (writes: number, reason: string): Reading => ({
  outcomes: forAll(writes, unknown(reason)),
  throttle: false,
  halt: null,
});
