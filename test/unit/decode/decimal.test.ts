import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decimalFromBytes, decimalFromText } from "../../../src/decode/decimal.ts";
import { DecodeError } from "../../../src/decode/decode-error.ts";

/** Java's `BigInteger.toByteArray`: the shortest two's complement. */
const twosComplement = (unscaled: bigint): Buffer => {
  let size = 1;
  while (BigInt.asIntN(8 * size, unscaled) !== unscaled) size++;
  return Buffer.from(
    BigInt.asUintN(8 * size, unscaled)
      .toString(16)
      .padStart(2 * size, "0"),
    "hex",
  );
};

/** Written apart from the code under test: by arithmetic, not by cutting text. */
const expected = (unscaled: bigint, scale: number): string => {
  const size = unscaled < 0n ? -unscaled : unscaled;
  const unit = 10n ** BigInt(scale);
  const fraction = scale === 0 ? "" : `.${String((size % unit) + unit).slice(1)}`;
  return `${unscaled < 0n ? "-" : ""}${size / unit}${fraction}`;
};

const anUnscaled = fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n });
const aScale = fc.integer({ min: 0, max: 38 });

describe("decimals", () => {
  test.each([
    ["EtaH", 2, "12345.67"],
    ["/w==", 2, "-0.01"],
    ["AIA=", 2, "1.28"],
    ["AA==", 2, "0.00"],
    ["SztMqFqGxHoJiiI//////w==", 0, "99999999999999999999999999999999999999"],
    ["MDk=", -2, "1234500"],
    ["AA==", -2, "0"],
  ])("%s at scale %i is %s", (base64, scale, text) => {
    expect(decimalFromBytes(Buffer.from(base64, "base64"), scale)).toBe(text);
  });

  test("every decimal of up to 38 digits comes back at its scale", () => {
    fc.assert(
      fc.property(anUnscaled, aScale, (unscaled, scale) => {
        expect(decimalFromBytes(twosComplement(unscaled), scale)).toBe(expected(unscaled, scale));
      }),
      {
        examples: [47n, 48n, 53n, 55n, 63n].flatMap(
          (bits) =>
            [
              [2n ** bits - 1n, 2],
              [-(2n ** bits) - 1n, 2],
            ] as [bigint, number][],
        ),
      },
    );
  });

  test("the same decimal as JSON text gives the same text", () => {
    fc.assert(
      fc.property(anUnscaled, aScale, fc.integer({ min: 0, max: 38 }), (unscaled, scale, more) => {
        expect(decimalFromText(expected(unscaled, scale), scale + more)).toBe(
          expected(unscaled * 10n ** BigInt(more), scale + more),
        );
      }),
    );
  });

  test.each([
    ["12.3", 2, "12.30"],
    ["1.0E38", 0, `1${"0".repeat(38)}`],
    ["1E-2", 2, "0.01"],
    ["12.30", 1, "12.3"],
    ["-0.0", 1, "0.0"],
    ["0.004", 3, "0.004"],
  ])("number %s at scale %i is %s", (number, scale, text) => {
    expect(decimalFromText(number, scale)).toBe(text);
  });

  test("what does not fit is refused, never rounded", () => {
    expect(() => decimalFromText("1.234", 2)).toThrow(DecodeError);
    expect(() => decimalFromText("NaN", 2)).toThrow(DecodeError);
    expect(() => decimalFromText("1e999999999", 2)).toThrow(DecodeError);
    expect(() => decimalFromBytes(Buffer.alloc(0), 2)).toThrow(DecodeError);
    expect(() => decimalFromBytes(Buffer.from([1]), 2 ** 31)).toThrow(DecodeError);
  });
});
