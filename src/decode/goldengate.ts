/**
 * Oracle GoldenGate's JSON: `before` and `after` beside the operation, or, from its row formatter, the columns themselves. An
 * update may bring the changed columns only, and a changed key comes as one update.
 */
import type { Decoded, Row } from "../domain/change.ts";
import { DecodeError } from "./decode-error.ts";
import { NO_PLAN, toRow } from "./plan.ts";
import { isStruct, type Raw, scalarText, unmark } from "./raw.ts";
import { rowChanges } from "./row-changes.ts";
import { numbersFromText, rowWithout, type Shape, type ShapeInput, skip, tableNamed } from "./shape.ts";

export const decodeGoldengate: Shape = (input) => {
  switch (input.value.op_type) {
    case "I":
      return rowOf("c", input);
    case "U":
      return rowOf("u", input);
    case "D":
      return rowOf("d", input);
    case "T":
      return skip("truncate");
    case undefined:
      throw new DecodeError("shape-mismatch", "It is no record of GoldenGate: there is no op_type.");
    default:
      throw new DecodeError("unknown-op", "Its op_type is none of I, U, D and T.");
  }
};

const METADATA = new Set(["table", "op_type", "op_ts", "current_ts", "pos", "csn", "primary_keys", "tokens"]);

const rowOf = (op: "c" | "u" | "d", input: ShapeInput): Decoded => {
  const { value, settings, plan } = input;
  const hasImages = "before" in value || "after" in value;
  const row = hasImages
    ? null
    : rowWithout(numbersFromText(value, settings), (name) => METADATA.has(name), plan, settings);
  const { primary_keys: primaryKeys, pos, table } = value;
  const position = scalarText(pos);
  return rowChanges({
    op,
    recordKey: null,
    keyColumns: Array.isArray(primaryKeys) ? primaryKeys.flatMap(nameOf) : settings.keyColumns,
    before: hasImages ? imageOf("before", input) : op === "d" ? row : null,
    after: op === "d" ? null : hasImages ? imageOf("after", input) : row,
    ...tableNamed(undefined, table),
    version: position === null ? null : { kind: "sequence", parts: [position] },
    origin: "streamed",
    // op_ts has no zone.
    sourceTsMs: null,
    txId: null,
  });
};

const imageOf = (name: "before" | "after", { value, plan, settings }: ShapeInput): Row | null => {
  const raw = value[name];
  if (raw === null || raw === undefined) return null;
  if (!isStruct(raw)) throw new DecodeError("shape-mismatch", `It is no record of GoldenGate: ${name} is no struct.`);
  return toRow(numbersFromText(raw, settings), plan.structs.get(name) ?? NO_PLAN, settings);
};

const nameOf = (raw: Raw): readonly string[] => (typeof raw === "string" ? [unmark(raw)] : []);
