import { describe, expect, test } from "vitest";
import { lookAt } from "../../../src/init/look.ts";
import { aPosition, aRecord } from "../../support/builders.ts";

const bytes = (value: unknown): Buffer | null =>
  value === null ? null : Buffer.from(typeof value === "string" ? value : JSON.stringify(value));

/** Records of key and value; text as it is. */
const look = (records: readonly (readonly [key: unknown, value: unknown])[], isNamed = false) =>
  lookAt(
    { topic: "t", isNamed, wanted: null },
    records.map(([key, value], at) =>
      aRecord({ position: aPosition({ topic: "t", offset: BigInt(at) }), key: bytes(key), value: bytes(value) }),
    ),
    null,
  );

const anEnvelope = (after: object, table = "customers") => ({
  ...{ op: "c", before: null, after },
  source: { connector: "postgresql", schema: "sales", table, lsn: 7 },
});

const columnsOf = async (...rows: readonly object[]) => {
  const looked = await look(rows.map((row) => [{ id: 1 }, anEnvelope(row)]));
  if ("why" in looked) throw new Error(looked.why);
  return Object.fromEntries(looked.columns.map(({ name, ...column }) => [name, column]));
};

test("an envelope tells format, table and key", async () => {
  expect(await look([[{ id: 1 }, anEnvelope({ id: 1, name: "Nordlicht" })]])).toMatchObject({
    ...{ format: "debezium-json", table: "sales.customers", key: ["id"], records: 1, isUnverified: false },
  });
});

describe("what a column holds is told by its values", () => {
  test.each<[string, readonly unknown[], object]>([
    ["text", ["a", null, "12"], { kind: "text" }],
    ["only nulls", [null, null], { kind: "empty" }],
    ["whole numbers", [1, 2], { kind: "integer" }],
    ["numbers, some whole", [1, 2.505], { kind: "decimal", digits: 3 }],
    ["amounts as text, which need a hint", ["12.50", "3.00"], { kind: "decimal", digits: 2, numberHint: "text" }],
    ["amounts as bytes, which need another", ["Yag=", "MDk="], { kind: "text", numberHint: "decimal(2)" }],
    ["days as a count", [20_100, 20_101], { kind: "integer", dateHint: "date" }],
    ["instants as a count", [1_764_000_000_000], { kind: "integer", dateHint: "timestamp" }],
    ["days as text", ["2026-01-05"], { kind: "date" }],
    ["instants as text", ["2026-01-05T08:00:00Z", "2026-01-05T09:00:00Z"], { kind: "timestamp" }],
    ["flags", [true, false], { kind: "flag" }],
    ["lists", [["a"]], { kind: "list" }],
    ["of several kinds", ["a", 1], { kind: "text" }],
    ["phone numbers", ["+49 30 901820", "030 901820", "+43 1 58858"], { kind: "text", country: "DE" }],
  ])("%s", async (_, values, column) => {
    expect(await columnsOf(...values.map((value) => ({ it: value })))).toMatchObject({ it: column });
  });

  test("and no value is kept", async () => {
    const looked = await look([[{ id: 1 }, anEnvelope({ id: 1, name: "canary-value" })]]);
    expect(JSON.stringify(looked)).not.toContain("canary-value");
  });
});

test.each<[string, readonly (readonly [unknown, unknown])[], object]>([
  ["a flattened row", [[{ id: 1 }, { id: 1, __op: "c" }]], { format: "debezium-json-flattened" }],
  ["a key that is a bare number", [[7, anEnvelope({ branch: 1, customer_no: 7 })]], { key: ["customer_no"] }],
  [
    "a key that is bare text",
    [["C-7", anEnvelope({ name: "N", matchcode: "C-7" })]],
    { keyEncoding: "text", key: ["matchcode"] },
  ],
  ["no key", [[null, anEnvelope({ id: 1 })]], { key: [] }],
  [
    "tombstones among records",
    [
      [{ id: 1 }, anEnvelope({ id: 1 })],
      [{ id: 1 }, null],
    ],
    { key: ["id"] },
  ],
])("%s", async (_, records, looked) => {
  expect(await look(records)).toMatchObject(looked);
});

const maxwell = { type: "insert", database: "shop", table: "customers", ts: 1, data: { id: 1 } };

test.each<[string, readonly (readonly [unknown, unknown])[], RegExp]>([
  ["nothing", [], /^is empty/],
  ["bytes of neither kind", [["k", "hello"]], /neither JSON nor Avro/],
  ["Avro without a registry", [["k", "\0\0\0\0\u0001abc"]], /schemaRegistry\.url/],
  ["plain rows", [[{ id: 1 }, { id: 1, name: "N" }]], /^does not look like change data; --topic t takes it/],
  [
    "rows of several tables",
    [
      ["a", anEnvelope({ id: 1 })],
      ["b", anEnvelope({ id: 1 }, "orders")],
    ],
    /several tables/,
  ],
  ["a format known from documents", [[{ id: 1 }, maxwell]], /known from documents only; --topic t takes it/],
])("%s is left out, with the reason", async (_, records, why) => {
  expect(await look(records)).toEqual({ why: expect.stringMatching(why) });
});

test("what somebody named is taken all the same", async () => {
  expect(await look([[{ id: 1 }, { id: 1, name: "N" }]], true)).toMatchObject({ format: "json", key: ["id"] });
  expect(await look([[{ id: 1 }, maxwell]], true)).toMatchObject({ format: "maxwell", isUnverified: true });
});
