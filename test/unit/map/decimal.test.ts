import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { roundDecimal, wholeNumber } from "../../../src/map/decimal.ts";

describe("roundDecimal", () => {
  test.each([
    ["2.675", 2, "2.68"],
    ["1.005", 2, "1.01"],
    ["2.674999", 2, "2.67"],
    ["-2.675", 2, "-2.68"],
    ["-0.004", 2, "0.00"],
    ["999.995", 2, "1000.00"],
    ["5", 2, "5.00"],
    [".5", 0, "1"],
    ["5.", 1, "5.0"],
    ["+007", 0, "7"],
    ["1E+3", 1, "1000.0"],
    ["1.5e-3", 3, "0.002"],
    ["99999999999999999999999999999999999999.995", 2, "100000000000000000000000000000000000000.00"],
  ])("of %s to %i places is %s", (text, digits, expected) => {
    expect(roundDecimal(text, digits)).toBe(expected);
  });

  test.each(["", ".", "-", "e5", "NaN", "Infinity", "1,000", "0x10", "1 2", "1e99999", "1e401", "9".repeat(401)])(
    "of %j is null",
    (text) => {
      expect(roundDecimal(text, 2)).toBeNull();
    },
  );
});

/** A decimal of up to 38 digits as [unscaled, scale, text], built without the code under test. */
const decimals = fc
  .tuple(fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }), fc.integer({ min: 0, max: 38 }))
  .map(([unscaled, scale]) => {
    const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, "0");
    const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
    return { unscaled, scale, text: unscaled < 0n ? `-${text}` : text };
  });

const unscaledOf = (text: string): bigint => BigInt(text.replace(".", ""));

test("a decimal at its own scale comes out as it went in", () => {
  fc.assert(fc.property(decimals, ({ text, scale }) => roundDecimal(text, scale) === text));
});

test("the result has all places and lies within half a unit of the exact value, ties away from zero", () => {
  fc.assert(
    fc.property(decimals, fc.integer({ min: 0, max: 30 }), ({ text, unscaled, scale }, digits) => {
      const result = roundDecimal(text, digits) ?? "";
      expect(result.split(".")[1]?.length ?? 0).toBe(digits);
      // Both sides times 10^(scale + digits): no division, no rounding in the oracle.
      const twiceError = 2n * (unscaledOf(result) * 10n ** BigInt(scale) - unscaled * 10n ** BigInt(digits));
      const unit = 10n ** BigInt(scale);
      expect(twiceError <= unit && twiceError >= -unit).toBe(true);
      if (twiceError === unit) expect(unscaled > 0n).toBe(true);
      if (twiceError === -unit) expect(unscaled < 0n).toBe(true);
    }),
  );
});

test("a whole number is one whatever its notation, a fraction never", () => {
  expect(["12", "12.00", "1.2e1", "0.0", "1200e-2"].map(wholeNumber)).toEqual(["12", "12", "12", "0", "12"]);
  expect(["12.5", "1e-1", "x", ""].map(wholeNumber)).toEqual([null, null, null, null]);
});
