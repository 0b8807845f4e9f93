import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createDecoder } from "../../../src/decode/decoder.ts";
import { FORMATS, type Format } from "../../../src/decode/formats.ts";
import { UNAVAILABLE } from "../../../src/domain/change.ts";
import { aRecord, changeOf, decoderOf, reasonOf } from "./support.ts";
import vectors from "./vectors.json" with { type: "json" };

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
    expect(Object.getPrototypeOf(after)).toBeNull();
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
    ["date", "2024-02-29"],
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

describe("whatever the bytes", () => {
  const HINTS = {
    a: "decimal(2)",
    b: "microTimestamp",
    c: "bits(3)",
    d: "varDecimal",
    e: "bytes",
    f: "date",
    "g.h": "int64",
  };
  const decodeHinted = decoderOf({ format: "debezium-json", hints: HINTS });
  const expectDecoded = (decoded: ReturnType<typeof decode> | undefined): void => {
    expect(["changes", "skip", "errant"]).toContain(decoded?.status);
  };

  test("random bytes end as a value, never as a throw", () => {
    const bytes = fc.option(fc.uint8Array({ maxLength: 80 }).map((array) => Buffer.from(array)));
    fc.assert(fc.property(bytes, bytes, (value, key) => expectDecoded(decodeHinted(aRecord(value, key)))));
  });

  test("envelopes of any columns end as a value, and their integers keep every digit", () => {
    const scalar = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }));
    const column = fc.constantFrom(...Object.keys(HINTS), "g", "x", "__proto__", "constructor");
    const text = (value: unknown): string => (typeof value === "bigint" ? String(value) : JSON.stringify(value));
    const row = fc.array(fc.tuple(column, scalar), { maxLength: 8 });
    const op = fc.constantFrom("c", "u", "r", "d", "t", "x");
    fc.assert(
      fc.property(op, row, scalar, (op, columns, id) => {
        const members = [...columns, ["id", id] as const].map(
          ([name, value]) => `${JSON.stringify(name)}:${text(value)}`,
        );
        const envelope = `{"op":"${op}","after":{${members}},"before":{${members}},"source":${JSON.stringify(SOURCE)}}`;
        const decoded = decodeHinted(aRecord(envelope));
        expectDecoded(decoded);
        if (decoded.status === "changes" && typeof id === "bigint")
          expect(String((decoded.changes[0]?.after ?? decoded.changes[0]?.before)?.id)).toBe(String(id));
      }),
      { numRuns: 1_000 },
    );
  });

  test("every format takes any JSON of its own words and ends as a value", () => {
    const decoders = Object.keys(FORMATS).map((format) => decoderOf({ format: format as Format, keyColumns: ["id"] }));
    const word = fc.constantFrom(
      ...["op", "type", "op_type", "specversion", "data", "old", "before", "after", "source", "metadata", "message"],
      ...["headers", "operation", "pkNames", "primary_keys", "isDdl", "updateDescription", "updatedFields", "__op"],
      ...["ODQ_CHANGEMODE", "RECORDMODE", "iodebeziumop", "iodebeziumconnector", "datacontenttype", "id", "__proto__"],
    );
    const leaf = fc.oneof(
      fc.constantFrom(...["c", "u", "d", "INSERT", "UPDATE", "DELETE", "insert", "update", "U", "D", "mongodb"]),
      fc.constantFrom("application/avro", '{"x":{"$numberLong":"1"}}', "1.0", null, true, false, -1),
      fc.jsonValue({ maxDepth: 1 }),
    );
    const { document } = fc.letrec((tie) => ({
      document: fc.dictionary(word, tie("part"), { maxKeys: 6 }),
      part: fc.oneof({ maxDepth: 4 }, leaf, tie("document"), fc.array(tie("document"), { maxLength: 2 })),
    }));
    fc.assert(
      fc.property(document, fc.nat({ max: decoders.length - 1 }), (value, at) => {
        expectDecoded(decoders[at]?.(aRecord(JSON.stringify(value))));
      }),
      { numRuns: 3_000 },
    );
  });

  test("captured records with a damaged byte or a lost end end as a value", () => {
    const avro = vectors.filter(({ encoding, schemas }) => encoding === "confluent-avro" && schemas !== undefined);
    const decoders = avro.map(({ schemas }) => decoderOf({ format: "debezium-avro" }, schemas));
    const place = fc.nat({ max: 10_000 });
    fc.assert(
      fc.property(
        fc.nat({ max: avro.length - 1 }),
        place,
        fc.nat({ max: 255 }),
        fc.boolean(),
        (at, where, byte, cut) => {
          const value = Buffer.from(avro[at]?.valueBase64 ?? "", "base64");
          const damaged = cut ? value.subarray(0, where % (value.length + 1)) : Buffer.from(value);
          if (!cut && damaged.length > 0) damaged[where % damaged.length] = byte;
          expectDecoded(decoders[at]?.(aRecord(damaged, null)));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
