/**
 * Deltas of SAP's operational data provisioning, by OData or through BW: a row, and how it changed in `ODQ_CHANGEMODE` or
 * `RECORDMODE`. The field names are assumed from SAP's documentation; no record has been seen.
 */
import type { Decoded } from "../domain/change.ts";
import { DecodeError } from "./decode-error.ts";
import { scalarText } from "./raw.ts";
import { rowChanges } from "./row-changes.ts";
import { rowWithout, type Shape, type ShapeInput, skip } from "./shape.ts";

export const decodeSapOdq: Shape = (input) => {
  const { ODQ_CHANGEMODE: changeMode, ODQ_ENTITYCNTR: counter, RECORDMODE: recordMode } = input.value;
  if (changeMode !== undefined) return deltaOf(changeMode, scalarText(counter), input);
  if (recordMode !== undefined) return recordOf(recordMode, input);
  throw new DecodeError("shape-mismatch", "It is no delta of SAP: neither ODQ_CHANGEMODE nor RECORDMODE.");
};

const deltaOf = (changeMode: unknown, counter: string | null, input: ShapeInput): Decoded => {
  switch (changeMode) {
    case "C":
      return rowOf("c", input);
    case "U":
      // The row before, sent to be subtracted: written, it would undo the change.
      return MINUS_ONE.test(counter ?? "") ? skip("before-image") : rowOf("u", input);
    case "D":
      return rowOf("d", input);
    default:
      throw new DecodeError("unknown-op", "Its ODQ_CHANGEMODE is none of C, U and D.");
  }
};

/** SAP's own text of numbers has the sign behind. */
const MINUS_ONE = /^\s*(?:-\s*1|1\s*-)(?:\.0*)?\s*$/;

const recordOf = (recordMode: unknown, input: ShapeInput): Decoded => {
  switch (recordMode) {
    case null: // as some exporters write what is blank
    case "":
    case " ":
      return rowOf("u", input);
    case "N":
      return rowOf("c", input);
    case "X":
      return skip("before-image");
    case "D":
      return rowOf("d", input);
    default:
      // A and R are sums to add, not the state of a row.
      throw new DecodeError(
        "unknown-op",
        "Its RECORDMODE is none of blank, N, X and D; additive deltas have no state.",
      );
  }
};

const isMetadata = (name: string): boolean => name.startsWith("ODQ_") || name === "RECORDMODE";

/** Leading zeros of customer and material numbers are data: text stays text. A delete may have but its key filled. */
const rowOf = (op: "c" | "u" | "d", { value, plan, settings }: ShapeInput): Decoded => {
  const row = rowWithout(value, isMetadata, plan, settings);
  return rowChanges({
    op,
    recordKey: null,
    keyColumns: settings.keyColumns,
    before: op === "d" ? row : null,
    after: op === "d" ? null : row,
    version: null,
    origin: "streamed",
    sourceTsMs: null,
    txId: null,
  });
};
