/**
 * What the shapes of whole rows have in common: the key stands in the row, and a changed key is two changes, the end of one
 * identity and the begin of another.
 */
import { type Change, type Decoded, type Row, UNAVAILABLE } from "../domain/change.ts";
import { DecodeError } from "./decode-error.ts";

export interface RowFacts extends Omit<Change, "key" | "tombstone"> {
  /** The decoded record key, for rows that do not hold theirs. */
  readonly recordKey: Row | null;
  /** Columns of a row that are its key; none: only the record key tells. */
  readonly keyColumns: readonly string[];
}

/** Throws DecodeError `missing-after` or `unidentifiable-delete`. */
export const rowChanges = ({ recordKey, keyColumns, ...facts }: RowFacts): Decoded => {
  const { op, before, after } = facts;
  if (op === "d") {
    const key = keyOf(before, keyColumns) ?? recordKey;
    if (key === null && before === null)
      throw new DecodeError("unidentifiable-delete", "It is a delete with neither a record key nor a row.");
    return changes({ ...facts, key, after: null, tombstone: false });
  }
  if (after === null) throw new DecodeError("missing-after", "It is no delete, and there is no row.");
  const key = keyOf(after, keyColumns) ?? recordKey;
  const change: Change = { ...facts, key, tombstone: false };
  const oldKey = keyOf(before, keyColumns);
  if (key === null || oldKey === null || isSame(key, oldKey)) return changes(change);
  // What an update left out stands in the row before: the new identity begins with the whole row.
  return changes(
    { ...change, op: "d", key: oldKey, after: null },
    { ...change, op: "c", before: null, after: overlaid(before, after) },
  );
};

/** A row with the columns of another one over it. */
export const overlaid = (row: Row | null, over: Row | null): Row => Object.assign(Object.create(null), row, over);

/** Null where a column of it is null, absent or was not sent. */
const keyOf = (row: Row | null, columns: readonly string[]): Row | null => {
  if (row === null || columns.length === 0) return null;
  const key: Record<string, Row[string]> = Object.create(null);
  for (const column of columns) {
    const value = row[column];
    if (value === undefined || value === null || value === UNAVAILABLE) return null;
    key[column] = value;
  }
  return key;
};

const isSame = (a: Row, b: Row): boolean => JSON.stringify(a) === JSON.stringify(b);

const changes = (...all: readonly Change[]): Decoded => ({ status: "changes", changes: all });
