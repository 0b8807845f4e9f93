/** Shapes of replication products that are a row and an operation by another name. */
import { describe, expect, test } from "vitest";
import type { Format } from "../../../src/decode/formats.ts";
import { aRecord, changeOf, changesOf, decoderOf, reasonOf } from "./support.ts";

const ROW = { ID: 1, NAME: "a" };
const decode = (format: Format, value: object, key: string | null = null) =>
  decoderOf({ format, keyColumns: ["ID"] })(aRecord(JSON.stringify(value), key));

describe("confluent-oracle", () => {
  const facts = {
    table: "ORCL.AR.CUST",
    scn: "449116",
    op_ts: "1607990520000",
    current_ts: "1",
    row_id: "A",
    username: "X",
  };

  test.each([
    ["R", "r", "snapshot"],
    ["I", "c", "streamed"],
    ["U", "u", "streamed"],
    ["D", "d", "streamed"],
  ])("%s is %s, and the row has none of the change's own words", (op_type, op, origin) => {
    const change = changeOf(decode("confluent-oracle", { ...facts, op_type, ...ROW }, '{"ID":1}'));
    expect(change).toMatchObject({
      ...{ op, origin, key: { ID: 1 }, table: "ORCL.AR.CUST", sourceTsMs: 1_607_990_520_000 },
      version: { kind: "sequence", parts: ["449116"] },
    });
    expect({ ...(op === "d" ? change.before : change.after) }).toEqual(ROW);
  });

  test.each([
    ["truncate", { op_type: "T" }],
    ["unknown-op", { op_type: "M" }],
    ["shape-mismatch", ROW],
  ])("%s", (reason, value) => expect(reasonOf(decode("confluent-oracle", value))).toBe(reason));
});

describe("qlik", () => {
  const aMessage = (operation: string, data: object | null, beforeData: object | null = null) => ({
    magic: "atMSG",
    type: "DT",
    message: { data, beforeData, headers: { operation, changeSequence: "7", timestamp: "", transactionId: "" } },
  });

  test("a deleted row is in data where there is no image before", () => {
    expect(changeOf(decode("qlik", aMessage("DELETE", ROW)))).toMatchObject({ op: "d", key: { ID: 1 }, before: ROW });
  });

  test("a changed key is two changes", () => {
    const changes = changesOf(decode("qlik", aMessage("UPDATE", { ...ROW, ID: 2 }, ROW)));
    expect(changes.map(({ op, key }) => ({ op, key }))).toEqual([
      { op: "d", key: { ID: 1 } },
      { op: "c", key: { ID: 2 } },
    ]);
  });

  test("the message may come without its envelope, and empty headers say nothing", () => {
    const { message } = aMessage("INSERT", ROW);
    expect(changeOf(decode("qlik", message))).toMatchObject({ op: "c", sourceTsMs: null, txId: null });
  });

  test("in Avro the columns have their types, and there is no message around", () => {
    const row = {
      ...{ type: "record", name: "Row" },
      fields: [
        { name: "ID", type: "long" },
        { name: "LIMIT", type: ["null", { type: "bytes", logicalType: "decimal", precision: 9, scale: 2 }] },
      ],
    };
    const operations = ["INSERT", "UPDATE", "DELETE", "REFRESH"];
    const headers = {
      ...{ type: "record", name: "Headers" },
      fields: [
        { name: "operation", type: { type: "enum", name: "Operation", symbols: operations } },
        { name: "changeSequence", type: "string" },
        { name: "timestamp", type: "string" },
        { name: "transactionId", type: "string" },
        { name: "changeMask", type: ["null", "bytes"] },
      ],
    };
    const schema = {
      ...{ type: "record", name: "DataRecord" },
      fields: [
        { name: "data", type: ["null", row] },
        { name: "beforeData", type: ["null", "Row"] },
        { name: "headers", type: headers },
      ],
    };
    const data = [2, 4, 2, 4, 0x12, 0xd6]; // 2 and 48.22
    const before = [2, 4, 2, 2, 0x7f]; // 2 and 1.27
    const said = [2, 4, 0x37, 0x37, 0, 0, 2, 2, 0xff];
    const value = Buffer.from([0, 0, 0, 0, 5, ...data, ...before, ...said]);
    const decode = decoderOf({ format: "qlik", encoding: "confluent-avro", keyColumns: ["ID"] }, { 5: schema });
    expect(changeOf(decode(aRecord(value, null)))).toMatchObject({
      ...{ op: "u", key: { ID: 2 }, before: { ID: 2, LIMIT: "1.27" }, after: { ID: 2, LIMIT: "48.22" } },
      version: { kind: "sequence", parts: ["77"] },
    });
  });

  test.each([
    ["metadata", { magic: "atMSG", type: "MD", message: {} }],
    ["unknown-op", aMessage("MERGE", ROW)],
    ["missing-after", aMessage("INSERT", null)],
    ["shape-mismatch", ROW],
  ])("%s", (reason, value) => expect(reasonOf(decode("qlik", value))).toBe(reason));
});

describe("dms", () => {
  const aRow = (operation: string, data: object | null = ROW) => ({
    data,
    metadata: {
      ...{ "record-type": "data", operation, "schema-name": "ar", "table-name": "cust", "transaction-id": 5 },
      "commit-timestamp": "1970-01-01T00:00:01.000000Z",
    },
  });

  test.each([
    ["load", "r", "snapshot"],
    ["insert", "c", "streamed"],
    ["update", "u", "streamed"],
    ["delete", "d", "streamed"],
  ])("%s is %s; the record key is text that tells nothing", (operation, op, origin) => {
    expect(changeOf(decode("dms", aRow(operation), "ar.cust.1"))).toMatchObject({
      ...{ op, origin, key: { ID: 1 }, table: "ar.cust", sourceTsMs: 1_000, txId: "5" },
    });
  });

  test("the row before stands where the task puts it, and shows a changed key", () => {
    const value = { ...aRow("update", { ...ROW, ID: 2 }), "before-image": { ID: 1 } };
    const settings = { format: "dms", keyColumns: ["ID"] } as const;
    const seen = decoderOf({ ...settings, beforeField: "before-image" })(aRecord(JSON.stringify(value), null));
    expect(changesOf(seen).map(({ op, key, after }) => ({ op, key, after: after && { ...after } }))).toEqual([
      { op: "d", key: { ID: 1 }, after: null },
      { op: "c", key: { ID: 2 }, after: { ...ROW, ID: 2 } },
    ]);
    expect(changesOf(decoderOf(settings)(aRecord(JSON.stringify(value), null)))).toMatchObject([
      { op: "u", before: null },
    ]);
  });

  test("columns that an update leaves alone are no change of key", () => {
    const value = { ...aRow("update"), before: { NAME: "b" } };
    const decode = decoderOf({ format: "dms", keyColumns: ["ID"], beforeField: "before" });
    expect(changesOf(decode(aRecord(JSON.stringify(value), null)))).toMatchObject([{ op: "u", before: { NAME: "b" } }]);
  });

  test.each([
    ["unknown-op", aRow("merge")],
    ["missing-after", aRow("insert", null)],
    ["unidentifiable-delete", aRow("delete", null)],
    ["shape-mismatch", ROW],
  ])("%s", (reason, value) => expect(reasonOf(decode("dms", value))).toBe(reason));
});

describe("sap-odq", () => {
  test.each([
    ["c", { ODQ_CHANGEMODE: "C", ODQ_ENTITYCNTR: 1 }],
    ["u", { ODQ_CHANGEMODE: "U", ODQ_ENTITYCNTR: "1" }],
    ["d", { ODQ_CHANGEMODE: "D", ODQ_ENTITYCNTR: -1 }],
    ["u", { RECORDMODE: "" }],
    ["u", { RECORDMODE: null }],
    ["c", { RECORDMODE: "N" }],
    ["d", { RECORDMODE: "D" }],
  ])("%s: %j", (op, mode) => {
    const change = changeOf(decode("sap-odq", { ...ROW, ID: "0007", ...mode }));
    expect(change).toMatchObject({ op, key: { ID: "0007" } });
    expect({ ...(op === "d" ? change.before : change.after) }).toEqual({ ...ROW, ID: "0007" });
  });

  test.each([
    ["before-image", { ...ROW, ODQ_CHANGEMODE: "U", ODQ_ENTITYCNTR: -1 }],
    ["before-image", { ...ROW, ODQ_CHANGEMODE: "U", ODQ_ENTITYCNTR: "-1" }],
    ["before-image", { ...ROW, ODQ_CHANGEMODE: "U", ODQ_ENTITYCNTR: " 1-" }],
    ["before-image", { ...ROW, RECORDMODE: "X" }],
    ["unknown-op", { ...ROW, RECORDMODE: "A" }],
    ["unknown-op", { ...ROW, RECORDMODE: "R" }],
    ["unknown-op", { ...ROW, ODQ_CHANGEMODE: "Z" }],
    ["shape-mismatch", ROW],
  ])("%s: %j", (reason, value) => expect(reasonOf(decode("sap-odq", value))).toBe(reason));
});
