import { describe, expect, test } from "vitest";
import type { ColumnValue } from "../../../src/domain/change.ts";
import { anUpdateTo, errantOf, mutationOf } from "./builders.ts";

const written = (expression: unknown, value: ColumnValue) =>
  mutationOf({ fields: { "custom_fields.x": expression } }, anUpdateTo({ a: value })).fields["custom_fields"];

const refused = (expression: unknown, value: ColumnValue) =>
  errantOf({ fields: { "custom_fields.x": expression } }, anUpdateTo({ a: value })).reason;

const zoned = (to: string) => ({ date: { zone: "Europe/Berlin", to } });

describe("a field expression writes", () => {
  test.each<[string, unknown, ColumnValue, unknown]>([
    ["a plain column", "a", "N", "N"],
    ["text without CHAR padding, blanks in front kept", "a", " N  ", " N"],
    ["a number as a number", "a", 1.5, 1.5],
    ["a boolean as a boolean", "a", false, false],
    ["a list as a list", "a", ["x", "y"], ["x", "y"]],
    ["a constant", { value: ["erp", "b2b"] }, "N", ["erp", "b2b"]],
    ["null as a constant", { value: null }, "N", null],
    ["a template", { template: "Order ${a} of ${id}" }, "A1 ", "Order A1 of 7"],
    ["null for a template with a null part", { template: "Order ${a}" }, null, null],
    ["trimmed text", { from: "a", transform: "trim" }, "\t N \n", "N"],
    ["lower case", { from: "a", transform: "lowercase" }, "ÄB", "äb"],
    ["upper case", { from: "a", transform: "uppercase" }, "äb", "ÄB"],
    [
      "steps in their order",
      { from: "a", transform: [{ split: "," }, "uppercase", { join: "+" }] },
      "a, b,,c",
      "A+B+C",
    ],
    ["a list cut from text", { from: "a", transform: { split: ";" } }, " x ;; y", ["x", "y"]],
    ["a national phone number as E.164", { from: "a", transform: { phone: "DE" } }, "030 / 901820", "+4930901820"],
    ["a phone number from a numeric column", { from: "a", transform: { phone: "DE" } }, 30901820, "+4930901820"],
    ["an international phone number", { from: "a", transform: { phone: "DE" } }, "0043 1 5861280", "+4315861280"],
    ["what is no phone number as it is", { from: "a", transform: { phone: "DE" } }, "ask Anna", "ask Anna"],
    ["the day of a zone-less time stamp", { from: "a", transform: zoned("date") }, "2026-02-28T23:30:00", "2026-02-28"],
    [
      "the ERP's day of a zoned time stamp",
      { from: "a", transform: zoned("date") },
      "2026-02-28T23:30:00Z",
      "2026-03-01",
    ],
    [
      "a summer time stamp in UTC",
      { from: "a", transform: zoned("datetime") },
      "2026-07-01T12:00:00.123456",
      "2026-07-01T10:00:00Z",
    ],
    [
      "a winter time stamp in UTC",
      { from: "a", transform: zoned("datetime") },
      "2026-01-01 12:00:00",
      "2026-01-01T11:00:00Z",
    ],
    ["a date without hyphens", { from: "a", transform: zoned("date") }, "20260228", "2026-02-28"],
    ["a decimal", { from: "a", as: "decimal(2)" }, "12.345", "12.35"],
    ["an integer from decimal text", { from: "a", as: "integer" }, "12.00", 12],
    ["a large integer as text", { from: "a", as: "integer" }, "9007199254740993", "9007199254740993"],
    ["text of a number", { from: "a", as: "string" }, 12, "12"],
    ["a boolean of 1", { from: "a", as: "boolean" }, 1, true],
    ["a boolean of N", { from: "a", as: "boolean" }, "N ", false],
    ["what the lookup table says", { from: "a", values: { A: "current", 1: "past" } }, 1, "past"],
    ["null where the table says null", { from: "a", values: { A: null }, default: "d" }, "A", null],
    ["the default for a value not listed", { from: "a", values: { A: "current" }, default: "none" }, "Z", "none"],
    ["the default for null", { from: "a", default: 0 }, null, 0],
    ["the default converted like a value", { from: "a", default: 0, as: "decimal(2)" }, null, "0.00"],
    ["null without default", { from: "a", as: "integer", values: { A: 1 } }, null, null],
    ["a list looked up element by element", { from: "a", values: { x: 1, y: 2 } }, ["y", null, "x"], [2, null, 1]],
  ])("%s", (_, expression, value, expected) => {
    expect(written(expression, value)).toEqual({ x: expected });
  });
});

describe("a record is errant for", () => {
  test.each<[string, unknown, ColumnValue, string]>([
    ["bytes", "a", { $base64: "AA==" }, "bad-value"],
    ["a bit string", "a", { $bits: "101" }, "bad-value"],
    ["an interval", { from: "a" }, { $micros: "1" }, "bad-value"],
    ["bytes inside a list", "a", [{ $base64: "AA==" }], "bad-value"],
    ["a number JSON cannot hold", "a", Number.NaN, "bad-value"],
    ["a structure inside a template", { template: "x ${a}" }, { x: 1 }, "bad-value"],
    ["text that is no decimal", { from: "a", as: "decimal(2)" }, "12,50", "bad-value"],
    ["NaN that is no decimal", { from: "a", as: "decimal(2)" }, "NaN", "bad-value"],
    ["a boolean that is no decimal", { from: "a", as: "decimal(2)" }, true, "bad-value"],
    ["a fraction that is no integer", { from: "a", as: "integer" }, "12.5", "bad-value"],
    ["text that is no boolean", { from: "a", as: "boolean" }, "maybe", "bad-value"],
    ["a list that is no text", { from: "a", as: "string" }, [{ x: 1 }], "bad-value"],
    ["text that is no date", { from: "a", transform: zoned("date") }, "soon", "bad-value"],
    ["a day that does not exist", { from: "a", transform: zoned("date") }, "2026-02-30", "bad-value"],
    ["a time of day, which has no date", { from: "a", transform: zoned("datetime") }, "12:00:00", "bad-value"],
    ["an undecoded epoch, which has no date", { from: "a", transform: zoned("date") }, 1772236800000000, "bad-value"],
    ["a value that the table does not list", { from: "a", values: { A: "current" } }, "Z", "value-not-listed"],
    [
      "a value named like a property of every object",
      { from: "a", values: { A: "x" } },
      "constructor",
      "value-not-listed",
    ],
  ])("%s", (_, expression, value, reason) => {
    expect(refused(expression, value)).toBe(reason);
  });
});
