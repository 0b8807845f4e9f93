/** Confluent's Oracle CDC source: flat rows with the change's own words between the columns, which may collide with them. */
import type { Decoded } from "../domain/change.ts";
import { DecodeError } from "./decode-error.ts";
import { scalarText } from "./raw.ts";
import { rowChanges } from "./row-changes.ts";
import { millis, rowWithout, type Shape, type ShapeInput, skip, tableNamed } from "./shape.ts";

export const decodeConfluentOracle: Shape = (input) => {
  switch (input.value.op_type) {
    case "R":
      return rowOf("r", input);
    case "I":
      return rowOf("c", input);
    case "U":
      return rowOf("u", input);
    case "D":
      return rowOf("d", input);
    case "T":
      return skip("truncate");
    case undefined:
      throw new DecodeError("shape-mismatch", "It is no record of Confluent's Oracle source: there is no op_type.");
    default:
      throw new DecodeError("unknown-op", "Its op_type is none of R, I, U, D and T.");
  }
};

const METADATA = new Set(["table", "scn", "op_type", "op_ts", "current_ts", "row_id", "username"]);

const rowOf = (op: "c" | "u" | "d" | "r", { value, plan, key, settings }: ShapeInput): Decoded => {
  const row = rowWithout(value, (name) => METADATA.has(name), plan, settings);
  const scn = scalarText(value.scn);
  return rowChanges({
    op,
    recordKey: key,
    keyColumns: settings.keyColumns,
    before: op === "d" ? row : null,
    after: op === "d" ? null : row,
    ...tableNamed(undefined, value.table),
    version: scn === null ? null : { kind: "sequence", parts: [scn] },
    origin: op === "r" ? "snapshot" : "streamed",
    sourceTsMs: millis(value.op_ts),
    txId: null,
  });
};
