/** Debezium's envelope: `before`, `after`, `source` and `op`, in any order and not always all of them. */
import type { Change, Row } from "../domain/change.ts";
import { controlRecord } from "./control-record.ts";
import { DecodeError } from "./decode-error.ts";
import { NO_PLAN, toRow } from "./plan.ts";
import { isStruct, type RawStruct } from "./raw.ts";
import { type Shape, type ShapeInput, skip } from "./shape.ts";
import { originOf, sourceTsMsOf, tableOf, txIdOf, versionOf } from "./source-block.ts";

/** The row before and after a change, as the connector wrote them. */
export interface Images {
  readonly before: Row | null;
  readonly after: Row | null;
  /** True: `after` is only what changed. */
  readonly isPatch?: true;
}

/** The envelope with a connector's own way to write rows. */
export const envelopeShape =
  (imagesOf: (envelope: RawStruct, input: ShapeInput) => Images): Shape =>
  (input) => {
    const { op } = input.value;
    switch (op) {
      case "c":
      case "u":
      case "r":
      case "d":
        return { status: "changes", changes: [rowChange(op, imagesOf(input.value, input), input)] };
      case "t":
        return skip("truncate");
      case "m":
        return skip("logical-message");
      case undefined:
      case null: {
        const reason = controlRecord(input.value);
        if (reason !== null) return skip(reason);
        throw new DecodeError("shape-mismatch", "It is no Debezium envelope: there is no op.");
      }
      default:
        // An operation of a later Debezium must not pass as an upsert.
        throw new DecodeError("unknown-op", "Its op is none of c, u, r, d, t and m.");
    }
  };

const rowChange = (op: "c" | "u" | "r" | "d", { before, after, isPatch }: Images, input: ShapeInput): Change => {
  if (op !== "d" && after === null)
    throw new DecodeError("missing-after", `Its op is ${op} and there is no row in after.`);
  if (op === "d" && before === null && input.key === null)
    throw new DecodeError("unidentifiable-delete", "It is a delete with neither a record key nor a row in before.");
  const { source } = input.value;
  const known = isStruct(source);
  return {
    op,
    key: input.key,
    before,
    after: op === "d" ? null : after,
    ...(isPatch && { isPatch }),
    ...(known && tableOf(source)),
    version: known ? versionOf(source) : null,
    origin: known ? originOf(op === "r", source.snapshot) : "unknown",
    tombstone: false,
    sourceTsMs: known ? sourceTsMsOf(source.ts_ms) : null,
    txId: known ? txIdOf(source) : null,
  };
};

export const decodeEnvelope = envelopeShape((_, input) => ({
  before: rowOf("before", input),
  after: rowOf("after", input),
}));

const rowOf = (name: "before" | "after", { value, plan, settings }: ShapeInput): Row | null => {
  const raw = value[name];
  if (raw === null || raw === undefined) return null;
  if (isStruct(raw)) return toRow(raw, plan.structs.get(name) ?? NO_PLAN, settings);
  throw new DecodeError("shape-mismatch", `It is no Debezium envelope of rows: ${name} is not a struct.`);
};
