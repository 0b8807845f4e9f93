/** What an expression of the mapping gives for one row, and how a column is read. */
import { type ColumnValue, type Row, UNAVAILABLE } from "../domain/change.ts";
import type { FieldValue } from "../domain/mutation.ts";

/** The column was not sent, or the row has no such column: the CRM's field is left alone. */
export const LEFT_OUT = Symbol("left out");

/** The row cannot be mapped. `why` is a clause about the column that names the next step and holds no value of the row. */
export class Misfit {
  readonly reason: "mapping-error" | "no-identity" | "bad-value" | "value-not-listed";
  readonly why: string;
  /** The CRM field it was meant for; null: it is not about one field. */
  readonly field: string | null;

  constructor(reason: Misfit["reason"], why: string, field: string | null = null) {
    this.reason = reason;
    this.why = why;
    this.field = field;
  }
}

export type Evaluated = FieldValue | typeof LEFT_OUT | Misfit;
export type Evaluator = (row: Row) => Evaluated;

/** The column as the CRM can hold it; text loses the blanks that CHAR(n) columns are padded with. */
export const readColumn = (row: Row, column: string): Evaluated => {
  const value = row[column];
  if (value === undefined || value === UNAVAILABLE) return LEFT_OUT;
  if (typeof value === "string") return withoutPadding(value);
  if (isHoldable(value, NESTING_MAX)) return value;
  return new Misfit(
    "bad-value",
    `column "${column}" holds bytes, bits, an interval or no finite number; map another column`,
  );
};

/** Text of a single value as it stands in keys, templates and lookup tables; null for lists and structures. */
export const textOf = (value: FieldValue): string | null => {
  if (typeof value === "string") return value;
  return typeof value === "object" ? null : String(value);
};

/** Applies `step` to a value, or to each element of a list; null stays null. */
export const mapEach = (value: FieldValue, step: (single: FieldValue) => FieldValue | Misfit): FieldValue | Misfit => {
  if (value === null) return null;
  if (!Array.isArray(value)) return step(value);
  const results: FieldValue[] = [];
  for (const single of value) {
    const result = single === null ? null : step(single);
    if (result instanceof Misfit) return result;
    results.push(result);
  }
  return results;
};

const NESTING_MAX = 16;
const TAGS = new Set(["$base64", "$bits", "$micros", "$unavailable"]);

const isHoldable = (value: ColumnValue, depth: number): boolean => {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  if (depth === 0) return false;
  if (Array.isArray(value)) return value.every((element) => isHoldable(element, depth - 1));
  return Object.entries(value).every(([name, member]) => !TAGS.has(name) && isHoldable(member, depth - 1));
};

const BLANK = 0x20;

const withoutPadding = (text: string): string => {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === BLANK) end--;
  return end === text.length ? text : text.slice(0, end);
};
