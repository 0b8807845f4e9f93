/**
 * Whatever the bytes, a record ends as changes, as skipped or as errant: nothing is thrown, nothing takes long. One fuzz
 * writes documents in the words of the formats, one damages the captured records byte by byte.
 *
 * `FUZZ_RUNS=20 npx vitest run fuzz` runs twenty times as many; `FUZZ_SEED=...` repeats the run of a seed that was printed.
 */
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import type { Encoding, KeyEncoding } from "../../../src/decode/encoding.ts";
import { FORMATS, type Format } from "../../../src/decode/formats.ts";
import type { Decoded } from "../../../src/domain/change.ts";
import type { RecordHeader } from "../../../src/domain/record.ts";
import { aRecord, decoderOf } from "./support.ts";
import { bytesOf, formatOf, VECTORS } from "./vectors.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? Math.trunc(Math.random() * 2 ** 31));
const TIMES = Number(process.env["FUZZ_RUNS"] ?? 1);
console.log(`fuzz: FUZZ_SEED=${SEED} FUZZ_RUNS=${TIMES}`);

vi.setConfig({ testTimeout: 10_000 * TIMES });

const check = <T>(property: fc.IProperty<T>, runs: number): void =>
  fc.assert(property, { seed: SEED, numRuns: runs * TIMES });

const FORMAT_NAMES = Object.keys(FORMATS) as Format[];
const HINTS = {
  ...{ a: "decimal(2)", b: "microTimestamp", c: "bits(3)", d: "varDecimal", e: "bytes", f: "date", "g.h": "int64" },
  ...{ i: "nanoTimestamp", j: "time", k: "microDuration", l: "zonedTimestamp", m: "text" },
};

const expectDecoded = (decoded: Decoded | undefined): void => {
  expect(["changes", "skip", "errant"]).toContain(decoded?.status);
};

describe("by grammar", () => {
  const scalar = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
    fc.constantFrom("NaN", "Infinity", "\ud800", "\u0000", "__debezium_unavailable_value", "infinity", "AA==", "/w=="),
    fc.constantFrom(-62_167_219_200_000, 253_402_300_799_999, 2 ** 53, -0, 5e-324, 1.7e308),
  );
  const textOf = (value: unknown): string => (typeof value === "bigint" ? String(value) : JSON.stringify(value));

  test("envelopes of any columns, with names twice; their integers keep every digit", () => {
    const decode = decoderOf({ format: "debezium-json", hints: HINTS });
    const column = fc.constantFrom(...Object.keys(HINTS), "g", "x", "__proto__", "constructor", "toString");
    const row = fc.array(fc.tuple(column, scalar), { maxLength: 8 });
    const source = '{"connector":"postgresql","snapshot":"false","lsn":9,"ts_ms":5,"txId":7}';
    check(
      fc.property(fc.constantFrom("c", "u", "r", "d", "t", "x"), row, scalar, (op, columns, id) => {
        const members = [...columns, ["id", id] as const].map(
          ([name, raw]) => `${JSON.stringify(name)}:${textOf(raw)}`,
        );
        const decoded = decode(aRecord(`{"op":"${op}","after":{${members}},"before":{${members}},"source":${source}}`));
        expectDecoded(decoded);
        if (decoded.status !== "changes" || typeof id !== "bigint") return;
        expect(String((decoded.changes[0]?.after ?? decoded.changes[0]?.before)?.id)).toBe(String(id));
      }),
      1_000,
    );
  });

  test("any JSON in the words of the formats", () => {
    const decoders = FORMAT_NAMES.map((format) =>
      decoderOf({ format, keyColumns: ["id"], hints: HINTS, beforeField: "before" }),
    );
    const word = fc.constantFrom(
      ...["op", "type", "op_type", "specversion", "data", "old", "before", "after", "source", "metadata", "message"],
      ...["headers", "operation", "pkNames", "primary_keys", "isDdl", "updateDescription", "updatedFields", "__op"],
      ...["ODQ_CHANGEMODE", "RECORDMODE", "iodebeziumop", "iodebeziumconnector", "datacontenttype", "id", "__proto__"],
      ...["schema", "payload", "fields", "field", "name", "parameters", "scale", "items", ...Object.keys(HINTS)],
    );
    const leaf = fc.oneof(
      fc.constantFrom(
        ...["c", "u", "d", "INSERT", "UPDATE", "DELETE", "insert", "update", "U", "D", "mongodb", "struct"],
      ),
      fc.constantFrom(
        "application/avro",
        '{"x":{"$numberLong":"1"}}',
        "org.apache.kafka.connect.data.Decimal",
        true,
        -1,
      ),
      fc.jsonValue({ maxDepth: 1 }),
    );
    const { document } = fc.letrec((tie) => ({
      document: fc.dictionary(word, tie("part"), { maxKeys: 6 }),
      part: fc.oneof({ maxDepth: 4 }, leaf, tie("document"), fc.array(tie("document"), { maxLength: 2 })),
    }));
    check(
      fc.property(document, fc.nat({ max: decoders.length - 1 }), (value, at) => {
        const text = JSON.stringify(value);
        expectDecoded(decoders[at]?.(aRecord(text, text)));
      }),
      3_000,
    );
  });
});

const NO_BYTES = Buffer.alloc(0);

describe("by bytes", () => {
  const ENCODINGS: readonly Encoding[] = [
    ...(["json", "confluent-json-schema", "apicurio-json", "confluent-avro"] as const),
    ...(["confluent-avro-guid-header", "apicurio-avro-headers", "apicurio-avro-8"] as const),
  ];

  /** What came over the wire, each with a decoder that knows its schemas. */
  const captured = VECTORS.map((vector) => {
    const { key, value, headers } = bytesOf(vector);
    const decode = decoderOf(formatOf(vector), vector.schemas);
    return { decode, key: key ?? NO_BYTES, value: value ?? NO_BYTES, headers };
  });

  const place = fc.nat({ max: 100_000 });
  const damage = fc.oneof(
    fc.record({ how: fc.constant("set" as const), where: place, byte: fc.nat({ max: 255 }) }),
    fc.record({ how: fc.constant("cut" as const), where: place, byte: fc.nat({ max: 8 }) }),
    fc.record({ how: fc.constant("drop" as const), where: place, byte: fc.nat({ max: 8 }) }),
    fc.record({ how: fc.constant("repeat" as const), where: place, byte: fc.nat({ max: 40 }) }),
  );
  const damaged = (
    bytes: Buffer,
    damages: readonly (typeof damage extends fc.Arbitrary<infer D> ? D : never)[],
  ): Buffer =>
    damages.reduce((bytes, { how, where, byte }) => {
      const at = where % (bytes.length + 1);
      const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
      switch (how) {
        case "set":
          return Buffer.concat([before, Buffer.from([byte]), after.subarray(1)]);
        case "cut":
          return before;
        case "drop":
          return Buffer.concat([before, after.subarray(byte)]);
        case "repeat":
          return Buffer.concat([before, after.subarray(0, byte), after]);
      }
    }, bytes);

  test("captured records with bytes changed, dropped, repeated or cut off, in key, value and headers", () => {
    const damages = fc.array(damage, { maxLength: 3 });
    check(
      fc.property(fc.nat({ max: captured.length - 1 }), damages, damages, damages, (at, inKey, inValue, inHeaders) => {
        const one = captured[at];
        if (one === undefined) return;
        const headers = one.headers.map(([name, bytes]): RecordHeader => [name, bytes && damaged(bytes, inHeaders)]);
        expectDecoded(one.decode(aRecord(damaged(one.value, inValue), damaged(one.key, inKey), headers)));
      }),
      3_000,
    );
  });

  test("random bytes in every format and encoding", () => {
    const schema = { type: "record", name: "R", fields: [{ name: "id", type: ["null", "R", "long", "bytes"] }] };
    const decoders = ENCODINGS.flatMap((encoding) =>
      FORMAT_NAMES.map((format) =>
        decoderOf({ format, encoding, keyEncoding: "text" as KeyEncoding, hints: HINTS }, { 0: schema, 1: schema }),
      ),
    );
    const tail = fc.uint8Array({ maxLength: 60 });
    const head = fc.constantFrom(
      [],
      [0],
      [0, 0, 0, 0, 1],
      [0, 0, 0, 0, 0, 0, 0, 0, 1],
      [0, 0, 0, 0, 0],
      [0x7b],
      [0x5b],
    );
    check(
      fc.property(fc.nat({ max: decoders.length - 1 }), head, tail, fc.option(tail), (at, head, tail, key) => {
        const record = aRecord(Buffer.from([...head, ...tail]), key && Buffer.from(key));
        expectDecoded(decoders[at]?.(record));
      }),
      5_000,
    );
  });
});
