import { describe, expect, test } from "vitest";
import { createDecoder } from "../../../src/decode/decoder.ts";
import { UNAVAILABLE } from "../../../src/domain/change.ts";
import { aRecord, changeOf, decoderOf, reasonOf } from "./support.ts";

const SOURCE = { connector: "postgresql", snapshot: "false", lsn: 9, ts_ms: 5, txId: 7 };

const anEnvelope = (envelope: object): string =>
  JSON.stringify({ before: null, after: null, source: SOURCE, ...envelope });

const decode = decoderOf({ format: "debezium-json" });

describe("debezium-json", () => {
  test("an update of an untouched large column leaves it alone", () => {
    const text = anEnvelope({ op: "u", after: { id: 1, body: "__debezium_unavailable_value" } });
    expect(changeOf(decode(aRecord(text))).after?.body).toBe(UNAVAILABLE);
  });

  test("absent is not null: a column the record lacks is not in the row", () => {
    const { after } = changeOf(decode(aRecord(anEnvelope({ op: "c", after: { id: 1, name: null } }))));
    expect(Object.keys(after ?? {})).toEqual(["id", "name"]);
    expect(["toString", "__proto__", "constructor"].filter((name) => name in (after ?? {}))).toEqual([]);
  });

  test("a tombstone is a delete without version; without a key it says nothing", () => {
    expect(changeOf(decode(aRecord(null)))).toMatchObject({ op: "d", tombstone: true, key: { id: 1 }, version: null });
    expect(decode(aRecord(null, null))).toEqual({ status: "skip", reason: "null-key-null-value" });
  });

  test.each(["null", '{"schema":null,"payload":null}', '{"schema":{"type":"struct","fields":[]},"payload":null}'])(
    "%s is a delete and no tombstone",
    (value) => {
      expect(changeOf(decode(aRecord(value)))).toMatchObject({ op: "d", tombstone: false, key: { id: 1 } });
      expect(reasonOf(decode(aRecord(value, null)))).toBe("unidentifiable-delete");
    },
  );

  test.each([
    [null, false, "u", "streamed"],
    [false, false, "u", "streamed"],
    ["false", false, "c", "streamed"],
    [true, false, "r", "snapshot"],
    ["true", false, "r", "snapshot"],
    ["last", false, "r", "snapshot"],
    ["incremental", false, "r", "incremental"],
    ["false", false, "r", "snapshot"],
    ["a later word", false, "r", "unknown"],
  ])("source.snapshot %s: origin", (snapshot, _pad, op, origin) => {
    const text = anEnvelope({ op, after: { id: 1 }, source: { ...SOURCE, snapshot } });
    expect(changeOf(decode(aRecord(text))).origin).toBe(origin);
  });

  test.each([
    ["invalid-json", "{"],
    ["invalid-json", Buffer.from([0x22, 0xff, 0x22])],
    ["empty-value", Buffer.alloc(0)],
    ["shape-mismatch", "5"],
    ["shape-mismatch", '{"id":1,"name":"a row"}'],
    ["shape-mismatch", anEnvelope({ op: "c", after: '{"_id":1}' })],
    ["missing-after", anEnvelope({ op: "u" })],
    ["unknown-op", anEnvelope({ op: "x" })],
    ["unknown-op", anEnvelope({ op: 5 })],
    ["truncate", anEnvelope({ op: "t" })],
    ["logical-message", anEnvelope({ op: "m" })],
    ["heartbeat", '{"ts_ms":1}'],
    ["transaction", '{"status":"END","id":"7","event_count":2,"ts_ms":1}'],
    ["schema-change", '{"source":{},"databaseName":"erp","ddl":"ALTER","ts_ms":1}'],
    ["notification", '{"id":"1","aggregate_type":"Incremental Snapshot","type":"STARTED","additional_data":{}}'],
  ])("%s", (reason, value) => {
    expect(reasonOf(decode(aRecord(value)))).toBe(reason);
  });

  test("a delete is known by its key or by its row", () => {
    expect(changeOf(decode(aRecord(anEnvelope({ op: "d" }))))).toMatchObject({ op: "d", key: { id: 1 }, before: null });
    const keyless = aRecord(anEnvelope({ op: "d", before: { id: 2 } }), null);
    expect(changeOf(decode(keyless))).toMatchObject({ op: "d", key: null, before: { id: 2 } });
    expect(reasonOf(decode(aRecord(anEnvelope({ op: "d" }), null)))).toBe("unidentifiable-delete");
  });

  test.each([
    ["decimal(2)", "AAA"],
    ["decimal(2)", "A==="],
    ["decimal(2)", { scale: 1 }],
    ["varDecimal", { scale: 1.5, value: "AA==" }],
    ["bits(3)", "/w=="],
    ["date", "29.02.2024"],
    ["int64", "1.5"],
    ["bytes", 5],
  ])("a column hinted %s does not take %j", (hint, value) => {
    const decodeColumn = decoderOf({ format: "debezium-json", hints: { column: hint } });
    expect(reasonOf(decodeColumn(aRecord(anEnvelope({ op: "c", after: { column: value } }))))).toBe("bad-value");
  });

  test("a message names the part and the column and quotes no payload", () => {
    const decodeMoney = decoderOf({ format: "debezium-json", hints: { credit: "decimal(2)" } });
    const decoded = decodeMoney(aRecord(anEnvelope({ op: "c", after: { id: 1, credit: "secret!" } })));
    expect(decoded).toEqual({
      status: "errant",
      errant: {
        stage: "decode",
        reason: "bad-value",
        message: 'The record\'s value cannot be decoded. Column "credit" cannot be decoded: Bytes are not base64.',
      },
    });
  });

  test("a key that is a bare value gets its name from keyColumns", () => {
    const named = decoderOf({ format: "debezium-json", keyColumns: ["id"] });
    expect(changeOf(named(aRecord(null, "9007199254740993"))).key).toEqual({ id: "9007199254740993" });
    expect(reasonOf(decode(aRecord(null, "17")))).toBe("unidentifiable-delete");
  });

  test("records of a topic that no route reads are skipped", () => {
    const decoder = createDecoder(new Map(), { schemas: null });
    expect(decoder.decode(aRecord("{}"))).toEqual({ status: "skip", reason: "no-route" });
  });

  test("a topic in Avro without a registry stops with a sentence that says what to write", () => {
    const topics = new Map([["erp.orders", { format: "debezium-avro" }]] as const);
    expect(() => createDecoder(topics, { schemas: null })).toThrow(/erp\.orders is in Avro; .*schemaRegistry\.url/);
  });
});

describe("debezium-json-flattened", () => {
  const decodeRow = decoderOf({ format: "debezium-json-flattened" });

  test("a row that only looks like a transaction or a deletion is a row", () => {
    const row = { id: 1, status: "BEGIN", deleted: "true", op: "d", __custom: 1 };
    expect(changeOf(decodeRow(aRecord(JSON.stringify(row))))).toMatchObject({
      op: "upsert",
      after: row,
      origin: "unknown",
    });
  });

  test("a deletion is told by __deleted alone, and its row is the one before", () => {
    const deleted = { id: 1, name: "", __deleted: "true" };
    expect(changeOf(decodeRow(aRecord(JSON.stringify(deleted))))).toMatchObject({
      op: "d",
      before: { id: 1, name: "" },
      after: null,
    });
  });

  test("positions come under both names, and the op of a later Debezium is refused", () => {
    const mysql = { id: 1, __op: "u", __source_file: "bin.000001", __source_pos: 4, __source_row: 0 };
    expect(changeOf(decodeRow(aRecord(JSON.stringify(mysql)))).version).toEqual({
      kind: "binlog",
      parts: ["bin.000001", "4", "0", ""],
    });
    expect(reasonOf(decodeRow(aRecord('{"id":1,"__op":"x"}')))).toBe("unknown-op");
  });
});

describe("a schema beside the payload", () => {
  const schema = (scale: number) => ({
    type: "struct",
    fields: [
      {
        type: "struct",
        field: "after",
        fields: [
          {
            type: "bytes",
            field: "credit",
            name: "org.apache.kafka.connect.data.Decimal",
            parameters: { scale: String(scale) },
          },
        ],
      },
    ],
  });
  const wrapped = (scale: number, credit: string) =>
    JSON.stringify({ schema: schema(scale), payload: { op: "c", after: { credit }, source: SOURCE } });
  const creditOf = (decoded: ReturnType<typeof decode>) => changeOf(decoded).after?.credit;

  test("is known after the first record, and each record follows its own", () => {
    const credits = [2, 2, 3, 2, 4, 3].map((scale) => creditOf(decode(aRecord(wrapped(scale, "AIA=")))));
    expect(credits).toEqual(["1.28", "1.28", "0.128", "1.28", "0.0128", "0.128"]);
  });

  test("more versions than are remembered still decode", () => {
    const scales = Array.from({ length: 12 }, (_, at) => at + 1);
    for (const scale of [...scales, ...scales])
      expect(creditOf(decode(aRecord(wrapped(scale, "AA=="))))).toBe(`0.${"0".repeat(scale)}`);
  });

  test("a text that only begins like a known one is looked at as a whole", () => {
    const known = wrapped(2, "AIA=");
    expect(creditOf(decode(aRecord(known)))).toBe("1.28");
    const otherSchemaWins = known.replace(/\}$/, `,"schema":${JSON.stringify(schema(3))}}`);
    expect(creditOf(decode(aRecord(otherSchemaWins)))).toBe("0.128");
    expect(creditOf(decode(aRecord(known)))).toBe("1.28");
    expect(reasonOf(decode(aRecord(`${known}}`)))).toBe("invalid-json");
    expect(reasonOf(decode(aRecord(known.replace(/\}$/, "x"))))).toBe("invalid-json");
    expect(reasonOf(decode(aRecord(known.slice(0, -1))))).toBe("invalid-json");
    expect(creditOf(decode(aRecord(` ${known} `)))).toBe("1.28");
  });

  test("with and without may alternate in one topic", () => {
    expect(creditOf(decode(aRecord(anEnvelope({ op: "c", after: { credit: "AIA=" } }))))).toBe("AIA=");
    expect(creditOf(decode(aRecord(wrapped(2, "AIA="))))).toBe("1.28");
  });
});
