/**
 * What is known of a struct's columns before any record is looked at: compiled once per schema or once from hints, so that
 * per record only column functions run.
 */
import { type ColumnValue, type Row, UNAVAILABLE } from "../domain/change.ts";
import { type Column, hintedColumn, mapStruct, plain } from "./column.ts";
import { badValue } from "./decode-error.ts";
import { isStruct, type Raw, type RawStruct } from "./raw.ts";
import type { IsUnavailable } from "./unavailable.ts";

export interface StructPlan {
  /** Columns whose type says more than the wire does; the others are plain. */
  readonly columns: ReadonlyMap<string, Column>;
  /** Members that are structs themselves: `before` and `after` of an envelope. */
  readonly structs: ReadonlyMap<string, StructPlan>;
}

/** A key or value as an encoding understood it. */
export interface Datum {
  readonly raw: Raw;
  readonly plan: StructPlan;
}

export const NO_PLAN: StructPlan = { columns: new Map(), structs: new Map() };

/** Column types from the configuration, for columns of which the schema says nothing; `pt.wkb` names a nested member. */
export type Hints = Readonly<Record<string, string>>;

/** Unknown hints are left out: the configuration refuses them before. */
export const compileHints = (hints: Hints): StructPlan["columns"] => {
  const columns = new Map<string, Column>();
  const nested = new Map<string, Record<string, string>>();
  for (const [path, hint] of Object.entries(hints)) {
    const column = hintedColumn(hint);
    const dot = path.indexOf(".");
    if (column !== undefined) columns.set(path, column);
    if (dot > 0) nested.set(path.slice(0, dot), { ...nested.get(path.slice(0, dot)), [path.slice(dot + 1)]: hint });
  }
  for (const [name, members] of nested) if (!columns.has(name)) columns.set(name, structColumn(compileHints(members)));
  return columns;
};

/** What a topic's configuration says of its columns. */
export interface ColumnSettings {
  readonly hints: StructPlan["columns"];
  readonly isUnavailable: IsUnavailable;
  /** For columns that neither a schema nor a hint gives a type. Absent: they are plain. */
  readonly guards?: StructPlan["columns"] | undefined;
}

/** The row of a struct. The schema's word counts first, then the hint's. Throws DecodeError `bad-value` naming the column. */
export const toRow = (struct: RawStruct, plan: StructPlan, { hints, isUnavailable, guards }: ColumnSettings): Row => {
  const row = new RowObject();
  const untyped = plan === NO_PLAN ? guards : undefined;
  let columnsLeft = MAX_COLUMNS;
  for (const name in struct) {
    const raw = struct[name];
    if (raw === undefined) continue;
    if (--columnsLeft < 0) throw badValue(`A row has more than ${MAX_COLUMNS} columns.`);
    const column = plan.columns.get(name) ?? hints.get(name) ?? untyped?.get(name) ?? plain;
    row[name] = raw === null ? null : isUnavailable(raw) ? UNAVAILABLE : decodeColumn(name, column, raw);
  }
  return row;
};

/**
 * Inherits nothing, so that a column `__proto__` is only a column; and objects of a constructor are read and written faster
 * than such without a prototype.
 */
const RowObject = function Row() {} as unknown as new () => Record<string, ColumnValue>;
RowObject.prototype = Object.create(null);

/** Ten times what the widest table of any database has. */
const MAX_COLUMNS = 50_000;

/** A struct inside a row; undefined when all its members are plain. */
export const nestedColumn = ({ columns }: StructPlan): Column | undefined =>
  columns.size === 0 ? undefined : structColumn(columns);

const structColumn =
  (columns: StructPlan["columns"]): Column =>
  (raw) => {
    if (!isStruct(raw)) throw badValue("it is not a struct");
    return mapStruct(raw, (name) => columns.get(name) ?? plain);
  };

const decodeColumn = (name: string, column: Column, raw: Raw): ColumnValue => {
  try {
    return column(raw);
  } catch (error) {
    throw badValue(`Column ${JSON.stringify(name)} cannot be decoded: ${error instanceof Error ? error.message : ""}`);
  }
};
