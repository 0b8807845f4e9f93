/** `as`: what a value is written as. Nothing is guessed: what does not convert exactly is a misfit. */
import type { FieldValue } from "../domain/mutation.ts";
import { roundDecimal, wholeNumber } from "./decimal.ts";
import { textOf } from "./value.ts";

/** Undefined: the value is no such thing. */
export type Conversion = (value: FieldValue) => FieldValue | undefined;

/** `as` is one of the forms of the configuration schema: `decimal(n)`, `integer`, `string`, `boolean`. */
export const compileConversion = (as: string): Conversion => {
  const digits = /^decimal\((\d+)\)$/.exec(as)?.[1];
  if (digits !== undefined) return (value) => toDecimal(value, Number(digits));
  if (as === "integer") return toInteger;
  return as === "boolean" ? toBoolean : toText;
};

const toDecimal = (value: FieldValue, digits: number): string | undefined => {
  const text = numberText(value);
  return text === null ? undefined : (roundDecimal(text, digits) ?? undefined);
};

/** A JSON number where it is exact, text beyond 2^53. */
const toInteger = (value: FieldValue): FieldValue | undefined => {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  const text = numberText(value);
  const whole = text === null ? null : wholeNumber(text);
  if (whole === null) return undefined;
  return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole;
};

const toText = (value: FieldValue): string | undefined => textOf(value) ?? undefined;

const TRUE = new Set(["true", "t", "1", "y", "yes"]);
const FALSE = new Set(["false", "f", "0", "n", "no"]);

/** Also what databases without a boolean type use for one: 1 and 0, Y and N, T and F. */
export const toBoolean = (value: FieldValue): boolean | undefined => {
  if (typeof value === "boolean") return value;
  const text = textOf(value)?.toLowerCase() ?? "";
  if (TRUE.has(text)) return true;
  return FALSE.has(text) ? false : undefined;
};

const numberText = (value: FieldValue): string | null =>
  typeof value === "number" || typeof value === "string" ? String(value).trim() : null;
