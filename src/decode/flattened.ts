/**
 * Rows without an envelope, as Debezium's ExtractNewRecordState leaves them. What the envelope said stands beside the columns
 * under Debezium's own names, as far as `add.fields` asked for it; without `__op` only Kafka's order is known.
 */
import type { Change, Op } from "../domain/change.ts";
import { controlRecord } from "./control-record.ts";
import { DecodeError } from "./decode-error.ts";
import { type Raw, type RawStruct, scalarText } from "./raw.ts";
import { rowWithout, type Shape, skip } from "./shape.ts";
import { originOf, sourceTsMsOf, tableOf, txIdOf, versionOf } from "./source-block.ts";

/** Members of the envelope that may be asked for as they are; those of its blocks begin with the block's name. */
const METADATA =
  /^__(?:deleted|op|ts_ms|ts_us|ts_ns|(?:source|transaction)_\w+|connector|name|db|schema|table|snapshot|sequence|txId|lsn|xmin|server_id|gtid|file|pos|row|change_lsn|commit_lsn|event_serial_no|scn|commit_scn|txSeq|ord)$/;

export const decodeFlattened: Shape = ({ value, plan, settings, key }) => {
  const control = controlRecord(value);
  if (control !== null) return skip(control);
  const op = opOf(value);
  const row = rowWithout(value, (name) => METADATA.test(name), plan, settings);
  const source = sourceOf(value);
  const isDelete = op === "d";
  const change: Change = {
    op,
    key,
    before: isDelete ? row : null,
    after: isDelete ? null : row,
    ...tableOf(source),
    version: versionOf(source),
    origin: "snapshot" in source || op === "r" ? originOf(op === "r", source.snapshot) : "unknown",
    tombstone: false,
    sourceTsMs: sourceTsMsOf(value.__source_ts_ms),
    txId: txIdOf(source),
  };
  return { status: "changes", changes: [change] };
};

/** `__deleted` first: the row of a delete may be filler, and writing it would blank the record. */
const opOf = ({ __deleted: deleted, __op: op }: RawStruct): Op => {
  if (deleted === "true" || deleted === true) return "d";
  switch (op) {
    case "c":
    case "u":
    case "r":
    case "d":
      return op;
    case undefined:
      return "upsert";
    default:
      throw new DecodeError("unknown-op", "Its __op is none of c, u, r and d.");
  }
};

/** `add.fields=lsn` writes `__lsn`, `add.fields=source.lsn` writes `__source_lsn`; both mean the source block's member. */
const sourceOf = (value: RawStruct): RawStruct => {
  const source: Record<string, Raw> = {};
  for (const [name, raw] of Object.entries(value)) {
    if (name.startsWith("__source_")) source[name.slice("__source_".length)] = raw;
    else if (name !== "__ts_ms" && METADATA.test(name)) source[name.slice(2)] ??= raw;
  }
  // PostgreSQL's transaction id is `xid:lsn`, another one in every change.
  source.txId ??= scalarText(value.__transaction_id)?.split(":", 1)[0] ?? null;
  source.connector ??= connectorOf(source);
  return source;
};

/** By what only one family of connectors has. */
const connectorOf = (source: RawStruct): string | null => {
  if ("lsn" in source || "sequence" in source) return "postgresql";
  if ("file" in source) return "mysql";
  if ("commit_lsn" in source) return "event_serial_no" in source ? "sqlserver" : "db2";
  return "commit_scn" in source ? "oracle" : null;
};
