/**
 * Plain rows: the JDBC source, exports, polls of other systems. Nothing but columns, so that the configuration says which of
 * them are the key, which rise with every change, and which one marks a deleted row.
 */
import type { Row } from "../domain/change.ts";
import type { Version } from "../domain/version.ts";
import { toRow } from "./plan.ts";
import { rowChanges } from "./row-changes.ts";
import { columnText, type DeleteFlag, type Shape } from "./shape.ts";

export const decodeRow: Shape = ({ value, plan, key, settings }) => {
  const row = toRow(value, plan, settings);
  const isDelete = settings.deleteFlag !== null && isDeleted(row, settings.deleteFlag);
  const version = versionOf(row, settings.versionColumns);
  return rowChanges({
    op: isDelete ? "d" : "upsert",
    recordKey: key,
    keyColumns: settings.keyColumns,
    before: isDelete ? row : null,
    after: isDelete ? null : row,
    version,
    // A version is compared among streamed changes only; without one the order of Kafka is all there is.
    origin: version === null ? "unknown" : "streamed",
    sourceTsMs: null,
    txId: null,
  });
};

const isDeleted = (row: Row, { column, values }: DeleteFlag): boolean => {
  const text = columnText(row[column]);
  return values.some((value) => String(value) === text);
};

/** Null when one of the columns has no value: then nothing is known of the order. */
const versionOf = (row: Row, columns: readonly string[]): Version | null => {
  const parts = columns.flatMap((column) => columnText(row[column]) ?? []);
  return columns.length > 0 && parts.length === columns.length ? { kind: "sequence", parts } : null;
};
