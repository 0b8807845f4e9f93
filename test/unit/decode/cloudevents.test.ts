import { describe, expect, test } from "vitest";
import { aRecord, changeOf, decoderOf, reasonOf } from "./support.ts";

const decode = decoderOf({ format: "cloudevents" });

const anEvent = (members: object): string =>
  JSON.stringify({ specversion: "1.0", iodebeziumop: "c", iodebeziumconnector: "mysql", ...members });

describe("cloudevents", () => {
  test("the position comes from attributes that are all text, their names without underscores", () => {
    const binlog = { iodebeziumfile: "bin.000001", iodebeziumpos: "4", iodebeziumrow: "0", iodebeziumtsms: "77" };
    const table = { iodebeziumdb: "shop", iodebeziumtable: "items", iodebeziumsnapshot: "false" };
    const text = anEvent({ ...binlog, ...table, data: { before: null, after: { id: 1 } } });
    expect(changeOf(decode(aRecord(text)))).toMatchObject({
      version: { kind: "binlog", parts: ["bin.000001", "4", "0", ""] },
      sourceTsMs: 77,
      table: "shop.items",
      origin: "streamed",
    });
  });

  test("the data may come with a schema beside it", () => {
    const date = { type: "int32", field: "born", name: "io.debezium.time.Date" };
    const schema = { type: "struct", fields: [{ type: "struct", field: "after", fields: [date] }] };
    const text = anEvent({ data: { schema, payload: { before: null, after: { born: 19_782 } } } });
    expect({ ...changeOf(decode(aRecord(text))).after }).toEqual({ born: "2024-02-29" });
  });

  test("the data may be Avro in its own framing, as base64", () => {
    const withRegistry = decoderOf({ format: "cloudevents" }, { 9: DATA });
    const data = Buffer.from([0, 0, 0, 0, 9, 0, 2, 6]).toString("base64");
    const text = anEvent({ datacontenttype: "application/avro", data });
    expect(changeOf(withRegistry(aRecord(text)))).toMatchObject({ before: null, after: { id: 3 } });
    expect(reasonOf(withRegistry(aRecord(anEvent({ datacontenttype: "application/avro", data: 5 }))))).toBe(
      "shape-mismatch",
    );
  });

  test("documents of MongoDB are read as such", () => {
    const text = anEvent({ iodebeziumconnector: "mongodb", data: { after: '{"_id":{"$numberInt":"3"}}' } });
    expect({ ...changeOf(decode(aRecord(text))).after }).toEqual({ _id: 3 });
  });

  test.each([
    ["shape-mismatch", "{}"],
    ["shape-mismatch", anEvent({ data: 5 })],
    ["shape-mismatch", anEvent({ iodebeziumop: undefined, data: {} })],
    ["unknown-op", anEvent({ iodebeziumop: "x", data: {} })],
    ["missing-after", anEvent({ data: {} })],
    ["heartbeat", '{"ts_ms":5}'],
  ])("%s: %s", (reason, value) => {
    expect(reasonOf(decode(aRecord(value)))).toBe(reason);
  });
});

const DATA = {
  type: "record",
  name: "Data",
  fields: [
    { name: "before", type: ["null", { type: "record", name: "Row", fields: [{ name: "id", type: "long" }] }] },
    { name: "after", type: ["null", "Row"] },
  ],
};
