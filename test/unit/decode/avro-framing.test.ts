import { describe, expect, test } from "vitest";
import type { Encoding } from "../../../src/decode/encoding.ts";
import type { RecordHeader } from "../../../src/domain/record.ts";
import { aRecord, changeOf, decoderOf, reasonOf } from "./support.ts";

const KEY = { type: "record", name: "Key", fields: [{ name: "id", type: "long" }] };
const GUID = "00112233-4455-6677-8899-aabbccddeeff";
const GUID_BYTES = Buffer.from(GUID.replaceAll("-", ""), "hex");
/** The key 3, as a tombstone's. */
const DATUM = Buffer.from([6]);

const framed = (...parts: readonly (Buffer | readonly number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => Buffer.from(part)));

const decode = (encoding: Encoding, key: Buffer, headers: readonly RecordHeader[] = []) =>
  decoderOf({ format: "debezium-avro", encoding }, { 7: KEY, [GUID]: KEY })(aRecord(null, key, headers));

describe("a schema id", () => {
  test.each<readonly [Encoding, Buffer, readonly RecordHeader[]]>([
    ["confluent-avro", framed([0, 0, 0, 0, 7], DATUM), []],
    ["apicurio-avro-8", framed([0, 0, 0, 0, 0, 0, 0, 0, 7], DATUM), []],
    ["apicurio-avro-headers", DATUM, [["apicurio.key.globalId", framed([0, 0, 0, 0, 0, 0, 0, 7])]]],
    ["apicurio-avro-headers", DATUM, [["apicurio.key.contentId", framed([0, 0, 0, 0, 0, 0, 0, 7])]]],
    ["apicurio-avro-headers", framed([0, 0, 0, 0, 0, 0, 0, 0, 7], DATUM), []],
    ["confluent-avro-guid-header", DATUM, [["__key_schema_id", framed([1], GUID_BYTES)]]],
    ["confluent-avro-guid-header", DATUM, [["__key_schema_id", framed([0, 0, 0, 0, 7])]]],
    ["confluent-avro-guid-header", framed([0, 0, 0, 0, 7], DATUM), [["__value_schema_id", framed([1])]]],
  ])("%s %j", (encoding, key, headers) => {
    expect(changeOf(decode(encoding, key, headers)).key).toEqual({ id: 3 });
  });

  test("in a header leaves bare Avro, which may begin with a zero; the last header counts", () => {
    const headers: RecordHeader[] = [
      ["__key_schema_id", framed([0, 0, 0, 0, 9])],
      ["__key_schema_id", framed([1], GUID_BYTES)],
    ];
    expect(changeOf(decode("confluent-avro-guid-header", Buffer.from([0]), headers)).key).toEqual({ id: 0 });
  });

  test.each<readonly [string, Encoding, Buffer, readonly RecordHeader[]]>([
    ["unknown-magic-byte", "apicurio-avro-8", framed([1, 0, 0, 0, 0, 0, 0, 0, 7], DATUM), []],
    ["truncated-avro", "apicurio-avro-8", framed([0, 0, 0, 0, 7]), []],
    ["unknown-magic-byte", "apicurio-avro-headers", DATUM, []],
    ["unknown-magic-byte", "apicurio-avro-headers", DATUM, [["apicurio.key.globalId", DATUM]]],
    ["unknown-magic-byte", "confluent-avro-guid-header", DATUM, [["__key_schema_id", null]]],
    ["unknown-magic-byte", "confluent-avro-guid-header", DATUM, [["__key_schema_id", framed([1, 2])]]],
    ["schema-unknown", "apicurio-avro-8", framed([0, 0, 0, 0, 7, 0, 0, 0, 7], DATUM), []],
  ])("%s: %s %j", (reason, encoding, key, headers) => {
    expect(reasonOf(decode(encoding, key, headers))).toBe(reason);
  });
});

test("JSON behind an id is JSON, with and without the id, and the id alone is none", () => {
  const decodeJson = (key: Buffer) =>
    decoderOf({ format: "debezium-json", encoding: "confluent-json-schema" })(aRecord(null, key));
  expect(changeOf(decodeJson(framed([0, 0, 0, 0, 7], Buffer.from('{"id":3}')))).key).toEqual({ id: 3 });
  expect(changeOf(decodeJson(Buffer.from('{"id":3}'))).key).toEqual({ id: 3 });
  expect(reasonOf(decodeJson(Buffer.from([0, 0, 0, 0, 7])))).toBe("invalid-json");
});
