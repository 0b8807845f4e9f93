import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { plain } from "../../../src/decode/column.ts";
import { DecodeError } from "../../../src/decode/decode-error.ts";
import { parseExactJson } from "../../../src/decode/exact-json.ts";

/** As a row would show it. */
const valueOf = (text: string) => plain(parseExactJson(text) as never);

const reasonOf = (text: string): string => {
  try {
    parseExactJson(text);
    return "parsed";
  } catch (error) {
    return error instanceof DecodeError ? error.reason : "another error";
  }
};

describe("exact JSON", () => {
  test("integers are numbers up to 2^53-1 and text beyond", () => {
    expect(valueOf("[9007199254740991,-9007199254740991,9007199254740992,9007199254740993,-9007199254740993]")).toEqual(
      [9007199254740991, -9007199254740991, "9007199254740992", "9007199254740993", "-9007199254740993"],
    );
  });

  test("every 64-bit integer keeps its digits", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (integer) => {
        expect(String(valueOf(`{"id": ${integer} }`.replace(/^\{"id": (.*) \}$/, "$1")))).toBe(String(integer));
      }),
    );
  });

  test("doubles are doubles; a decimal that no double holds stays text", () => {
    expect(valueOf("[0.1,0.30000000000000004,1.0E38,-1e-7,12345678901234567.89]")).toEqual([
      0.1,
      0.30000000000000004,
      1e38,
      -1e-7,
      "12345678901234567.89",
    ]);
  });

  test("agrees with JSON.parse on everything but integers beyond 2^53", () => {
    const rounded = (_name: string, value: unknown) =>
      typeof value === "string" && /^-?\d{16,}$/.test(value) ? Number(value) : value;
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        expect(JSON.stringify(valueOf(text), rounded)).toBe(JSON.stringify(JSON.parse(text), rounded));
      }),
    );
  });

  test("refuses what JSON.parse refuses, whatever stands around a long number", () => {
    const fragment = fc.constantFrom(
      "12345678901234567890",
      "-",
      '"',
      "\\",
      "{",
      "}",
      "[",
      "]",
      ":",
      ",",
      "1",
      "e",
      ".",
      " ",
      '"\\u0000a"',
    );
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 8 }), (fragments) => {
        const text = fragments.join("");
        let strict = "parsed";
        try {
          JSON.parse(text);
        } catch {
          strict = "invalid-json";
        }
        expect(reasonOf(text)).toBe(strict);
      }),
      { numRuns: 2_000 },
    );
  });

  test("text that looks like a marked number stays text", () => {
    expect(valueOf('["\\u000012345","\\u0000","\\u0000\\u0000x","12345678901234567890"]')).toEqual([
      "\u000012345",
      "\u0000",
      "\u0000\u0000x",
      "12345678901234567890",
    ]);
    expect(valueOf('{"\\u0000name":1}')).toEqual({ "\u0000name": 1 });
  });

  test("digits inside strings, escapes and lone surrogates are left alone", () => {
    expect(
      valueOf('["a 12345678901234567890 \\" 99999999999999999999","\\\\",12345678901234567890,"\\ud800"]'),
    ).toEqual(['a 12345678901234567890 " 99999999999999999999', "\\", "12345678901234567890", "\ud800"]);
  });

  test("the last of duplicate names wins, and __proto__ is only a name", () => {
    expect(valueOf('{"a":1,"a":12345678901234567890}')).toEqual({ a: "12345678901234567890" });
    const row = valueOf('{"__proto__":{"admin":true}}') as { admin?: unknown };
    expect(row.admin).toBeUndefined();
    expect(Object.keys(row)).toEqual(["__proto__"]);
  });

  test("NaN, comments and single quotes are not JSON; 100 levels are, 101 are not", () => {
    for (const text of [
      "{12345678901234567890:1}",
      "NaN",
      "[NaN]",
      "{'a':1}",
      "[1] // one",
      "",
      "[1,]",
      "01",
      "\ufeff1",
    ])
      expect(reasonOf(text)).toBe("invalid-json");
    expect(reasonOf("[".repeat(100) + "]".repeat(100))).toBe("parsed");
    expect(reasonOf("[".repeat(101) + "]".repeat(101))).toBe("invalid-json");
  });
});
