/** Maxwell's daemon for MySQL: one flat document a row, all tables in one topic unless told otherwise, `ts` in seconds. */
import type { Decoded, Row } from "../domain/change.ts";
import type { Version } from "../domain/version.ts";
import { DecodeError } from "./decode-error.ts";
import { NO_PLAN, toRow } from "./plan.ts";
import { isStruct, type Raw, type RawStruct, scalarText } from "./raw.ts";
import { overlaid, rowChanges } from "./row-changes.ts";
import { millis, type Shape, type ShapeInput, skip, tableNamed } from "./shape.ts";

export const decodeMaxwell: Shape = (input) => {
  const { type } = input.value;
  switch (type) {
    case "insert":
      return rowOf("c", input);
    case "update":
      return rowOf("u", input);
    case "delete":
      return rowOf("d", input);
    case "bootstrap-insert":
      return rowOf("r", input);
    case "bootstrap-start":
    case "bootstrap-complete":
      return skip("bootstrap");
    default:
      if (typeof type === "string" && /^(table|database)-/.test(type)) return skip("schema-change");
      if (type === undefined)
        throw new DecodeError("shape-mismatch", "It is no document of Maxwell: there is no type.");
      throw new DecodeError("unknown-op", "Its type is none that Maxwell is known to write.");
  }
};

/**
 * `{"database":..,"table":..,"pk.id":1}` or `["database","table",[{"id":1}]]` to the key columns alone. A row without primary
 * key comes with a random `_uuid`, which names nothing.
 */
export const maxwellKey = (raw: Raw): RawStruct | null => {
  const columns = Array.isArray(raw) ? listedColumns(raw[2]) : prefixedColumns(raw);
  return columns.length === 0 ? null : Object.fromEntries(columns);
};

type Entry = readonly [name: string, value: Raw];

const prefixedColumns = (raw: Raw): readonly Entry[] =>
  isStruct(raw)
    ? Object.entries(raw).flatMap(([name, value]) => (name.startsWith("pk.") ? [[name.slice(3), value]] : []))
    : [];

const listedColumns = (columns: Raw | undefined): readonly Entry[] =>
  Array.isArray(columns) ? columns.flatMap((column) => (isStruct(column) ? Object.entries(column) : [])) : [];

const rowOf = (op: "c" | "u" | "d" | "r", { value, key, settings }: ShapeInput): Decoded => {
  const { data, old, database, table } = value;
  if (!isStruct(data)) throw new DecodeError("missing-after", "It is a row of Maxwell without data.");
  const row = toRow(data, NO_PLAN, settings);
  const before = isStruct(old) ? overlaid(row, toRow(old, NO_PLAN, settings)) : null;
  const seconds = millis(value.ts);
  return rowChanges({
    op,
    recordKey: key,
    keyColumns: key === null ? settings.keyColumns : Object.keys(key).map((name) => spelledAs(name, row)),
    before: op === "d" ? row : before,
    after: op === "d" ? null : row,
    ...tableNamed(database, table),
    version: versionOf(value),
    origin: op === "r" ? "snapshot" : "streamed",
    sourceTsMs: seconds === null ? null : seconds * 1_000,
    txId: scalarText(value.xid),
  });
};

/** Maxwell may write the key's columns in lower case, where the row has them as the table does. */
const spelledAs = (name: string, row: Row): string =>
  name in row ? name : (Object.keys(row).find((column) => column.toLowerCase() === name.toLowerCase()) ?? name);

/**
 * Rows share a position, and only `xoffset` tells them apart; the last row of a transaction has none. Without both there is no
 * version: a missing offset would sort first and make the newest row look old.
 */
const versionOf = ({ position, xoffset, gtid }: RawStruct): Version | null => {
  const [, file, pos] = /^(.+):(\d+)$/.exec(scalarText(position) ?? "") ?? [];
  const offset = scalarText(xoffset);
  if (file === undefined || pos === undefined || offset === null) return null;
  return { kind: "binlog", parts: [file, pos, offset, scalarText(gtid) ?? ""] };
};
