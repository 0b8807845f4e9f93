/** What a topic's sampled changes tell of its columns: which there are, and what kind of values they hold. Pure. */
import { type Change, type ColumnValue, type Row, UNAVAILABLE } from "../domain/change.ts";

/** `empty`: only nulls were seen. `text` holds everything that is written as text and is none of the others. */
export type Kind = "text" | "integer" | "decimal" | "date" | "timestamp" | "flag" | "list" | "other" | "empty";

/** No value of a row is kept: what is proposed may be shown to anybody. */
export interface Column {
  readonly name: string;
  readonly kind: Kind;
  /** Of decimals: digits behind the point, the most that was seen. */
  readonly digits: number;
  /** Types of the configuration that fit, where the records carry none and the column is read as a number or as a date. */
  readonly numberHint: string | null;
  readonly dateHint: string | null;
  /** ISO 3166 code that most of its international phone numbers are of; null: there is none. */
  readonly country: string | null;
}

/** In the order of the rows; a column that a few rows lack counts all the same. */
export const columnsOf = (
  changes: readonly Change[],
  hints: { readonly number: Hints; readonly date: Hints },
  countryOf: (text: string) => string | null,
): readonly Column[] => {
  const values = new Map<string, ColumnValue[]>();
  for (const row of changes.flatMap(rowsOf))
    for (const [name, value] of Object.entries(row)) {
      const seen = values.get(name) ?? [];
      if (value !== null && value !== UNAVAILABLE) seen.push(value);
      values.set(name, seen);
    }
  return [...values].map(([name, seen]) => ({
    name,
    kind: kindOf(seen),
    digits: Math.max(0, ...seen.map(digitsOf)),
    numberHint: hints.number.get(name)?.[0] ?? null,
    dateHint: hints.date.get(name)?.[0] ?? null,
    country: mostly(seen.map((value) => (typeof value === "string" ? countryOf(value) : null))),
  }));
};

type Hints = ReadonlyMap<string, readonly string[]>;

/** Of a delete only what its row was; keys alone are told by the record key. */
const rowsOf = ({ after, before }: Change): readonly Row[] => [after ?? before ?? {}];

const kindOf = (values: readonly ColumnValue[]): Kind => {
  if (values.length === 0) return "empty";
  const kinds = new Set(values.map(kindOfValue));
  const [only] = kinds;
  if (only !== undefined && kinds.size === 1) return only;
  if ([...kinds].every((kind) => kind === "integer" || kind === "decimal")) return "decimal";
  return [...kinds].every((kind) => kind === "list" || kind === "other") ? "other" : "text";
};

const kindOfValue = (value: ColumnValue): Kind => {
  switch (typeof value) {
    case "boolean":
      return "flag";
    case "number":
      return Number.isInteger(value) ? "integer" : "decimal";
    case "string":
      return TEXTS.find(([, pattern]) => pattern.test(value))?.[0] ?? "text";
    default:
      return Array.isArray(value) ? "list" : "other";
  }
};

/** As the decoder writes them: a decimal always has its point, so that a number of digits stays text. */
const TEXTS: readonly (readonly [Kind, RegExp])[] = [
  ["decimal", /^-?\d+\.\d+$/],
  ["date", /^\d{4}-\d{2}-\d{2}$/],
  ["timestamp", /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/],
];

const digitsOf = (value: ColumnValue): number =>
  typeof value === "string" || typeof value === "number" ? (/^-?\d+\.(\d+)$/.exec(String(value))?.[1]?.length ?? 0) : 0;

const mostly = (names: readonly (string | null)[]): string | null => {
  const counts = [
    ...Map.groupBy(
      names.filter((name) => name !== null),
      (name) => name,
    ),
  ];
  return counts.toSorted(([, a], [, b]) => b.length - a.length)[0]?.[0] ?? null;
};
