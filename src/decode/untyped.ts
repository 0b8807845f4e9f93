/**
 * Columns without a type. Records in JSON without a schema bring a decimal as base64, a date as a count of days, and say
 * nothing of it: `"1234"` is an amount and the base64 of another one. So what the mapping reads as a number or a date needs
 * a type from the configuration, and until it has one the record is refused: wrong money is worse than a dead letter.
 */
import { type Column, plain } from "./column.ts";
import { badValue } from "./decode-error.ts";
import { isStruct, numberText, type Raw, type RawStruct, unmark } from "./raw.ts";

/** What the mapping reads a column as; `other` is everything that promises nothing, like text. */
export type ColumnUse = "number" | "date" | "other";

/** A column by name to what it is read as. */
export type ColumnUses = ReadonlyMap<string, ColumnUse>;

/** Told of each value without type, with the hints that fit it, the likeliest first; none: it needs no type. */
export type OnUntyped = (column: string, hints: readonly string[]) => void;

/** They throw DecodeError `bad-value` where a type is needed; with `onUntyped` they tell it instead, and read on. */
export const guardsOf = (uses: ColumnUses, onUntyped: OnUntyped | undefined): ReadonlyMap<string, Column> =>
  new Map(Array.from(uses, ([name, use]) => [name, guard(name, use, onUntyped)]));

const guard =
  (name: string, use: ColumnUse, onUntyped: OnUntyped | undefined): Column =>
  (raw) => {
    const hints = hintsFor(raw, use);
    onUntyped?.(name, hints);
    if (hints.length > 0 && onUntyped === undefined) throw badValue(refusal(name, hints));
    return plain(raw);
  };

/** None: the value needs no type. */
const hintsFor = (raw: Raw, use: ColumnUse): readonly string[] => {
  if (isStruct(raw)) return isVariableScale(raw) ? ["varDecimal"] : NONE;
  switch (use) {
    case "number":
      return typeof raw === "string" && numberText(raw) === null ? amountHints(unmark(raw)) : NONE;
    case "date": {
      const number = numberText(raw);
      return number === null ? NONE : [timeHint(number.replace("-", ""))];
    }
    case "other":
      return typeof raw === "string" && isPadded(raw) ? ["decimal(2)", "text"] : NONE;
  }
};

const NONE: readonly string[] = [];

/** Text is a number only for who knows that it is text. */
const amountHints = (text: string): readonly string[] => {
  if (!isBase64(text)) return ["text"];
  return /^\d+$/.test(text) ? ["decimal(2)", "text"] : ["decimal(2)"];
};

/** By the digits that today's dates have in each unit; eight are more likely 20240131. */
const timeHint = (digits: string): string => {
  const size = digits.length;
  if (size === 8) return "int64";
  if (size < 8) return "date";
  if (size < 15) return "timestamp";
  return size < 18 ? "microTimestamp" : "nanoTimestamp";
};

/** NUMERIC or NUMBER without a scale, as Debezium writes it: `{"scale":2,"value":"MDk="}`. */
const isVariableScale = (raw: RawStruct): boolean =>
  typeof raw.scale === "number" && typeof raw.value === "string" && Object.keys(raw).length === 2;

/** A decimal of 38 digits has sixteen bytes. */
const LONGEST_DECIMAL = 24;

/** The bytes of two decimals in three end so in base64; hardly a word of any language does. */
const isPadded = (text: string): boolean => text.endsWith("=") && text.length <= LONGEST_DECIMAL && isBase64(text);

const isBase64 = (text: string): boolean =>
  text.length > 0 && text.length % 4 === 0 && Buffer.from(text, "base64").toString("base64") === text;

const refusal = (name: string, [hint = "", other]: readonly string[]): string =>
  `it has no type, and its value may mean several things; give it one under "hints", like { ${JSON.stringify(name)}: ${hint} }${other === undefined ? "" : `, or ${other} if it is written so`}.`;
