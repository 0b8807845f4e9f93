import { describe, expect, test } from "vitest";
import { compareVersions } from "../../../src/domain/version.ts";
import { aRecord, changeOf, changesOf, decoderOf, reasonOf } from "./support.ts";

const decode = decoderOf({ format: "goldengate" });

const anOperation = (members: object): string =>
  JSON.stringify({ table: "AR.CUST", pos: "00000000000000001500", primary_keys: ["ID"], ...members });
const KEY = "AR.CUST_1";

describe("goldengate", () => {
  test("a changed key is a delete and an insert of the whole row, though the update had the changed columns only", () => {
    const text = anOperation({ op_type: "U", before: { ID: 1, NAME: "a" }, after: { ID: 2 } });
    expect(changesOf(decode(aRecord(text, KEY)))).toMatchObject([
      { op: "d", key: { ID: 1 }, before: { ID: 1, NAME: "a" } },
      { op: "c", key: { ID: 2 }, after: { ID: 2, NAME: "a" }, table: "AR.CUST" },
    ]);
  });

  test("an update of some columns leaves the others absent", () => {
    const text = anOperation({ op_type: "U", before: { ID: 1, NAME: "a" }, after: { ID: 1, NAME: "b" } });
    expect(changeOf(decode(aRecord(text, KEY)))).toMatchObject({ op: "u", after: { ID: 1, NAME: "b" } });
  });

  test("the row formatter's columns stand beside the operation", () => {
    const row = { op_ts: "2024-06-15 12:34:56", current_ts: "", ID: 1, NAME: "a" };
    const inserted = changeOf(decode(aRecord(anOperation({ op_type: "I", ...row }), KEY)));
    expect(inserted).toMatchObject({ op: "c", key: { ID: 1 }, sourceTsMs: null });
    expect({ ...inserted.after }).toEqual({ ID: 1, NAME: "a" });
    const deleted = changeOf(decode(aRecord(anOperation({ op_type: "D", ...row }), KEY)));
    expect(deleted).toMatchObject({ op: "d", before: { NAME: "a" }, after: null });
  });

  test("positions are compared by their number", () => {
    const versionAt = (pos: string) =>
      changeOf(decode(aRecord(anOperation({ op_type: "D", before: { ID: 1 }, pos }), null))).version;
    const [older, newer] = [versionAt("00000000000000001500"), versionAt("00000000010000000007")];
    expect(older && newer && compareVersions(older, newer)).toBe(-1);
  });

  test.each([
    ["truncate", anOperation({ op_type: "T" })],
    ["unknown-op", anOperation({ op_type: "P" })],
    ["missing-after", anOperation({ op_type: "I", after: null })],
    ["unidentifiable-delete", anOperation({ op_type: "D", before: null })],
    ["shape-mismatch", anOperation({ op_type: "I", after: 5 })],
    ["shape-mismatch", '{"ID":1}'],
  ])("%s", (reason, value) => {
    expect(reasonOf(decode(aRecord(value, KEY)))).toBe(reason);
  });
});
