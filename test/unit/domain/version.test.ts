import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareVersions, type Version } from "../../../src/domain/version.ts";

const lsn = (...parts: string[]): Version => ({ kind: "lsn", parts });
const binlog = (file: string, pos: string, row = "0", gtid = ""): Version => ({
  kind: "binlog",
  parts: [file, pos, row, gtid],
});
const sqlserver = (...parts: string[]): Version => ({ kind: "sqlserver", parts });
const oracle = (...parts: string[]): Version => ({ kind: "oracle", parts });

describe("compareVersions", () => {
  test("what rises is a number, or text of one width; equal ones are no proof of one change", () => {
    const sequence = (...parts: string[]): Version => ({ kind: "sequence", parts });
    expect(compareVersions(sequence("9"), sequence("10"))).toBe(-1);
    expect(compareVersions(sequence("0000000000000000002"), sequence("1"))).toBe(1);
    expect(compareVersions(sequence("2024-06-15", "2"), sequence("2024-06-15", "1"))).toBe(1);
    expect(compareVersions(sequence("2024-06-15T10:00"), sequence("2024-06-16"))).toBeNull();
    expect(compareVersions(sequence("10"), sequence("10"))).toBeNull();
  });

  test("an lsn is a number: 9 comes before 10, and nothing is lost beyond 2^53", () => {
    expect(compareVersions(lsn("9"), lsn("10"))).toBe(-1);
    expect(compareVersions(lsn("9007199254740993"), lsn("9007199254740992"))).toBe(1);
    expect(compareVersions(lsn("26874128"), lsn("26874128"))).toBe(0);
  });

  test("a binlog position is file, position and row", () => {
    expect(compareVersions(binlog("erp-bin.000009", "900"), binlog("erp-bin.000010", "4"))).toBe(-1);
    expect(compareVersions(binlog("erp-bin.999999", "900"), binlog("erp-bin.1000000", "4"))).toBe(-1);
    expect(compareVersions(binlog("erp-bin.000009", "900"), binlog("erp-bin.000009", "4"))).toBe(1);
    expect(compareVersions(binlog("erp-bin.000001", "4160", "0"), binlog("erp-bin.000001", "4160", "1"))).toBe(-1);
  });

  test("between servers only GTIDs of one domain decide, not file names that start again", () => {
    const onOldServer = binlog("bin.000042", "900", "0", "0-1-500");
    const onNewServer = binlog("bin.000001", "4", "0", "0-2-501");
    expect(compareVersions(onOldServer, onNewServer)).toBe(-1);
    expect(compareVersions(onOldServer, binlog("bin.000001", "4", "0", "7-2-501"))).toBeNull();
    expect(compareVersions(binlog("a.000001", "4"), binlog("b.000001", "4"))).toBeNull();
    const uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    expect(compareVersions(binlog("a.1", "4", "0", `${uuid}:23`), binlog("a.1", "9", "0", `${uuid}:5`))).toBe(1);
    expect(compareVersions(binlog("a.1", "4", "0", `${uuid}:23`), binlog("a.1", "9", "0", "0-1-5"))).toBeNull();
  });

  test("SQL Server compares log positions as text of one width, and the serial number as a number", () => {
    const first = sqlserver("00000027:00000758:0005", "00000027:00000758:0003", "2");
    expect(compareVersions(first, sqlserver("00000027:00000758:0005", "00000027:00000758:0003", "10"))).toBe(-1);
    expect(compareVersions(first, sqlserver("00000027:00000ac0:0007", "00000027:00000758:0003", "1"))).toBe(-1);
    expect(compareVersions(sqlserver("00000027:00000758:0005", "", ""), first)).toBe(-1);
  });

  test("Oracle puts the commit first: a long transaction's own scn is older", () => {
    expect(compareVersions(oracle("2122290", "2100000", "1"), oracle("2122190", "2122185", "1"))).toBe(1);
    expect(compareVersions(oracle("999", "1", "1"), oracle("1000", "1", "1"))).toBe(-1);
  });

  test("different kinds, unknown kinds and damaged parts are not comparable", () => {
    expect(compareVersions(lsn("1"), oracle("1"))).toBeNull();
    expect(compareVersions({ kind: "new", parts: ["1"] }, { kind: "new", parts: ["2"] })).toBeNull();
    expect(compareVersions(lsn("1"), lsn("one"))).toBeNull();
    expect(compareVersions(lsn("1"), lsn("1", "2"))).toBeNull();
  });

  test("agrees with BigInt, and swapping the sides swaps the answer", () => {
    const position = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(position, position, (a, b) => {
        const expected = a < b ? -1 : a > b ? 1 : 0;
        expect(compareVersions(lsn(String(a)), lsn(String(b)))).toBe(expected);
        expect(compareVersions(lsn(String(b)), lsn(String(a)))).toBe(0 - expected);
      }),
    );
  });
});
