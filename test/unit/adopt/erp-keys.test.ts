/** The keys of a topic, and of files as spreadsheets and people write them. */
import { describe, expect, test } from "vitest";
import { keysOfCsv, readTopicKeys } from "../../../src/adopt/erp-keys.ts";
import { matchOf } from "../../../src/adopt/match.ts";
import { type Change, UNAVAILABLE } from "../../../src/domain/change.ts";
import { compileRoutes } from "../../../src/map/mapper.ts";
import { aChange, anUpdateTo, aRecord, aRow, KEY_FIELD, routesOf } from "../map/builders.ts";

describe("of a key counts", () => {
  /** One record each. */
  const textsAfter = async (changes: readonly Change[], onDelete: unknown) => {
    const [route] = routesOf({ onDelete });
    if (route === undefined) throw new Error("no route");
    const match = matchOf("name", route, "erp_id");
    const left = changes.values();
    const reading = {
      match,
      mapper: compileRoutes([match.route], KEY_FIELD),
      decoder: { decode: () => ({ status: "changes", changes: [left.next().value ?? gone] }) as const },
      admin: { endOffsets: async () => [{ topic: "customers", partition: 3, low: 0n, high: 9n }] },
      async *read() {
        yield changes.map(() => aRecord());
      },
      tell: () => {},
    };
    const { texts } = await readTopicKeys(reading, new AbortController().signal);
    return Object.fromEntries(texts);
  };
  const gone = aChange({ op: "d", before: aRow({ id: 7, name: "" }), after: null });

  test("the latest row, and what a later one left out is as it was", async () => {
    expect(await textsAfter([anUpdateTo({ name: "A" }), anUpdateTo({ name: "B" })], "ignore")).toEqual({ 7: "B" });
    const patch = anUpdateTo({ name: UNAVAILABLE });
    expect(await textsAfter([anUpdateTo({ name: "A" }), patch], "ignore")).toEqual({ 7: "A" });
    expect(await textsAfter([anUpdateTo({ name: "A" }), anUpdateTo({ name: null })], "ignore")).toEqual({ 7: null });
  });

  test("a deleted row only where its record stays in Sell", async () => {
    const rows = [anUpdateTo({ name: "A" }), gone];
    expect(await textsAfter(rows, "delete")).toEqual({});
    expect(await textsAfter(rows, "ignore")).toEqual({ 7: "A" });
    expect(await textsAfter(rows, { update: { customer_status: "past" } })).toEqual({ 7: "A" });
    expect(await textsAfter([...rows, anUpdateTo({ name: "B" })], "delete")).toEqual({ 7: "B" });
  });
});

const pairs = (text: string) => Object.fromEntries(keysOfCsv(text, "ids.csv").texts);

test("a heading, quotes, semicolons, a byte order mark and blank lines are as good as none", () => {
  expect(pairs('\uFEFFERP key;Sell id\r\n"C-1";"90001"\r\n\r\n  C-2 ; 90002\r\n')).toEqual({
    "C-1": "90001",
    "C-2": "90002",
  });
  expect(pairs('C-1,90001\n"a ""b"", c",90002')).toEqual({ "C-1": "90001", 'a "b", c': "90002" });
  expect(pairs("")).toEqual({});
});

test("an id with leading zeros is the number that it is", () => {
  expect(pairs("C-1,0090001")).toEqual({ "C-1": "90001" });
});

test.each([
  ["C-1,90001\nC-2", "ids.csv, line 2: it must be a key and an id of Sell"],
  ["C-1,90001\n,90002", "line 2"],
  ["C-1,90001\nC-2,90002,more", "line 2"],
  ["C-1,90001\nC-2,9e4", "line 2"],
  ["C-1,90001\nC-2,90002\nC-1,90003", "line 3: the key stands in an earlier line too"],
])("%j is refused with its line", (text, sentence) => {
  expect(() => pairs(text)).toThrow(sentence);
});
