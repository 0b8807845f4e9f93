/** MongoDB's Extended JSON, both versions, to plain values: `{"$numberLong":"5"}` is 5, and a date is an instant with `Z`. */
import { badValue } from "./decode-error.ts";
import { isStruct, markNumber, markText, numberText, type Raw, type RawStruct, scalarText } from "./raw.ts";
import { timestamp } from "./temporal.ts";

/** Wrappers it does not know stay structs. Depth: that of the JSON text. Throws DecodeError `bad-value`. */
export const plainDocument = (raw: Raw): Raw => {
  if (Array.isArray(raw)) return raw.map(plainDocument);
  if (!isStruct(raw)) return raw;
  const unwrapped = unwrap(raw);
  if (unwrapped !== undefined) return unwrapped;
  const plain: Record<string, Raw> = Object.create(null);
  for (const name in raw) plain[name] = plainDocument(raw[name] ?? null);
  return plain;
};

const unwrap = (wrapper: RawStruct): Raw | undefined => {
  const [name, ...more] = Object.keys(wrapper);
  const value = name === undefined ? undefined : wrapper[name];
  if (name === undefined || value === undefined || more.length > 0 || name.charCodeAt(0) !== DOLLAR) return undefined;
  switch (name) {
    case "$numberLong":
    case "$numberInt":
      return integer(value);
    case "$numberDouble":
      return double(value);
    case "$numberDecimal": // stays text, as all decimals
    case "$oid":
    case "$uuid":
    case "$symbol":
      return markText(textOf(value));
    case "$date":
      return instant(value);
    case "$undefined":
      return null;
    default:
      return undefined;
  }
};

const DOLLAR = 0x24;
const millisecond = timestamp(3);

const textOf = (raw: Raw): string => {
  const text = scalarText(raw);
  if (text === null) throw badValue("A value of Extended JSON is not text.");
  return text;
};

const integer = (raw: Raw): Raw => {
  const text = textOf(raw);
  if (!/^-?\d{1,19}$/.test(text)) throw badValue("A whole number of Extended JSON is none.");
  return Number.isSafeInteger(Number(text)) ? Number(text) : markNumber(text);
};

const double = (raw: Raw): Raw => {
  const text = textOf(raw);
  const number = Number(text);
  return Number.isFinite(number) && text.trim() !== "" ? number : markText(text);
};

/** Milliseconds since 1970, as a number or wrapped; or the text that relaxed Extended JSON has for years 1970 to 9999. */
const instant = (raw: Raw): Raw => {
  const number = isStruct(raw) ? unwrap(raw) : raw;
  if (typeof number === "string" && numberText(number) === null) return number;
  const text = millisecond(number ?? null);
  return text === null ? null : `${text}Z`;
};
