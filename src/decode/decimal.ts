/** Decimals as exact text at their scale: money never becomes a double. */
import { badValue } from "./decode-error.ts";

/** PostgreSQL's NUMERIC ends at 131,072 digits, which are 54,424 bytes. */
const MAX_BYTES = 65_536;
const MAX_SCALE = 20_000;
const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/**
 * An unscaled big-endian two's complement number, as Connect's Decimal has it, as text: `12 D6 87` at scale 2 is
 * `"12345.67"`. A negative scale appends zeros. Throws DecodeError `bad-value`.
 */
export const decimalFromBytes = (unscaled: Uint8Array, scale: number): string => {
  checkScale(scale);
  const size = unscaled.length;
  if (size === 0 || size > MAX_BYTES) throw badValue(`A decimal has ${size} bytes; 1 to ${MAX_BYTES} are possible.`);
  const number = size <= 6 ? smallInteger(unscaled) : bigInteger(unscaled);
  const digits = String(number);
  return number < 0 ? point("-", digits.slice(1), scale) : point("", digits, scale);
};

/**
 * A number's text at a scale, as JSON has it with `decimal.format=NUMERIC`: `12.3` at scale 2 is `"12.30"`. Digits beyond
 * the scale are a misfit, never rounded away. Throws DecodeError `bad-value`.
 */
export const decimalFromText = (text: string, scale: number): string => {
  checkScale(scale);
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = NUMBER.exec(text) ?? [];
  if (whole === "") throw badValue("A decimal is not a number.");
  const zeros = scale - (fraction.length - Number(exponent));
  if (Math.abs(zeros) > MAX_SCALE) throw badValue(`A decimal's exponent ${exponent} is out of bounds.`);
  const digits = whole + fraction;
  if (zeros >= 0) return point(sign, digits + "0".repeat(zeros), scale);
  if (/[^0]/.test(digits.slice(zeros))) throw badValue(`A decimal has more than ${scale} digits after its point.`);
  return point(sign, digits.slice(0, zeros), scale);
};

/** A scale that decimals are written at. */
export const isScale = (scale: number): boolean => Number.isInteger(scale) && Math.abs(scale) <= MAX_SCALE;

const checkScale = (scale: number): void => {
  if (!isScale(scale)) throw badValue("A decimal's scale is out of bounds.");
};

const point = (sign: string, unscaled: string, scale: number): string => {
  const digits = unscaled.replace(/^0+(?=.)/, "") || "0";
  const signed = /[^0]/.test(digits) ? sign : "";
  if (scale === 0) return signed + digits;
  if (scale < 0) return digits === "0" ? "0" : signed + digits + "0".repeat(-scale);
  const padded = digits.padStart(scale + 1, "0");
  return `${signed}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
};

/** At most 48 bits fit a double: nearly every amount of money takes this way. */
const smallInteger = (bytes: Uint8Array): number => {
  let number = 0;
  for (const byte of bytes) number = number * 256 + byte;
  return isNegative(bytes) ? number - 2 ** (8 * bytes.length) : number;
};

const bigInteger = (bytes: Uint8Array): bigint => {
  const number = BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")}`);
  return isNegative(bytes) ? number - (1n << BigInt(8 * bytes.length)) : number;
};

const isNegative = (bytes: Uint8Array): boolean => (bytes[0] ?? 0) >= 0x80;
