import { describe, expect, test } from "vitest";
import { aRecord, changeOf, decoderOf, reasonOf } from "./support.ts";

const decode = decoderOf({ format: "mongodb" });
const KEY = '{"id":"{\\"$oid\\": \\"596e\\"}"}';
const SOURCE = { connector: "mongodb", ts_ms: 5, ord: 1, snapshot: "false", db: "shop", collection: "customers" };

const anEnvelope = (members: object): string =>
  JSON.stringify({ before: null, after: null, source: SOURCE, ...members });
const decodeOp = (members: object) => decode(aRecord(anEnvelope(members), KEY));

describe("mongodb", () => {
  test("a patch has what it names, null for what it removes, and nothing else", () => {
    const updateDescription = { updatedFields: '{"name":"a","address.city":"Kiel"}', removedFields: ["fax"] };
    const change = changeOf(decodeOp({ op: "u", updateDescription }));
    expect(change).toMatchObject({ op: "u", isPatch: true, table: "shop.customers", key: { id: '{"$oid": "596e"}' } });
    expect({ ...change.after }).toEqual({ name: "a", "address.city": "Kiel", fax: null });
  });

  test("an update with the document is no patch, whatever else it tells", () => {
    const change = changeOf(decodeOp({ op: "u", after: '{"_id":1}', updateDescription: { updatedFields: "{}" } }));
    expect(change.isPatch).toBeUndefined();
    expect({ ...change.after }).toEqual({ _id: 1 });
  });

  test.each([
    ['{"$numberLong":"9007199254740993"}', "9007199254740993"],
    ['{"$numberInt":"7"}', 7],
    ['{"$numberDouble":"1.5"}', 1.5],
    ['{"$numberDouble":"Infinity"}', "Infinity"],
    ['{"$numberDecimal":"12.50"}', "12.50"],
    ['{"$date":{"$numberLong":"-1"}}', "1969-12-31T23:59:59.999Z"],
    ['{"$date":"2024-06-15T12:34:56Z"}', "2024-06-15T12:34:56Z"],
    ['{"$oid":"596e"}', "596e"],
    ['{"$undefined":true}', null],
    ['{"$symbol":"\\u00005"}', "\u00005"],
    ['{"$numberDouble":"\\u00005"}', "\u00005"],
    ['[{"$numberInt":"1"},{"a":{"$numberInt":"2"}}]', [1, { a: 2 }]],
    ['{"$binary":"AA==","$type":"00"}', { $binary: "AA==", $type: "00" }],
    ["9007199254740993", "9007199254740993"],
  ])("%s is %j", (json, value) => {
    const { after } = changeOf(decodeOp({ op: "c", after: `{"x":${json}}` }));
    expect(JSON.parse(JSON.stringify(after?.x))).toEqual(value);
  });

  test.each([
    ["missing-after", { op: "u" }],
    ["missing-after", { op: "c", updateDescription: { updatedFields: "{}" } }],
    ["invalid-json", { op: "c", after: "{" }],
    ["shape-mismatch", { op: "c", after: { _id: 1 } }],
    ["shape-mismatch", { op: "c", after: "[]" }],
    ["bad-value", { op: "c", after: '{"x":{"$numberLong":"1.5"}}' }],
    ["bad-value", { op: "c", after: '{"x":{"$date":{"y":1}}}' }],
    ["truncate", { op: "t" }],
  ])("%s: %j", (reason, members) => {
    expect(reasonOf(decodeOp(members))).toBe(reason);
  });
});
