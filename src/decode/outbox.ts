/**
 * Debezium's outbox events: the payload is the row as its application wrote it, the record key is the aggregate's id. There
 * is no operation and no position, only Kafka's order; a payload of null is a tombstone.
 */
import { parseExactJson } from "./exact-json.ts";
import { toRow } from "./plan.ts";
import { type Raw, unmark } from "./raw.ts";
import { rowChanges } from "./row-changes.ts";
import type { Shape } from "./shape.ts";

export const decodeOutbox: Shape = ({ value, plan, key, settings }) =>
  rowChanges({
    op: "upsert",
    recordKey: key,
    keyColumns: [],
    before: null,
    after: toRow(value, plan, settings),
    version: null,
    origin: "unknown",
    sourceTsMs: null,
    txId: null,
  });

/** Unless the router expands it, the payload is JSON as one text. Throws DecodeError `invalid-json`. */
export const payloadOf = (raw: Raw): Raw => (typeof raw === "string" ? parseExactJson(unmark(raw)) : raw);

/** What the router's default calls the column of the key. */
export const AGGREGATE_ID = "aggregateid";
