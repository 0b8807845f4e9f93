/**
 * Dates and times as ISO 8601 text. Zone-less types carry the wall clock encoded as if it were UTC, so no zone is written:
 * only the mapping knows which zone the ERP means.
 */
import { badValue } from "./decode-error.ts";
import { numberText, type Raw } from "./raw.ts";

/** PostgreSQL's infinite timestamps as Debezium sends them, in milliseconds, microseconds and nanoseconds. */
const INFINITE = new Set([
  "9223372036825200",
  "-9223372036832400",
  "9223372036825200000",
  "-9223372036832400000",
  "9223372036854775807",
  "-9223372036854775808",
]);
/** int32 days reach five million years; nothing a business stores goes beyond. */
const MAX_DAYS = 2 ** 31;
const DAY_SECONDS = 86_400;

/** Days since 1970-01-01 to `YYYY-MM-DD`; years outside 0-9999 as ISO 8601 has them, signed with six digits. */
export const date = (raw: Raw): string => {
  if (typeof raw !== "number" || !Number.isInteger(raw)) throw badValue("A date is not a whole number of days.");
  return dateText(raw);
};

/** A unit of 10^-digits seconds since midnight to `HH:MM:SS.fff`: signed, and hours may exceed 23 as MySQL's TIME may. */
export const time = (digits: number) => {
  const perSecond = 10 ** digits;
  return (raw: Raw): string => {
    const number = integer(raw, "time");
    const units = Number(number);
    if (!Number.isSafeInteger(units)) throw badValue("A time is out of bounds.");
    const size = Math.abs(units);
    return `${units < 0 ? "-" : ""}${clock(Math.floor(size / perSecond))}${fraction(size % perSecond, digits)}`;
  };
};

/** A unit of 10^-digits seconds since 1970 to `YYYY-MM-DDTHH:MM:SS.fff`; null for an infinite one. */
export const timestamp = (digits: number) => {
  const perSecond = 10 ** digits;
  return (raw: Raw): string | null => {
    if (typeof raw === "number" && Number.isSafeInteger(raw)) {
      const seconds = Math.floor(raw / perSecond);
      return timestampText(seconds, raw - seconds * perSecond, digits);
    }
    const text = integer(raw, "timestamp");
    if (INFINITE.has(text)) return null;
    // Beyond 2^53, as nanoseconds always are: the last digits are split off as text.
    const [seconds, rest] = floorDivide(BigInt(text), BigInt(perSecond));
    return timestampText(Number(seconds), Number(rest), digits);
  };
};

/** Text that the source formatted: passed on, infinity is null. */
export const zoned = (raw: Raw): string | null => {
  const text = plainText(raw);
  return text === "infinity" || text === "-infinity" ? null : text;
};

/** `isostring` mode: the `Z` decorates a zone-less value and would be taken for UTC. */
export const iso = (raw: Raw): string | null => zoned(raw)?.replace(/Z$/, "") ?? null;

/**
 * For hints: sources that write every value as text have dates as text too. Those pass in the form of ISO 8601, MySQL's zero
 * dates are none, and any other text is no date.
 */
export const orText = (fromNumber: (raw: Raw) => string | null, form: RegExp) => (raw: Raw) => {
  if (typeof raw !== "string" || raw.charCodeAt(0) === 0) return fromNumber(raw);
  if (!form.test(raw)) throw badValue("A text is neither a date nor a time as the column's type has it.");
  return raw.startsWith("0000-00-00") ? null : raw.replace(" ", "T");
};
export const DATE_TEXT = /^\d{4}-\d\d-\d\d$/;
export const TIME_TEXT = /^-?\d{2,3}:\d\d:\d\d(?:\.\d{1,9})?$/;
export const TIMESTAMP_TEXT = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,9})?$/;

const plainText = (raw: Raw): string => {
  if (typeof raw !== "string" || raw.charCodeAt(0) === 0) throw badValue("A time with zone is not text.");
  return raw;
};

const integer = (raw: Raw, what: string): string => {
  const text = numberText(raw);
  // Twenty characters hold every int64; more would only feed BigInt.
  if (text === null || !/^-?\d{1,19}$/.test(text)) throw badValue(`A ${what} is not a 64-bit whole number.`);
  return text;
};

const floorDivide = (number: bigint, by: bigint): readonly [quotient: bigint, rest: bigint] => {
  const rest = ((number % by) + by) % by;
  return [(number - rest) / by, rest];
};

const timestampText = (seconds: number, rest: number, digits: number): string => {
  const days = Math.floor(seconds / DAY_SECONDS);
  return `${dateText(days)}T${clock(seconds - days * DAY_SECONDS)}${fraction(rest, digits)}`;
};

/** Proleptic Gregorian calendar in whole eras of 400 years (Hinnant, "chrono-compatible low-level date algorithms"). */
const dateText = (days: number): string => {
  if (Math.abs(days) > MAX_DAYS) throw badValue("A date is out of bounds.");
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return `${yearText(yearOfEra + era * 400 + (month <= 2 ? 1 : 0))}-${two(month)}-${two(day)}`;
};

const yearText = (year: number): string => {
  if (year >= 0 && year <= 9_999) return String(year).padStart(4, "0");
  return `${year < 0 ? "-" : "+"}${String(Math.abs(year)).padStart(6, "0")}`;
};

const clock = (seconds: number): string =>
  `${two(Math.floor(seconds / 3_600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;

const fraction = (units: number, digits: number): string => `.${String(units).padStart(digits, "0")}`;

const two = (number: number): string => (number < 10 ? `0${number}` : String(number));
