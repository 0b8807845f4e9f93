/**
 * From a wire value to a column's exact value, by the column's semantic type. The type comes from the schema's name where
 * there is a schema (`org.apache.kafka.connect.data.Decimal`), else from a hint in the configuration (`decimal(2)`).
 */
import type { ColumnValue } from "../domain/change.ts";
import { decimalFromBytes, decimalFromText } from "./decimal.ts";
import { badValue } from "./decode-error.ts";
import { isMarkedNumber, isStruct, numberText, type Raw, scalarText, unmark } from "./raw.ts";
import { DATE_TEXT, date, iso, orText, TIME_TEXT, TIMESTAMP_TEXT, time, timestamp, zoned } from "./temporal.ts";

/** Never called with null. Throws DecodeError `bad-value`. */
export type Column = (raw: Raw) => ColumnValue;

/** The column of a named schema; undefined when the name adds nothing to the plain type. */
export const semanticColumn = (name: string, parameters: Readonly<Record<string, unknown>>): Column | undefined => {
  switch (name) {
    case "org.apache.kafka.connect.data.Decimal":
      return decimal(Number(parameters.scale ?? 0));
    case "io.debezium.data.Bits":
      return bits(Number(parameters.length) || null);
    default:
      return NAMED.get(name);
  }
};

/** `decimal(n)`, `bits(n)` or the name of a type; undefined for anything else. */
export const hintedColumn = (hint: string): Column | undefined => {
  const [, kind = "", size = ""] = /^(decimal|bits)\((\d{1,5})\)$/.exec(hint) ?? [];
  if (kind === "decimal") return decimal(Number(size));
  return kind === "bits" ? bits(Number(size)) : HINTED.get(hint);
};

/** A value whose type says nothing more than JSON or Avro does. */
export const plain: Column = (raw) => {
  if (typeof raw === "string") return isMarkedNumber(raw) ? exactNumber(raw.slice(1)) : unmark(raw);
  if (typeof raw === "number") {
    if (Number.isFinite(raw)) return raw;
    throw badValue("A number is too large for a double.");
  }
  if (typeof raw !== "object" || raw === null) return raw;
  if (raw instanceof Uint8Array) return { $base64: raw.toString("base64") };
  if (isStruct(raw)) return mapStruct(raw, () => plain);
  return raw.map(plain);
};

/** A struct with its members' columns; its prototype is null, so that a member `__proto__` is only a member. */
export const mapStruct = (
  struct: { readonly [name: string]: Raw },
  columnOf: (name: string) => Column,
): ColumnValue => {
  const mapped: Record<string, ColumnValue> = Object.create(null);
  for (const name in struct) {
    const raw = struct[name];
    if (raw !== undefined) mapped[name] = raw === null ? null : columnOf(name)(raw);
  }
  return mapped;
};

/** Elements may be null; a list of plain ones is plain itself. */
export const listColumn = (item: Column | undefined): Column | undefined =>
  item === undefined
    ? undefined
    : (raw) => (Array.isArray(raw) ? raw.map((element) => (element === null ? null : item(element))) : plain(raw));

/** A map with other than text keys comes as a list of pairs, and stays one. */
export const mapColumn = (value: Column | undefined): Column | undefined =>
  value === undefined ? undefined : (raw) => (isStruct(raw) ? mapStruct(raw, () => value) : plain(raw));

/** Integers beyond 2^53 stay text; other numbers become doubles unless that changes a digit. */
const exactNumber = (text: string): ColumnValue => {
  if (/^-?\d+$/.test(text)) return text;
  const number = Number(text);
  return sameDigits(String(number), text) ? number : text;
};

const sameDigits = (a: string, b: string): boolean => significant(a) === significant(b);
const significant = (number: string): string => {
  const digits = number.replace(/[eE].*/, "").replace(/[-.]/g, "");
  let [from, to] = [0, digits.length];
  while (digits.charCodeAt(from) === ZERO) from++;
  // No regular expression: `0+$` takes the square of a megabyte of zeros that end in a one.
  while (to > from && digits.charCodeAt(to - 1) === ZERO) to--;
  return digits.slice(from, to);
};
const ZERO = 0x30;

const decimal =
  (scale: number): Column =>
  (raw) => {
    if (raw instanceof Uint8Array) return decimalFromBytes(raw, scale);
    const number = numberText(raw);
    return number === null ? decimalFromBytes(base64Bytes(raw), scale) : decimalFromText(number, scale);
  };

/** NUMERIC or NUMBER without a scale: a struct that brings its own. */
const variableScaleDecimal: Column = (raw) => {
  if (!isStruct(raw) || typeof raw.scale !== "number" || raw.value === undefined)
    throw badValue("A decimal of variable scale is not a struct of scale and value.");
  return decimal(raw.scale)(raw.value);
};

/** Leading zeros that may be missing on the wire. */
const MAX_BITS = 65_536;

/** BIT(n): little-endian bytes to `{ $bits }`, highest bit first. Without a size, all bits that came. */
const bits =
  (size: number | null): Column =>
  (raw) => {
    const text = Array.from(base64Bytes(raw), (byte) => byte.toString(2).padStart(8, "0"))
      .toReversed()
      .join("");
    if (size === null) return { $bits: text };
    const spare = text.length - size;
    if (spare < -MAX_BITS || text.slice(0, Math.max(spare, 0)).includes("1"))
      throw badValue("A bit string does not have the size of its column.");
    return { $bits: spare >= 0 ? text.slice(spare) : text.padStart(size, "0") };
  };

/** Connect's `bytes` without a name, or a hint. */
export const bytes: Column = (raw) => ({ $base64: base64Bytes(raw).toString("base64") });

const text: Column = (raw) => scalarText(raw) ?? plain(raw);

/** Also from text, as shapes that send every value as text have it. */
const int64: Column = (raw) => {
  const digits = scalarText(raw);
  if (digits === null || !/^-?\d{1,20}$/.test(digits)) throw badValue("A 64-bit number is not a whole number.");
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : digits;
};

const microDuration: Column = (raw) => {
  const micros = numberText(raw);
  if (micros === null || !/^-?\d+$/.test(micros)) throw badValue("A duration is not a whole number of microseconds.");
  const number = Number(micros);
  return { $micros: Number.isSafeInteger(number) ? number : micros };
};

const NAMED: ReadonlyMap<string, Column> = new Map<string, Column>([
  ["io.debezium.data.VariableScaleDecimal", variableScaleDecimal],
  ["io.debezium.time.Date", date],
  ["org.apache.kafka.connect.data.Date", date],
  ["io.debezium.time.Time", time(3)],
  ["org.apache.kafka.connect.data.Time", time(3)],
  ["io.debezium.time.MicroTime", time(6)],
  ["io.debezium.time.NanoTime", time(9)],
  ["io.debezium.time.Timestamp", timestamp(3)],
  ["org.apache.kafka.connect.data.Timestamp", timestamp(3)],
  ["io.debezium.time.MicroTimestamp", timestamp(6)],
  ["io.debezium.time.NanoTimestamp", timestamp(9)],
  ["io.debezium.time.ZonedTimestamp", zoned],
  ["io.debezium.time.ZonedTime", zoned],
  ["io.debezium.time.IsoDate", iso],
  ["io.debezium.time.IsoTime", iso],
  ["io.debezium.time.IsoTimestamp", iso],
  ["io.debezium.time.MicroDuration", microDuration],
]);

const HINTED: ReadonlyMap<string, Column> = new Map<string, Column>([
  ["varDecimal", variableScaleDecimal],
  ["date", orText(date, DATE_TEXT)],
  ["time", orText(time(3), TIME_TEXT)],
  ["microTime", orText(time(6), TIME_TEXT)],
  ["timestamp", orText(timestamp(3), TIMESTAMP_TEXT)],
  ["microTimestamp", orText(timestamp(6), TIMESTAMP_TEXT)],
  ["nanoTimestamp", orText(timestamp(9), TIMESTAMP_TEXT)],
  ["zonedTimestamp", zoned],
  ["zonedTime", zoned],
  ["microDuration", microDuration],
  ["bytes", bytes],
  ["text", text],
  ["int64", int64],
]);

/** JSON's bytes. Node's decoder forgives everything, so the text is checked: wrong money is worse than a dead letter. */
const base64Bytes = (raw: Raw): Buffer => {
  if (raw instanceof Uint8Array) return raw;
  if (typeof raw !== "string" || raw.length % 4 !== 0 || !BASE64.test(raw)) throw badValue("Bytes are not base64.");
  return Buffer.from(raw, "base64");
};
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
