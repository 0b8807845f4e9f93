/** What a record says happened to one row of the ERP. Every source shape decodes to this one model. */
import type { Version } from "./version.ts";

/**
 * A column has four states: a value, null, UNAVAILABLE (the source did not send the unchanged value),
 * or absent (the row has no such property). Only the first two are ever written to Sell.
 */
export const UNAVAILABLE: { readonly $unavailable: true } = Object.freeze({ $unavailable: true });

/**
 * Exact values: integers are numbers up to 2^53-1 and decimal text beyond; decimals are text at their scale
 * (`"12.30"`); doubles are numbers; dates `YYYY-MM-DD`, times `HH:MM:SS[.fff]`, timestamps ISO 8601 without `Z`
 * unless the column has a zone; bytes `{ $base64 }`, bit strings `{ $bits }`, intervals `{ $micros }`.
 */
export type ColumnValue =
  | string
  | number
  | boolean
  | null
  | readonly ColumnValue[]
  | { readonly [name: string]: ColumnValue };

/** A row by column name; it inherits nothing, so that a column called `__proto__` is only a column. */
export type Row = { readonly [column: string]: ColumnValue };

/** `c` insert, `u` update, `d` delete, `r` snapshot read; `upsert` for shapes that do not tell insert from update. */
export type Op = "c" | "u" | "d" | "r" | "upsert";

export interface Change {
  readonly op: Op;
  /** The decoded record key: identity, whatever its encoding was. Null: the record has none. */
  readonly key: Row | null;
  /** The row before, as far as the source says; on PostgreSQL's default replica identity only its key columns are real. */
  readonly before: Row | null;
  /** The row after; null for a delete. */
  readonly after: Row | null;
  /** True: `after` has only the columns that changed, so that nothing can be created from it. Absent: a whole row. */
  readonly isPatch?: true;
  /** The table as the source names it, `schema.table` or `database.table`. Absent: the record does not tell. */
  readonly table?: string;
  /** The source's position of this change; null when it has none (tombstones, plain rows). */
  readonly version: Version | null;
  /**
   * How the change reached the topic. `streamed` from the log; `snapshot` an initial or blocking read, a new baseline;
   * `incremental` a read beside the stream; `unknown` when the shape does not say.
   */
  readonly origin: "streamed" | "snapshot" | "incremental" | "unknown";
  /** True for a Kafka tombstone, which repeats a delete that usually came just before. */
  readonly tombstone: boolean;
  /** When the source database committed it, milliseconds since 1970; null if unknown. */
  readonly sourceTsMs: number | null;
  readonly txId: string | null;
}

/** A record that can never be decoded or mapped; it goes to the dead-letter topic. `reason` is stable and hyphenated. */
export interface Errant {
  readonly stage: "decode" | "map" | "deliver";
  readonly reason: string;
  /** One sentence for a person; no payload, no key, no secret: it is logged. */
  readonly message: string;
  /** Other records that it is about, by their keys: for the dead letter, which holds the record anyway, and for no log. */
  readonly about?: string;
  readonly httpStatus?: number;
  /** Sell's own error code and the field it names, as far as it said so. */
  readonly code?: string;
  readonly field?: string;
}

export type Decoded =
  | { readonly status: "changes"; readonly changes: readonly Change[] }
  | { readonly status: "skip"; readonly reason: string }
  | { readonly status: "errant"; readonly errant: Errant };
