/** avsc writes what our reader reads: two independent ideas of one encoding. */
import avsc from "avsc";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileAvroSchema } from "../../../src/decode/avro-schema.ts";
import { DecodeError } from "../../../src/decode/decode-error.ts";
import { toRow } from "../../../src/decode/plan.ts";
import { isStruct } from "../../../src/decode/raw.ts";

const record = (...fields: readonly (readonly [name: string, type: unknown])[]) => ({
  type: "record",
  name: "Value",
  namespace: "erp",
  fields: fields.map(([name, type]) => ({ name, type })),
});

const connect = (type: unknown, name: string, parameters: object = {}) => ({
  type,
  "connect.name": name,
  "connect.parameters": parameters,
});

const encode = (schema: unknown, value: unknown): Buffer =>
  avsc.Type.forSchema(schema as avsc.Schema, { wrapUnions: true }).toBuffer(value);

const rowOf = (schema: unknown, bytes: Buffer) => {
  const { read, plan } = compileAvroSchema([schema]);
  const raw = read(bytes, 0);
  if (!isStruct(raw)) throw new Error("not a struct");
  return { ...toRow(raw, plan, { hints: new Map(), isUnavailable: () => false }) };
};

const varint = (zigzag: bigint): Buffer => {
  const bytes: number[] = [];
  for (let rest = zigzag; ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 127n) | 128);
  }
};

const zigzag = (long: bigint): bigint => BigInt.asUintN(64, (long << 1n) ^ (long >> 63n));

const reasonOf = (read: () => unknown): string => {
  try {
    read();
    return "read";
  } catch (error) {
    return error instanceof DecodeError ? error.reason : String(error);
  }
};

describe("Avro", () => {
  test("every long keeps its digits: a number up to 2^53-1, text beyond", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (long) => {
        const { id } = rowOf(record(["id", "long"]), varint(zigzag(long)));
        expect(id).toBe(Number.isSafeInteger(Number(long)) ? Number(long) : String(long));
      }),
      {
        examples: [
          [2n ** 53n],
          [2n ** 53n - 1n],
          [-(2n ** 53n)],
          [-(2n ** 53n) + 1n],
          [2n ** 63n - 1n],
          [-(2n ** 63n)],
          [2n ** 28n],
          [-1n],
        ],
      },
    );
  });

  test("reads what avsc writes: lists, maps, enums, fixed bytes, unions, doubles", () => {
    const schema = record(
      ["flag", "boolean"],
      ["price", "double"],
      ["tags", { type: "array", items: ["null", "string"] }],
      ["attributes", { type: "map", values: "long" }],
      ["status", { type: "enum", name: "Status", symbols: ["open", "won"] }],
      ["hash", { type: "fixed", name: "Hash", size: 2 }],
      ["note", ["string", "null"]],
    );
    const value = {
      flag: true,
      price: 0.1,
      tags: [{ string: "a" }, null, { string: "č" }],
      attributes: { x: 1, __proto: 2 },
      status: "won",
      hash: Buffer.from([1, 2]),
      note: { string: "n" },
    };
    expect(rowOf(schema, encode(schema, value))).toEqual({
      ...value,
      tags: ["a", null, "č"],
      hash: { $base64: "AQI=" },
      note: "n",
    });
  });

  test("types come from connect.name, through options, lists and names", () => {
    const variable = {
      ...record(["scale", "int"], ["value", "bytes"]),
      name: "VariableScaleDecimal",
      namespace: "io.debezium.data",
      "connect.name": "io.debezium.data.VariableScaleDecimal",
    };
    const schema = record(
      ["born", ["null", connect("int", "io.debezium.time.Date")]],
      ["days", { type: "array", items: connect("int", "io.debezium.time.Date") }],
      ["credit", connect("bytes", "org.apache.kafka.connect.data.Decimal", { scale: "2" })],
      ["limit", variable],
      ["bonus", ["null", "io.debezium.data.VariableScaleDecimal"]],
      ["rebate", { type: "bytes", logicalType: "decimal", precision: 9, scale: 1 }],
      ["paid", connect("long", "io.debezium.time.MicroTimestamp")],
    );
    const money = (unscaled: number) => Buffer.from([unscaled]);
    const bytes = encode(schema, {
      born: { int: 19782 },
      days: [0, -1],
      credit: money(0xff),
      limit: { scale: 1, value: money(5) },
      bonus: { "io.debezium.data.VariableScaleDecimal": { scale: 0, value: money(7) } },
      rebate: money(12),
      paid: 1_718_454_896_789_012,
    });
    expect(rowOf(schema, bytes)).toEqual({
      born: "2024-02-29",
      days: ["1970-01-01", "1969-12-31"],
      credit: "-0.01",
      limit: "0.5",
      bonus: "7",
      rebate: "1.2",
      paid: "2024-06-15T12:34:56.789012",
    });
  });

  test("a float is the shortest decimal that it is, as JSON has it", () => {
    const schema = record(["price", "float"]);
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (float) => {
        const { price } = rowOf(schema, encode(schema, { price: float }));
        expect(Math.fround(Number(price))).toBe(float + 0); // no minus zero
      }),
    );
    expect(rowOf(schema, encode(schema, { price: Math.fround(0.1) }))).toEqual({ price: 0.1 });
    expect(rowOf(schema, encode(schema, { price: Number.NaN }))).toEqual({ price: "NaN" });
  });

  test("__proto__ is only a column, and text that begins with NUL stays text", () => {
    const schema = record(["__proto__", "string"], ["id", "long"]);
    const row = rowOf(schema, Buffer.concat([varint(4n), Buffer.from("\u00001"), varint(2n)]));
    expect(Object.entries(row)).toEqual([
      ["__proto__", "\u00001"],
      ["id", 1],
    ]);
  });

  test("a list that announces more items than bytes follow is refused before it is built", () => {
    const { read } = compileAvroSchema([record(["tags", { type: "array", items: "string" }])]);
    expect(reasonOf(() => read(varint(zigzag(2n ** 50n)), 0))).toBe("truncated-avro");
    expect(reasonOf(() => read(varint(zigzag(-(2n ** 63n))), 0))).toBe("truncated-avro");
    const nothings = compileAvroSchema([record(["tags", { type: "array", items: "null" }])]);
    expect(reasonOf(() => nothings.read(varint(zigzag(2n ** 50n)), 0))).toBe("truncated-avro");
  });

  test("too short, too long, unknown branches and symbols, invalid UTF-8, endless nesting", () => {
    const { read } = compileAvroSchema([record(["name", "string"])]);
    expect(reasonOf(() => read(Buffer.from([4, 65]), 0))).toBe("truncated-avro");
    expect(reasonOf(() => read(Buffer.from([2, 65, 0]), 0))).toBe("truncated-avro");
    expect(reasonOf(() => read(Buffer.from([2, 0xff]), 0))).toBe("bad-value");
    expect(() => read(Buffer.from([1]), 0)).toThrow("end in the middle of a value"); // a length of -1
    const union = compileAvroSchema([record(["name", ["null", "string"]])]);
    expect(reasonOf(() => union.read(Buffer.from([4]), 0))).toBe("truncated-avro");
    const list = { type: "record", name: "Node", fields: [{ name: "next", type: ["null", "Node"] }] };
    const chain = compileAvroSchema([list]);
    expect(reasonOf(() => chain.read(Buffer.from([2, 2, 0]), 0))).toBe("read");
    expect(reasonOf(() => chain.read(Buffer.alloc(100_000, 2), 0))).toBe("truncated-avro");
  });

  test("bytes at random give a row or a DecodeError, nothing else", () => {
    const { read } = compileAvroSchema([
      record(
        ["id", "long"],
        ["tags", ["null", { type: "array", items: { type: "map", values: "bytes" } }]],
        ["credit", ["null", connect("bytes", "org.apache.kafka.connect.data.Decimal", { scale: "2" })]],
      ),
    ]);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(["read", "truncated-avro", "bad-value"]).toContain(reasonOf(() => read(Buffer.from(bytes), 0)));
      }),
      { numRuns: 2_000 },
    );
  });
});
