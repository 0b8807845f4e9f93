/** Debezium's envelope: `before`, `after`, `source` and `op`, in any order and not always all of them. */
import type { Change, Row } from "../domain/change.ts";
import { controlRecord } from "./control-record.ts";
import { DecodeError } from "./decode-error.ts";
import { NO_PLAN, toRow } from "./plan.ts";
import { isStruct } from "./raw.ts";
import { type Shape, type ShapeInput, skip } from "./shape.ts";
import { originOf, sourceTsMsOf, txIdOf, versionOf } from "./source-block.ts";

export const decodeEnvelope: Shape = (input) => {
  const { op } = input.value;
  switch (op) {
    case "c":
    case "u":
    case "r":
    case "d":
      return { status: "changes", changes: [rowChange(op, input)] };
    case "t":
      return skip("truncate");
    case "m":
      return skip("logical-message");
    case undefined: {
      const reason = controlRecord(input.value);
      if (reason !== null) return skip(reason);
      throw new DecodeError("shape-mismatch", "It is no Debezium envelope: there is no op.");
    }
    default:
      // An operation of a later Debezium must not pass as an upsert.
      throw new DecodeError("unknown-op", "Its op is none of c, u, r, d, t and m.");
  }
};

const rowChange = (op: "c" | "u" | "r" | "d", input: ShapeInput): Change => {
  const before = rowOf("before", input);
  const after = op === "d" ? null : rowOf("after", input);
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
    after,
    version: known ? versionOf(source) : null,
    origin: known ? originOf(op === "r", source.snapshot) : "unknown",
    tombstone: false,
    sourceTsMs: known ? sourceTsMsOf(source.ts_ms) : null,
    txId: known ? txIdOf(source) : null,
  };
};

const rowOf = (name: "before" | "after", { value, plan, hints }: ShapeInput): Row | null => {
  const raw = value[name];
  if (raw === null || raw === undefined) return null;
  if (isStruct(raw)) return toRow(raw, plan.structs.get(name) ?? NO_PLAN, hints);
  throw new DecodeError("shape-mismatch", `It is no Debezium envelope of rows: ${name} is not a struct.`);
};
