/** `transform`: the closed list of steps that text goes through on its way to a field. */
import { type CountryCode, parsePhoneNumberFromString } from "libphonenumber-js";
import { DateTime } from "luxon";
import type { FieldValue } from "../domain/mutation.ts";
import type { Step } from "./expression-config.ts";
import { Misfit, mapEach, textOf } from "./value.ts";

export type Transform = (value: FieldValue) => FieldValue | Misfit;

/** `column` is named in misfits. Steps apply in order; null passes through, a list goes through text steps element by element. */
export const compileTransform = (steps: Step | readonly Step[] | undefined, column: string): Transform => {
  const transforms = [steps ?? []].flat().map((step) => compileStep(step, column));
  const [first, ...others] = transforms;
  if (first === undefined) return (value) => value;
  if (others.length === 0) return first;
  return (value) => {
    let result: FieldValue | Misfit = value;
    for (const transform of transforms) {
      if (result instanceof Misfit) return result;
      result = transform(result);
    }
    return result;
  };
};

const compileStep = (step: Step, column: string): Transform => {
  if (typeof step === "string") return onText(TEXT_STEPS[step]);
  if ("phone" in step)
    return (value) => mapEach(value, (single) => toE164(textOf(single) ?? "", step.phone as CountryCode));
  if ("split" in step) return (value) => split(value, step.split);
  if ("join" in step) return (value) => join(value, step.join);
  const { zone, to } = step.date;
  return (value) =>
    mapEach(value, (single) => toIsoTime(textOf(single) ?? "", zone, to) ?? new Misfit("bad-value", noDate(column)));
};

const TEXT_STEPS = {
  trim: (text: string): string => text.trim(),
  lowercase: (text: string): string => text.toLowerCase(),
  uppercase: (text: string): string => text.toUpperCase(),
} as const;

/** Numbers and booleans have nothing to trim or fold: they pass as they are. */
const onText =
  (step: (text: string) => string): Transform =>
  (value) =>
    mapEach(value, (single) => (typeof single === "string" ? step(single) : single));

/** What is no phone number stays as the ERP has it: one odd number must not hold back a customer's other fields. */
const toE164 = (text: string, country: CountryCode): string => {
  const phone = parsePhoneNumberFromString(text, { defaultCountry: country, extract: false });
  return phone?.isValid() === true ? phone.number : text;
};

/** A time of day alone is refused: luxon would fill in today. */
const STARTS_WITH_DATE = /^\d{4}-?\d{2}-?\d{2}/;
const DAY_LENGTH = "YYYY-MM-DD".length;

const toIsoTime = (text: string, zone: string, to: "date" | "datetime"): string | null => {
  // A day alone is the same day in every zone, and luxon is four times as fast in UTC.
  const readIn = to === "date" && text.length <= DAY_LENGTH ? "utc" : zone;
  const time = STARTS_WITH_DATE.test(text) ? DateTime.fromISO(text.replace(" ", "T"), { zone: readIn }) : null;
  if (time === null || !time.isValid) return null;
  if (to === "date") return time.toISODate();
  return time.toUTC().startOf("second").toISO({ suppressMilliseconds: true });
};

const noDate = (column: string): string =>
  `column "${column}" is no ISO 8601 date or time stamp; correct the row, or give the column a type under "hints"`;

const split = (value: FieldValue, separator: string): FieldValue =>
  typeof value === "string"
    ? value
        .split(separator)
        .map((part) => part.trim())
        .filter((part) => part !== "")
    : value;

const join = (value: FieldValue, separator: string): FieldValue =>
  Array.isArray(value)
    ? value
        .map((part) => textOf(part) ?? "")
        .filter((part) => part !== "")
        .join(separator)
    : value;
