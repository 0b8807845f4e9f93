import { describe, expect, test } from "vitest";
import { aRecord, changesOf, decoderOf, reasonOf } from "./support.ts";

const decode = decoderOf({ format: "canal" });

const aMessage = (members: object): string =>
  JSON.stringify({ database: "shop", table: "items", pkNames: ["id"], isDdl: false, es: 5, ...members });

describe("canal", () => {
  test("a statement is one change a row, and a changed key is two", () => {
    const data = [
      { id: "1", name: "a" },
      { id: "3", name: "b" },
    ];
    const text = aMessage({ type: "UPDATE", data, old: [{ name: "x" }, { id: "2" }] });
    expect(changesOf(decode(aRecord(text, null)))).toMatchObject([
      { op: "u", key: { id: "1" }, before: { id: "1", name: "x" }, table: "shop.items", sourceTsMs: 5 },
      { op: "d", key: { id: "2" }, before: { id: "2", name: "b" }, after: null },
      { op: "c", key: { id: "3" }, before: null, after: { id: "3", name: "b" } },
    ]);
  });

  test.each([
    ["date", "2024-02-29", "2024-02-29"],
    ["timestamp", "2024-06-15 12:34:56", "2024-06-15T12:34:56"],
    ["microTimestamp", "2024-06-15T12:34:56.789012", "2024-06-15T12:34:56.789012"],
    ["time", "-838:59:59", "-838:59:59"],
    ["date", "0000-00-00", null],
    ["timestamp", "0000-00-00 00:00:00", null],
    ["date", "soon", "bad-value"],
    ["date", "2024-06-15 12:34:56", "bad-value"],
    ["timestamp", "2024-06-15", "bad-value"],
  ])("a hinted %s may be text: %s is %s", (hint, text, wanted) => {
    const decoded = decoderOf({ format: "canal", hints: { at: hint } })(
      aRecord(aMessage({ type: "INSERT", data: [{ id: "7", at: text }], old: null }), null),
    );
    expect(decoded.status === "changes" ? changesOf(decoded)[0]?.after?.at : reasonOf(decoded)).toBe(wanted);
  });

  test("a hinted number that is text is a number, though it could be base64", () => {
    const hinted = decoderOf({ format: "canal", hints: { total: "decimal(2)", id: "int64" } });
    const text = aMessage({ type: "INSERT", data: [{ id: "7", total: "1234", note: "1.0" }], old: null });
    expect(changesOf(hinted(aRecord(text, null)))).toMatchObject([
      { op: "c", key: { id: 7 }, after: { id: 7, total: "1234.00", note: "1.0" } },
    ]);
  });

  test("a deleted row is the one before", () => {
    const text = aMessage({ type: "DELETE", data: [{ id: "1" }], old: null });
    expect(changesOf(decode(aRecord(text, null)))).toMatchObject([
      { op: "d", key: { id: "1" }, before: { id: "1" }, after: null },
    ]);
  });

  test.each([
    ["truncate", aMessage({ type: "TRUNCATE", isDdl: true, data: null })],
    ["schema-change", aMessage({ type: "ALTER", isDdl: true, data: null })],
    ["unknown-op", aMessage({ type: "MERGE", data: [] })],
    ["missing-after", aMessage({ type: "INSERT", data: null })],
    ["shape-mismatch", aMessage({ type: "INSERT", data: ["row"] })],
    ["shape-mismatch", '{"id":1}'],
  ])("%s", (reason, value) => {
    expect(reasonOf(decode(aRecord(value, null)))).toBe(reason);
  });
});
