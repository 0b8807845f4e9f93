import { describe, expect, test } from "vitest";
import { judge } from "../../../src/window/guard.ts";
import { aMutation } from "../../support/builders.ts";
import { aRecord, changeOf, decoderOf, reasonOf } from "./support.ts";

const decodeRow = (settings: object, row: object, key: string | null = null) =>
  changeOf(decoderOf({ format: "json", ...settings })(aRecord(JSON.stringify(row), key)));

describe("plain rows", () => {
  test("are upserts of the columns that are the key, before what the record key says", () => {
    const row = { id: 1, line: 2, name: "a" };
    expect(decodeRow({}, row)).toMatchObject({ op: "upsert", key: null, after: row, origin: "unknown" });
    expect(decodeRow({ keyColumns: ["id", "line"] }, row, '"1|2"').key).toEqual({ id: 1, line: 2 });
    expect(decodeRow({ keyColumns: ["no"] }, row, "17").key).toEqual({ no: 17 });
    expect(decodeRow({}, row, '{"id":1}').key).toEqual({ id: 1 });
  });

  test.each([
    [true, "d"],
    ["true", "d"],
    ["X", "d"],
    [false, "upsert"],
    [null, "upsert"],
    [undefined, "upsert"],
  ])("with the flag %j are %s", (gone, op) => {
    const deleteFlag = { column: "gone", values: [true, "X"] };
    const change = decodeRow({ deleteFlag, keyColumns: ["id"] }, { id: 1, gone });
    expect(change).toMatchObject({ op, key: { id: 1 } });
    expect(op === "d" ? change.before : change.after).toMatchObject({ id: 1 });
  });

  test("of one key are compared by their version columns; equal ones are written again", () => {
    const settings = { keyColumns: ["id"], versionColumns: ["changed", "rev"] };
    const verdictOn = (row: object) => {
      const [last, next] = [decodeRow(settings, { id: 1, changed: "2024-06-15", rev: 9 }), decodeRow(settings, row)];
      const known = { id: 7, deleted: false, route: "customers", fingerprint: null, acceptedAtMs: 0, from: "" };
      const { version, origin } = next;
      return judge(aMutation({ version, origin }), { ...known, version: last.version });
    };
    expect(verdictOn({ id: 1, changed: "2024-06-15", rev: 8 })).toBe("stale");
    expect(verdictOn({ id: 1, changed: "2024-06-14", rev: 10 })).toBe("stale");
    expect(verdictOn({ id: 1, changed: "2024-06-15", rev: 10 })).toBe("apply");
    expect(verdictOn({ id: 1, changed: "2024-06-15", rev: 9 })).toBe("apply");
    expect(verdictOn({ id: 1, changed: null, rev: 1 })).toBe("apply");
    expect(verdictOn({ id: 1, changed: "2024-06-1", rev: 1 })).toBe("apply");
  });

  test("keys of a StringConverter are text", () => {
    const decode = decoderOf({ format: "json", keyEncoding: "text", keyColumns: ["id"] });
    expect(changeOf(decode(aRecord(null, "AC-007"))).key).toEqual({ id: "AC-007" });
    expect(reasonOf(decoderOf({ format: "json", keyColumns: ["a", "b"] })(aRecord(null, '"1|2"')))).toBe(
      "unidentifiable-delete",
    );
  });
});

describe("outbox", () => {
  const decode = decoderOf({ format: "outbox" });

  test("the payload is the row, expanded or as text, and a null one is a tombstone", () => {
    const expected = { op: "upsert", key: { aggregateid: "5001" }, after: { id: 1 } };
    expect(changeOf(decode(aRecord('{"id":1}', '"5001"')))).toMatchObject(expected);
    expect(changeOf(decode(aRecord('"{\\"id\\":1}"', '"5001"')))).toMatchObject(expected);
    expect(changeOf(decode(aRecord(null, '"5001"')))).toMatchObject({ op: "d", tombstone: true, key: expected.key });
  });

  test("the key is called as the topic says", () => {
    const named = decoderOf({ format: "outbox", keyColumns: ["order_no"], keyEncoding: "text" });
    expect(changeOf(named(aRecord('{"order_no":1}', "5001"))).key).toEqual({ order_no: "5001" });
  });

  test.each([
    ["invalid-json", '"{"'],
    ["shape-mismatch", '"5"'],
  ])("%s: %s", (reason, value) => {
    expect(reasonOf(decode(aRecord(value)))).toBe(reason);
  });
});
