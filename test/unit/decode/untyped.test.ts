/** Columns that nothing gives a type: an amount must never be written as its own base64, nor base64 be read as an amount. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TopicFormat } from "../../../src/decode/decoder.ts";
import type { ColumnUse } from "../../../src/decode/untyped.ts";
import { aRecord, changeOf, decoderOf, reasonOf } from "./support.ts";

/** An envelope with one column `c`, read by the mapping as `use`. */
const decode = (use: ColumnUse, c: unknown, format: Partial<TopicFormat> = {}) => {
  const value = { op: "c", before: null, after: { id: 1, c }, source: {} };
  return decoderOf({ format: "debezium-json", uses: new Map([["c", use]]), ...format })(aRecord(JSON.stringify(value)));
};
const outcome = (use: ColumnUse, c: unknown, format?: Partial<TopicFormat>) => {
  const decoded = decode(use, c, format);
  return decoded.status === "changes" ? changeOf(decoded).after?.["c"] : reasonOf(decoded);
};

const base64Of = (unscaled: bigint): string => {
  let hex = (unscaled < 0n ? -unscaled : unscaled).toString(16);
  hex = hex.padStart(hex.length + (hex.length % 2), "0");
  return Buffer.from(hex, "hex").toString("base64");
};

describe("as a number", () => {
  test.each(["Yag=", "EtaH", "1234", "12.50", "n/a", { scale: 2, value: "MDk=" }])("%j is refused", (c) => {
    expect(outcome("number", c)).toBe("bad-value");
  });

  test.each([0, 12.5, -7, null])("%j is what it is: a number of JSON needs no type", (c) => {
    expect(outcome("number", c)).toBe(c);
  });

  test("a hint says what it is", () => {
    expect(outcome("number", "1234", { hints: { c: "decimal(2)" } })).toBe("-26588.24");
    expect(outcome("number", "1234", { hints: { c: "text" } })).toBe("1234");
    expect(outcome("number", { scale: 2, value: "MDk=" }, { hints: { c: "varDecimal" } })).toBe("123.45");
  });

  test("no decimal passes as text or as another number, whatever its value", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 38n }), (unscaled) => {
        expect(outcome("number", base64Of(unscaled))).toBe("bad-value");
      }),
    );
  });
});

describe("as a date", () => {
  test.each([19782, 20240131, 1718454896789])("%j is refused: its unit is not known", (c) => {
    expect(outcome("date", c)).toBe("bad-value");
  });

  test("text is what it is, and a hint says the unit", () => {
    expect(outcome("date", "2024-02-29")).toBe("2024-02-29");
    expect(outcome("date", 19782, { hints: { c: "date" } })).toBe("2024-02-29");
    expect(outcome("date", 20240131, { hints: { c: "int64" } })).toBe(20240131);
  });
});

describe("as anything else", () => {
  test.each(["Yag=", "AA==", { scale: 0, value: "A+k=" }])("%j is refused, since it can hardly be text", (c) => {
    expect(outcome("other", c)).toBe("bad-value");
  });

  test.each(["Nordlicht", "1234", "a=b", "=", "", { scale: 1 }])("%j is text", (c) => {
    expect(outcome("other", c)).toEqual(c);
  });
});

test("a schema is a type, also that of plain text", () => {
  const row = { type: "struct", fields: [{ type: "string", field: "c" }] };
  const schema = { type: "struct", fields: [{ ...row, field: "after" }] };
  const value = { schema, payload: { op: "c", after: { c: "1234" }, source: {} } };
  const decoder = decoderOf({ format: "debezium-json", uses: new Map([["c", "number"]]) });
  expect(changeOf(decoder(aRecord(JSON.stringify(value)))).after).toEqual({ c: "1234" });
});

test("a key that is a bare value is taken as it is; one in a struct is not", () => {
  const format: TopicFormat = { format: "json", keyColumns: ["c"], uses: new Map([["c", "number"]]) };
  expect(changeOf(decoderOf(format)(aRecord(null, '"1234"'))).key).toEqual({ c: "1234" });
  expect(reasonOf(decoderOf(format)(aRecord(null, '{"c":"1234"}')))).toBe("bad-value");
});

test("the refusal names column and hint, and no value", () => {
  expect(decode("number", "1234")).toMatchObject({
    errant: {
      message:
        'The record\'s value cannot be decoded. Column "c" cannot be decoded: it has no type, and its value may mean several things; give it one under "hints", like { "c": decimal(2) }, or text if it is written so.',
    },
  });
});
