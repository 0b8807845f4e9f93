/** Input meant to break a decoder, or that some ERP holds by accident. Each ends at once, as a value or an errant record. */
import { describe, expect, test } from "vitest";
import { compileAvroSchema } from "../../../src/decode/avro-schema.ts";
import { DecodeError } from "../../../src/decode/decode-error.ts";
import type { Hints } from "../../../src/decode/plan.ts";
import { aRecord, changeOf, decoderOf, reasonOf } from "./support.ts";

const MIB = 2 ** 20;

/** A plain row of one column, written as JSON text. */
const decodeColumn = (text: string, hint?: string) => {
  const hints: Hints = hint === undefined ? {} : { a: hint };
  return decoderOf({ format: "json", hints })(aRecord(`{"a":${text}}`, null));
};
const columnOf = (text: string, hint?: string) => changeOf(decodeColumn(text, hint)).after?.a;

describe("a megabyte in one column", () => {
  const nines = "9".repeat(MIB);
  const zeros = "0".repeat(MIB);

  test.each<readonly [title: string, text: string, hint: string | undefined, length: number | string]>([
    ["a string", `"${"ü".repeat(MIB)}"`, undefined, MIB],
    ["a string of escapes", `"${"\\u0041".repeat(MIB)}"`, undefined, MIB],
    ["an integer", nines, undefined, MIB],
    ["zeros before a one, behind the point", `0.${zeros}1`, undefined, MIB + 3],
    ["zeros between two ones", `1.${zeros}1`, undefined, MIB + 3],
    ["zeros behind a one, that are but a one", `1.${zeros}`, undefined, "number"],
    ["an exponent", `1e${nines}`, undefined, "bad-value"],
    ["an integer that should be money", nines, "decimal(2)", MIB + 3],
    ["money with too many digits", `0.${nines}`, "decimal(2)", "bad-value"],
    ["base64 that should be money", `"${"AAAA".repeat(MIB / 4)}"`, "decimal(2)", "bad-value"],
    ["an integer that should be a time", nines, "microTimestamp", "bad-value"],
    ["an integer that should have 64 bits", nines, "int64", "bad-value"],
    ["base64 that should be three bits", `"${"AAAA".repeat(MIB / 4)}"`, "bits(3)", 3],
    ["bytes", `"${"AAAA".repeat(MIB / 4)}"`, "bytes", "object"],
    ["nothing but minuses", "-".repeat(MIB), undefined, "invalid-json"],
    ["a string without end", `"${"\\".repeat(MIB)}`, undefined, "invalid-json"],
  ])("%s", (_, text, hint, wanted) => {
    const decoded = decodeColumn(text, hint);
    if (decoded.status !== "changes") return expect(reasonOf(decoded)).toBe(wanted);
    const value = changeOf(decoded).after?.a;
    const bits = typeof value === "object" && value !== null && "$bits" in value ? value.$bits : value;
    expect(typeof wanted === "number" ? String(bits).length : typeof bits).toBe(wanted);
  });
});

describe("structure without end", () => {
  const decode = decoderOf({ format: "debezium-json" });

  test.each([
    ["lists", `{"op":"c","after":{"a":${"[".repeat(MIB)}`],
    ["objects", `{"op":"c","after":${'{"a":'.repeat(MIB / 5)}`],
    ["closed lists", `{"op":"c","after":{"a":${"[".repeat(200)}${"]".repeat(200)}}}`],
    ["a schema", `{"schema":${'{"type":"array","items":'.repeat(1_000)}1${"}".repeat(1_000)},"payload":null}`],
  ])("of %s is refused", (_, text) => expect(reasonOf(decode(aRecord(text)))).toBe("invalid-json"));

  test("a row of more columns than any table has, and a record of more bytes than any row", () => {
    const columns = Array.from({ length: 60_000 }, (_, at) => `"c${at}":1`);
    expect(reasonOf(decode(aRecord(`{"op":"c","after":{${columns}}}`)))).toBe("bad-value");
    expect(columnOf(`{${columns}}`)).toBeTypeOf("object");
    expect(reasonOf(decode(aRecord(Buffer.alloc(33 * MIB, 0x20))))).toBe("too-large");
    expect(reasonOf(decode(aRecord("{}", Buffer.alloc(33 * MIB, 0x20))))).toBe("too-large");
  });

  test("Extended JSON inside of Extended JSON is as deep as JSON may be", () => {
    const nested = `${'{"$date":'.repeat(90)}1${"}".repeat(90)}`;
    const after = JSON.stringify(`{"a":${nested}}`);
    const value = `{"op":"c","after":${after},"source":{"connector":"mongodb"}}`;
    expect(["a change", "bad-value"]).toContain(reasonOf(decoderOf({ format: "mongodb" })(aRecord(value))));
  });
});

describe("names and values that other programs trip over", () => {
  const decode = decoderOf({ format: "json" });
  const rowOf = (text: string) => changeOf(decode(aRecord(text, null))).after ?? {};

  test("__proto__ and its like are columns, here and in what is nested", () => {
    const text = '{"__proto__":{"admin":true},"constructor":1,"a":{"__proto__":[1],"toString":2}}';
    const row = rowOf(text);
    expect(Object.keys(row)).toEqual(["__proto__", "constructor", "a"]);
    expect(JSON.stringify(row)).toBe(text);
    expect([row.admin, ({} as { admin?: unknown }).admin]).toEqual([undefined, undefined]);
  });

  test("of a name that comes twice the last one counts", () => {
    expect({ ...rowOf('{"a":1,"a":18446744073709551615,"b":{"c":1,"c":null}}') }).toEqual({
      a: "18446744073709551615",
      b: { c: null },
    });
  });

  test("NaN and the infinities are text where they are text, and no JSON where they are not", () => {
    expect([columnOf('"NaN"'), columnOf('"-Infinity"')]).toEqual(["NaN", "-Infinity"]);
    for (const text of ["NaN", "Infinity", "-Infinity", "1e400x"])
      expect(reasonOf(decodeColumn(text))).toBe("invalid-json");
    expect(reasonOf(decodeColumn('"NaN"', "decimal(2)"))).toBe("bad-value");
    expect(reasonOf(decodeColumn("1e400"))).toBe("bad-value");
  });

  test("half a surrogate is kept as an escape, and is no text as bytes", () => {
    expect(columnOf('"\\ud800"')).toBe("\ud800");
    expect(JSON.stringify(columnOf('"a\\udc00"'))).toBe('"a\\udc00"');
    expect(reasonOf(decode(aRecord(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), null)))).toBe("invalid-json");
    expect(columnOf('"\\u0000\\u00001"')).toBe("\u0000\u00001");
  });

  test.each([
    ["date", "-719528", "0000-01-01"],
    ["date", "-719529", "-000001-12-31"],
    ["date", "2932896", "9999-12-31"],
    ["date", "2932897", "+010000-01-01"],
    ["timestamp", "-62167219200000", "0000-01-01T00:00:00.000"],
    ["microTimestamp", "253402300799999999", "9999-12-31T23:59:59.999999"],
    ["microTimestamp", "9223372036825200000", null],
    ["nanoTimestamp", "-9223372036854775808", null],
    ["date", "2147483649", "bad-value"],
    ["date", "1.5", "bad-value"],
  ])("a %s of %s is %s", (hint, text, wanted) => {
    const decoded = decodeColumn(text, hint);
    expect(decoded.status === "changes" ? columnOf(text, hint) : reasonOf(decoded)).toBe(wanted);
  });
});

describe("Avro that announces what it does not hold", () => {
  const varint = (long: bigint): number[] => {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, (long << 1n) ^ (long >> 63n));
    for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
    return [...bytes, Number(rest)];
  };

  const reasonFor = (schemas: readonly unknown[], bytes: Buffer): string => {
    try {
      compileAvroSchema(schemas).read(bytes, 0);
      return "read";
    } catch (error) {
      return error instanceof DecodeError ? error.reason : String(error);
    }
  };

  const NOTHING = { type: "record", name: "Nothing", fields: [] };
  const NO_BYTES = { type: "fixed", name: "NoBytes", size: 0 };

  test.each([
    ["strings", "string"],
    ["nulls", "null"],
    ["records without fields", NOTHING],
    ["fixed types of no bytes", NO_BYTES],
  ])("a list of 2^60 %s", (_, items) => {
    for (const count of [2n ** 60n, 2n ** 50n, 3_000_000_000n, -(2n ** 60n), -(2n ** 63n)])
      expect(reasonFor([{ type: "array", items }], Buffer.from([...varint(count), 2, 0]))).toBe("truncated-avro");
  });

  test("a map of billions, and a text of as many bytes", () => {
    const many = Buffer.from([...varint(4_000_000_000n), 2, 65, 2]);
    for (const schema of [{ type: "map", values: "long" }, "string", "bytes"])
      expect(reasonFor([schema], many)).toBe("truncated-avro");
  });

  test("a number of more than 64 bits", () => {
    for (const last of [0x02, 0x7f])
      expect(reasonFor(["long"], Buffer.from([...Array(9).fill(0xff), last]))).toBe("truncated-avro");
    expect(reasonFor(["long"], Buffer.alloc(11, 0xff))).toBe("truncated-avro");
    expect(reasonFor(["long"], Buffer.from([...Array(9).fill(0xff), 0x01]))).toBe("read");
  });

  test("block after block of as many nulls as there are bytes left", () => {
    const blocks = Buffer.from(Array.from({ length: 300_000 }, () => varint(900_000n)).flat());
    expect(reasonFor([{ type: "array", items: "null" }], blocks)).toBe("truncated-avro");
  });

  test("a few nulls in a list are read", () => {
    expect(compileAvroSchema([{ type: "array", items: "null" }]).read(Buffer.from([6, 0]), 0)).toEqual([
      null,
      null,
      null,
    ]);
  });

  test("records of ten records of ten records, and no bytes at all", () => {
    const record = (level: number): unknown => ({
      ...{ type: "record", name: `L${level}` },
      fields: Array.from({ length: 10 }, (_, at) => ({
        name: `f${at}`,
        type: level === 0 ? "null" : at === 0 ? record(level - 1) : `L${level - 1}`,
      })),
    });
    expect(reasonFor([record(12)], Buffer.alloc(0))).toBe("truncated-avro");
    expect(reasonFor([record(3)], Buffer.alloc(0))).toBe("read");
  });

  test("a million small records in a list are what they are", () => {
    const row = { type: "record", name: "Row", fields: [{ name: "id", type: ["null", "long"] }] };
    const rows = Buffer.concat([
      Buffer.from(varint(500_000n)),
      Buffer.alloc(MIB, Buffer.from([2, 2])).subarray(0, 1_000_000),
      Buffer.from([0]),
    ]);
    expect(reasonFor([{ type: "array", items: row }], rows)).toBe("read");
  });
});
