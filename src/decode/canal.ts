/**
 * Alibaba Canal's flat messages of MySQL: one record holds all rows of a statement, every value as text. `old` has what an
 * update changed, row by row, and `es` is the time of the binlog.
 */
import type { Change, Decoded } from "../domain/change.ts";
import { DecodeError } from "./decode-error.ts";
import { NO_PLAN, toRow } from "./plan.ts";
import { isStruct, type Raw, unmark } from "./raw.ts";
import { overlaid, rowChanges } from "./row-changes.ts";
import { millis, numbersFromText, type Shape, type ShapeInput, skip, tableNamed } from "./shape.ts";

export const decodeCanal: Shape = (input) => {
  const { type, isDdl, data } = input.value;
  if (isDdl === true) return skip(type === "TRUNCATE" ? "truncate" : "schema-change");
  switch (type) {
    case "INSERT":
      return rowsOf("c", input);
    case "UPDATE":
      return rowsOf("u", input);
    case "DELETE":
      return rowsOf("d", input);
    default:
      if (type === undefined || data === undefined)
        throw new DecodeError("shape-mismatch", "It is no flat message of Canal: type or data is missing.");
      throw new DecodeError("unknown-op", "Its type is none of INSERT, UPDATE and DELETE.");
  }
};

/** At most as many as the record has bytes for. */
const rowsOf = (op: "c" | "u" | "d", input: ShapeInput): Decoded => {
  const { data, old } = input.value;
  if (!Array.isArray(data)) throw new DecodeError("missing-after", "It is a change of Canal without a list of rows.");
  const changes: Change[] = [];
  for (const [at, raw] of data.entries()) {
    const decoded = rowOf(op, raw, Array.isArray(old) ? old[at] : undefined, input);
    if (decoded.status === "changes") changes.push(...decoded.changes);
  }
  return { status: "changes", changes };
};

const rowOf = (op: "c" | "u" | "d", data: Raw, old: Raw | undefined, { value, settings }: ShapeInput): Decoded => {
  if (!isStruct(data))
    throw new DecodeError("shape-mismatch", "It is a change of Canal, and a row of it is no struct.");
  const row = toRow(numbersFromText(data, settings), NO_PLAN, settings);
  const before = isStruct(old) ? toRow(numbersFromText(old, settings), NO_PLAN, settings) : null;
  const { pkNames, database, table } = value;
  return rowChanges({
    op,
    recordKey: null,
    keyColumns: Array.isArray(pkNames) ? pkNames.flatMap(nameOf) : settings.keyColumns,
    before: op === "d" ? row : before && overlaid(row, before),
    after: op === "d" ? null : row,
    ...tableNamed(database, table),
    version: null,
    origin: "streamed",
    sourceTsMs: millis(value.es),
    txId: null,
  });
};

const nameOf = (raw: Raw): readonly string[] => (typeof raw === "string" ? [unmark(raw)] : []);
