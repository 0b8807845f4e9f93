/** Exact decimal arithmetic on text: amounts of money never pass through a floating-point number. */

/**
 * The number rounded to `digits` places behind the point, ties away from zero (Java's HALF_UP, SQL's ROUND), always
 * with all places: ("2.675", 2) is "2.68", ("-0.004", 2) is "0.00". Null when the text is no finite number, or has
 * more than 400 digits.
 */
export const roundDecimal = (text: string, digits: number): string | null => {
  const number = parse(text);
  if (number === null) return null;
  const scaled = shift(number.significand, digits - number.places);
  const padded = scaled.toString().padStart(digits + 1, "0");
  const point = padded.length - digits;
  const magnitude = digits === 0 ? padded : `${padded.slice(0, point)}.${padded.slice(point)}`;
  return number.negative && scaled > 0n ? `-${magnitude}` : magnitude;
};

/** The whole number that `12`, `12.00` or `1.2e1` is; null where anything stands behind the point. */
export const wholeNumber = (text: string): string | null => {
  const number = parse(text);
  if (number === null) return null;
  const hasFraction = number.places > 0 && number.significand % 10n ** BigInt(number.places) !== 0n;
  return hasFraction ? null : roundDecimal(text, 0);
};

/** `.5`, `5.`, `-1` and `1E+3` are numbers; `NaN`, `1,000` and the empty text are not. */
const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;
/** Beyond it the text is no amount, and BigInt would grow slow. */
const DIGITS_MAX = 400;

/** The magnitude is `significand` times ten to the power of `-places`. */
const parse = (text: string): { negative: boolean; significand: bigint; places: number } | null => {
  const match = text.length > DIGITS_MAX ? null : DECIMAL.exec(text);
  if (match === null) return null;
  const [, sign, whole = "", fraction = "", exponent = "0"] = match;
  const places = fraction.length - Number(exponent);
  if (whole + fraction === "" || Math.abs(places) > DIGITS_MAX) return null;
  return { negative: sign === "-", significand: BigInt(whole + fraction), places };
};

const shift = (significand: bigint, power: number): bigint => {
  if (power >= 0) return significand * 10n ** BigInt(power);
  const divisor = 10n ** BigInt(-power);
  return (significand * 2n + divisor) / (divisor * 2n);
};
