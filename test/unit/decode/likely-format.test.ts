/** What each captured record looks like: the format it has, told alone or among several that cannot be told apart. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { likelyFormat } from "../../../src/decode/likely-format.ts";
import type { RecordHeader } from "../../../src/domain/record.ts";
import { bytesOf, shapeOf, VECTORS, type Vector } from "./vectors.ts";

const likelyOf = (vector: Vector) => likelyFormat(bytesOf(vector));

const formatOf = (vector: Vector): string =>
  vector.encoding.includes("avro") ? shapeOf(vector).replace("json", "avro") : shapeOf(vector);

/** Tombstones, and what somebody broke on purpose: nothing can be said of them. */
const SAY_NOTHING = new Set([
  ...["pg-pk-update-2-tombstone", "flat-rewrite-with-tombstone-tombstone", "mysql-keyless-tombstone-null-null"],
  ...["flat-default-delete-avro", "flat-default-delete-schema-payload-null"],
  ...["bad-not-json", "bad-avro-unknown-magic", "bad-empty-value"],
]);

describe("a record looks like what it is, or says nothing", () => {
  for (const vector of VECTORS)
    test(vector.name, () => {
      const { formats, encodings } = likelyOf(vector);
      if (SAY_NOTHING.has(vector.name)) {
        expect(formats).toEqual([]);
        return;
      }
      expect(formats).toContain(formatOf(vector));
      expect(encodings).toEqual([vector.encoding]);
    });

  test("most are told alone; rows without a word of their own, bare Avro and control records are not", () => {
    const several = VECTORS.filter((vector) => likelyOf(vector).formats.length > 1).map(({ name }) => name);
    expect(several).toEqual([
      ...["pg-delete-avro", "pg-transaction-begin", "pg-transaction-end"],
      ...["pg-logical-message-transactional", "pg-logical-message-non-transactional", "heartbeat"],
      ...["decimal-precise-avro", "time-adaptive-avro", "types-misc-avro"],
      ...["flat-default-create", "flat-non-envelope-passes-through", "outbox-expanded", "mysql-schema-change"],
      ...["avro-apicurio-headers", "avro-apicurio-8-byte-id", "jdbc-source-row"],
    ]);
  });
});

const ofJson = (value: unknown, headers: readonly RecordHeader[] = [], key: string | null = null) =>
  likelyFormat({ key: key === null ? null : Buffer.from(key), value: Buffer.from(JSON.stringify(value)), headers });

test("what no vector has", () => {
  expect(ofJson({ schemaId: 3, payload: { op: "c", source: {}, after: {} } })).toMatchObject({
    formats: ["debezium-json"],
    encodings: ["apicurio-json"],
  });
  expect(ofJson('{"total":5}').formats).toEqual(["outbox"]);
  expect(ofJson({ metadata: { "record-type": "data" }, data: {} }).formats).toEqual(["dms"]);
  expect(ofJson({ op_type: "I", scn: "17", ID: 1 }).formats).toEqual(["confluent-oracle"]);
  expect(ofJson({ total: 5 }, [["id", Buffer.from("e-1")]], "4711").formats[0]).toBe("outbox");
  expect(ofJson([1, 2])).toMatchObject({ formats: [] });
});

test("any bytes will do", () => {
  const bytes = fc.option(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.json().map((text) => Buffer.from(text)),
    ),
  );
  const headers = fc.array(fc.tuple(fc.constantFrom("__value_schema_id", "id"), fc.constant(null)), { maxLength: 2 });
  fc.assert(
    fc.property(bytes, bytes, headers, (key, value, names) => {
      const { formats, encodings } = likelyFormat({
        key: key && Buffer.from(key),
        value: value && Buffer.from(value),
        headers: names,
      });
      expect(formats.length === 0 || encodings.length > 0).toBe(true);
    }),
  );
});
