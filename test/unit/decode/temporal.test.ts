import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DecodeError } from "../../../src/decode/decode-error.ts";
import { markNumber, type Raw } from "../../../src/decode/raw.ts";
import { date, iso, time, timestamp, zoned } from "../../../src/decode/temporal.ts";

const raw = (number: bigint): Raw =>
  Number.isSafeInteger(Number(number)) ? Number(number) : markNumber(String(number));

describe("dates and times", () => {
  test("days agree with Date over its whole range", () => {
    fc.assert(
      fc.property(fc.integer({ min: -100_000_000, max: 100_000_000 }), (days) => {
        expect(date(days)).toBe(new Date(days * 86_400_000).toISOString().replace(/T.*/, ""));
      }),
    );
  });

  test("milliseconds agree with Date, also before 1970", () => {
    fc.assert(
      fc.property(fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 }), (ms) => {
        expect(timestamp(3)(ms)).toBe(new Date(ms).toISOString().replace("Z", ""));
      }),
    );
  });

  test("micro- and nanoseconds keep every digit, also beyond 2^53", () => {
    expect(timestamp(6)(raw(253402300799999999n))).toBe("9999-12-31T23:59:59.999999");
    expect(timestamp(6)(-1)).toBe("1969-12-31T23:59:59.999999");
    expect(timestamp(9)(raw(1718454896789012300n))).toBe("2024-06-15T12:34:56.789012300");
    expect(timestamp(9)(raw(-9007199254740993n))).toBe("1969-09-18T18:00:00.745259007");
  });

  test("infinite timestamps are null in every unit", () => {
    for (const text of ["9223372036825200", "-9223372036832400"]) expect(timestamp(3)(markNumber(text))).toBeNull();
    for (const text of ["9223372036825200000", "-9223372036832400000"])
      expect(timestamp(6)(markNumber(text))).toBeNull();
    for (const text of ["9223372036854775807", "-9223372036854775808"])
      expect(timestamp(9)(markNumber(text))).toBeNull();
    expect([zoned("infinity"), zoned("-infinity"), iso("infinity")]).toEqual([null, null, null]);
  });

  test("a time is signed and may exceed a day", () => {
    expect(time(6)(86_400_000_000)).toBe("24:00:00.000000");
    expect(time(6)(3_020_399_000_000)).toBe("838:59:59.000000");
    expect(time(6)(-1_500_000)).toBe("-00:00:01.500000");
    expect(time(3)(45_296_789)).toBe("12:34:56.789");
  });

  test("isostring's Z is decoration and goes; a real zone stays", () => {
    expect([iso("2024-02-29Z"), iso("12:34:56.789Z"), zoned("2024-06-15T10:34:56+02:00")]).toEqual([
      "2024-02-29",
      "12:34:56.789",
      "2024-06-15T10:34:56+02:00",
    ]);
  });

  test("what is no date is refused", () => {
    for (const wrong of ["2024-02-29", 1.5, 2 ** 40, true, markNumber("9".repeat(30))]) {
      expect(() => date(wrong)).toThrow(DecodeError);
    }
    expect(() => timestamp(6)(markNumber("9".repeat(30)))).toThrow(DecodeError);
    expect(() => time(6)(0.5)).toThrow(DecodeError);
    expect(() => zoned(5)).toThrow(DecodeError);
  });
});
