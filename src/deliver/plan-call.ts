/** From a batch to the one request that comes next for it: names become ids, shared tags are kept, orders go step by step. */
import { strict as assert } from "node:assert";
import type { Batch, Outcome, Write } from "../domain/receipt.ts";
import type { Clock } from "../lib/clock.ts";
import { bulkCall } from "./bulk.ts";
import { type Call, forAll } from "./call.ts";
import type { SellConfig } from "./config.ts";
import { coreCall, type SkuNote } from "./core.ts";
import type { Directory } from "./directory.ts";
import { createNotes } from "./notes.ts";
import type { Dialect } from "./open.ts";
import { type OrderNote, orderCall } from "./orders.ts";
import { resourceOf, withPriceList } from "./resources.ts";
import { type TagNote, withSharedTags } from "./tags.ts";

/** `call` null: nothing is to be sent, and every write has its outcome already. */
export interface Planned {
  readonly call: Call | null;
  /** What the call is about. */
  readonly writes: readonly Write[];
  /** Puts the call's outcomes beside those that were known without it: same order and length as the batch. */
  merge(outcomes: readonly Outcome[]): readonly Outcome[];
}

/** Items of a bulk request, as its contract says. */
export const BULK_ITEMS = 50;
/** Steps of one record follow each other within seconds, or after a backoff; people change it by hand far more slowly. */
const NOTE_MS = 90_000;

export const createPlanner = (config: SellConfig, directory: Directory, clock: Clock) => {
  const { keyField } = config;
  const openMs = config.lateApplyMaxMs + config.indexLagMs;
  const notesFor = <T>() => createNotes<T>(clock, NOTE_MS + openMs);
  const skus = notesFor<SkuNote>();
  const orders = notesFor<OrderNote>();
  const deals = notesFor<number>();
  const tags = notesFor<TagNote>();
  let serial = 0;

  const inBulk = (batch: Batch): Call => {
    const { verb, writes, entity } = batch;
    assert(verb !== "lookup" && writes.length <= BULK_ITEMS, "a bulk request takes up to 50 writes");
    serial += 1;
    return bulkCall(batch, verb, resourceOf(entity), { keyField, serial, isAsync: config.asyncJobs });
  };

  const callFor = (batch: Batch, isBulk: boolean): Call | Outcome => {
    const { entity, verb, writes } = batch;
    const at = { keyField, nowMs: clock.monotonicMs(), openMs };
    if (entity === "orders" && verb !== "delete")
      return orderCall(batch, { ...at, notes: orders, deals, headsInBulk: isBulk ? inBulk : null });
    if (isBulk && verb !== "lookup") return inBulk(batch);
    const [write] = writes;
    assert(write !== undefined && writes.length === 1, "a lookup, and any core request, takes one write");
    return coreCall(write, verb, resourceOf(entity), { ...at, skus });
  };

  return (batch: Batch, dialect: Dialect): Planned => {
    const { writes } = batch;
    const resolved = directory.resolve(writes);
    if ("request" in resolved) return { call: resolved, writes, merge: (outcomes) => outcomes };
    const { failed } = resolved;
    const left = resolved.writes
      .filter((_, index) => !failed.has(index))
      .map((write) => (write.entity === "products" ? { ...write, body: withPriceList(write.body) } : write));
    const next =
      left.length === 0
        ? null
        : withSharedTags({ ...batch, writes: left }, resourceOf(batch.entity), tags, (plain) =>
            callFor(plain, dialect === "bulk"),
          );
    const call = next !== null && "request" in next ? next : null;
    const known = next !== null && !("request" in next) ? forAll(left.length, next) : [];
    return {
      call,
      writes: left,
      merge(outcomes) {
        const rest = (call === null ? known : outcomes).values();
        return writes.map((_, index) => failed.get(index) ?? rest.next().value ?? NO_VERDICT);
      },
    };
  };
};

const NO_VERDICT: Outcome = { status: "unknown", reason: "verdict-missing" };
