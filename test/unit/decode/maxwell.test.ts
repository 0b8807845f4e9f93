import { describe, expect, test } from "vitest";
import { aRecord, changeOf, changesOf, decoderOf, reasonOf } from "./support.ts";

const decode = decoderOf({ format: "maxwell" });
const KEY = '{"database":"shop","table":"items","pk.id":5}';

const aDocument = (members: object): string =>
  JSON.stringify({ database: "shop", table: "items", type: "update", ts: 100, data: { id: 5, name: "a" }, ...members });

describe("maxwell", () => {
  test("tells the table and the seconds, and what an update changed stands in the row before", () => {
    expect(changeOf(decode(aRecord(aDocument({ old: { name: "b" } }), KEY)))).toMatchObject({
      op: "u",
      key: { id: 5 },
      before: { id: 5, name: "b" },
      after: { id: 5, name: "a" },
      table: "shop.items",
      sourceTsMs: 100_000,
    });
  });

  test("a changed key is a delete of the old one and an insert of the new one", () => {
    expect(changesOf(decode(aRecord(aDocument({ old: { id: 4 } }), KEY)))).toMatchObject([
      { op: "d", key: { id: 4 }, before: { id: 4, name: "a" }, after: null },
      { op: "c", key: { id: 5 }, before: null, after: { id: 5, name: "a" } },
    ]);
  });

  test.each([
    ['["shop","items",[{"id":5}]]', { id: 5 }],
    ['{"database":"shop","table":"items","_uuid":"9f"}', null],
  ])("the key %s is %j", (key, expected) => {
    expect(changeOf(decode(aRecord(aDocument({}), key))).key).toEqual(expected);
  });

  test("a key in lower case names the column as the row spells it", () => {
    const text = aDocument({ data: { ID: 5 }, old: { ID: 4 } });
    expect(changesOf(decode(aRecord(text, KEY))).map(({ key }) => key)).toEqual([{ ID: 4 }, { ID: 5 }]);
  });

  test("is versioned only with position and offset: the last row of a transaction has no offset", () => {
    const version = (members: object) => changeOf(decode(aRecord(aDocument(members), KEY))).version;
    expect(version({ position: "bin.000003:47", xoffset: 2 })).toEqual({
      kind: "binlog",
      parts: ["bin.000003", "47", "2", ""],
    });
    expect(version({ position: "bin.000003:47", commit: true })).toBeNull();
  });

  test.each([
    ["bootstrap", aDocument({ type: "bootstrap-start" })],
    ["schema-change", aDocument({ type: "table-alter" })],
    ["unknown-op", aDocument({ type: "upsert" })],
    ["missing-after", aDocument({ data: null })],
    ["shape-mismatch", '{"id":1}'],
  ])("%s", (reason, value) => {
    expect(reasonOf(decode(aRecord(value, KEY)))).toBe(reason);
  });
});
