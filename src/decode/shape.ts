/** A shape turns what an encoding read into changes. It knows the members of its JSON object or Avro record, not their bytes. */
import type { ColumnValue, Decoded, Row } from "../domain/change.ts";
import { type ColumnSettings, type Datum, type StructPlan, toRow } from "./plan.ts";
import { markNumber, type Raw, type RawStruct, scalarText } from "./raw.ts";

/** What a topic's configuration says where its records do not. */
export interface ShapeSettings extends ColumnSettings {
  /** Identity of rows whose record key does not tell it. */
  readonly keyColumns: readonly string[];
  /** Columns of a plain row that rise with every change of it, the most significant first. */
  readonly versionColumns: readonly string[];
  readonly deleteFlag: DeleteFlag | null;
  /** Of DMS: the member that holds the row before an update. */
  readonly beforeField: string | null;
}

/** A plain row is deleted when the column's text is that of one of the values. */
export interface DeleteFlag {
  readonly column: string;
  readonly values: readonly (string | number | boolean)[];
}

export interface ShapeInput {
  readonly value: RawStruct;
  readonly plan: StructPlan;
  /** The decoded record key; null when the record has none, or only a bare value nobody named. */
  readonly key: Row | null;
  readonly settings: ShapeSettings;
  /** Reads Avro inside the value; null: there is no registry. */
  readonly readAvro: ((bytes: Buffer) => Datum) | null;
}

/** Throws DecodeError for what is neither the shape nor one of its control records. */
export type Shape = (input: ShapeInput) => Decoded;

export const skip = (reason: string): Decoded => ({ status: "skip", reason });

/** Text of a scalar column, as positions and flags are compared; null for null, lists, structs and what is absent. */
export const columnText = (value: ColumnValue | undefined): string | null =>
  typeof value === "object" || value === undefined ? null : String(value);

/** The table of a change, `schema.table` or `database.table`; absent where the record does not tell. */
export const tableNamed = (space: Raw | undefined, table: Raw | undefined): { readonly table?: string } => {
  const [prefix, name] = [scalarText(space), scalarText(table)];
  if (name === null) return {};
  return { table: prefix === null ? name : `${prefix}.${name}` };
};

/** The row of a struct without the members that are the shape's own. */
export const rowWithout = (
  struct: RawStruct,
  isMetadata: (name: string) => boolean,
  plan: StructPlan,
  settings: ColumnSettings,
): Row => toRow(Object.fromEntries(Object.entries(struct).filter(([name]) => !isMetadata(name))), plan, settings);

/**
 * Rows of a source that writes numbers as text too. A hinted number is marked as one, since the same characters may be base64:
 * "1234" is both.
 */
export const numbersFromText = (struct: RawStruct, { hints }: ColumnSettings): RawStruct => {
  const row: Record<string, Raw> = Object.create(null);
  for (const name in struct) {
    const raw = struct[name] ?? null;
    row[name] = typeof raw === "string" && hints.has(name) && NUMBER.test(raw) ? markNumber(raw) : raw;
  }
  return row;
};
const NUMBER = /^-?\d+(?:\.\d+)?$/;

/** Milliseconds since 1970, from a number or its text; null for anything else. */
export const millis = (raw: Raw | undefined): number | null => {
  const text = scalarText(raw);
  return text !== null && /^-?\d{1,15}$/.test(text) ? Number(text) : null;
};
