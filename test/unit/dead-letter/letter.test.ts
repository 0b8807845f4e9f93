import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Burial,
  letterHeaders,
  omittedHeader,
  readLetter,
  replayHeaders,
} from "../../../src/dead-letter/letter.ts";
import type { RecordHeader } from "../../../src/domain/record.ts";
import { aPosition, aRecord } from "../../support/builders.ts";

const SENDER = { connectorName: "sink", connectorVersion: "1.0.0", taskId: "pod-1", configHash: "abc" };
const NOW = 1_800_000_000_000;

const aBurial = (burial: Partial<Burial> = {}): Burial => ({
  record: aRecord({ position: aPosition({ topic: "erp.customers", partition: 3, offset: 1_041n }) }),
  errant: { stage: "deliver", reason: "invalid-record", message: "no", httpStatus: 422, code: "blank", field: "name" },
  attempts: 2,
  firstAttemptMs: NOW - 5_000,
  names: { batchId: "7x-1", requestId: "b5h8u-qn0oj" },
  nowMs: NOW,
  replayed: null,
  ...burial,
});

const asText = (headers: readonly RecordHeader[]) =>
  Object.fromEntries(headers.map(([name, value]) => [name, String(value)]));

test("it says where the record stood, why it failed, how often it was tried, and who wrote that", () => {
  expect(asText(letterHeaders(aBurial(), SENDER))).toEqual({
    "__connect.errors.topic": "erp.customers",
    "__connect.errors.partition": "3",
    "__connect.errors.offset": "1041",
    "__connect.errors.connector.name": "sink",
    "__connect.errors.task.id": "pod-1",
    "__connect.errors.stage": "deliver",
    "__connect.errors.class.name": "sell-sink.deliver",
    "__connect.errors.exception.class.name": "sell-sink.invalid-record",
    "__connect.errors.exception.message": "no",
    "x-sink.reason": "invalid-record",
    "x-sink.attempts": "2",
    "x-sink.first-attempt-ms": String(NOW - 5_000),
    "x-sink.last-attempt-ms": String(NOW),
    "x-sink.http-status": "422",
    "x-sink.item-code": "blank",
    "x-sink.item-field": "name",
    "x-sink.request-id": "b5h8u-qn0oj",
    "x-sink.batch-id": "7x-1",
    "x-sink.record-timestamp": "1700000000000",
    "x-sink.key-hash": "6b86b273ff34fce1",
    "x-sink.connector-version": "1.0.0",
    "x-sink.config-hash": "abc",
    "x-sink.replay-count": "0",
  });
});

test("a record framed by a schema registry names its schema, a record without key no hash", () => {
  const record = aRecord({ key: null, value: Buffer.from([0, 0, 0, 1, 2, 9]) });
  const headers = asText(letterHeaders(aBurial({ record }), SENDER));
  expect(headers["x-sink.schema-id"]).toBe("258");
  expect(headers).not.toHaveProperty("x-sink.key-hash");
});

test("it is found again by the names of the request that was refused, and has none where no request left", () => {
  const namesIn = (names: Burial["names"]) => {
    const { batchId, requestId } = readLetter({ headers: letterHeaders(aBurial({ names }), SENDER) }) ?? {};
    return { batchId, requestId };
  };
  expect(namesIn({ batchId: "7x-1", requestId: "b5h8u-qn0oj" })).toEqual({ batchId: "7x-1", requestId: "b5h8u-qn0oj" });
  expect(namesIn({ batchId: "7x-1", requestId: null })).toEqual({ batchId: "7x-1", requestId: null });
  expect(namesIn(null)).toEqual({ batchId: null, requestId: null });
});

test("what it is about, by key, stands in the letter behind the sentence", () => {
  const errant = { stage: "deliver", reason: "unresolved-reference", message: "No.", about: "a -> deals 7" } as const;
  expect(readLetter({ headers: letterHeaders(aBurial({ errant }), SENDER) })?.message).toBe("No. a -> deals 7");
});

test("a message is cut to 1 KB of bytes, never inside a character", () => {
  const errant = { stage: "decode", reason: "bad-value", message: `x${"€".repeat(1_000)}` } as const;
  const message = readLetter({ headers: letterHeaders(aBurial({ errant }), SENDER) })?.message ?? "";
  expect(Buffer.byteLength(message)).toBeGreaterThan(1_020);
  expect(Buffer.byteLength(message)).toBeLessThanOrEqual(1_024);
  expect(message).toMatch(/^x€+$/);
});

const anyHeaders = fc.array(
  fc.tuple(
    fc.oneof(fc.string(), fc.constantFrom("__connect.errors.topic", "x-sink.reason", "x-sink.replay-count")),
    fc.option(fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes))),
  ),
  { maxLength: 6 },
);

test("whatever headers a record has, the letter gives them back, also after replays that failed again", () => {
  fc.assert(
    fc.property(anyHeaders, fc.integer({ min: 0, max: 3 }), fc.boolean(), (own, replays, isCut) => {
      let record = aRecord({ position: aPosition({ offset: 7n }), headers: own });
      let headers = [...own, ...letterHeaders(aBurial({ record }), SENDER), ...(isCut ? [omittedHeader("value")] : [])];
      for (let count = 0; count < replays; count++) {
        record = aRecord({
          position: aPosition({ topic: "letters.replay" }),
          headers: replayHeaders({ headers }, null),
        });
        const replayed = readLetter(record);
        headers = [...(replayed?.headers ?? []), ...letterHeaders(aBurial({ record, replayed }), SENDER)];
      }
      const letter = readLetter({ headers });
      expect(letter).toMatchObject({ replayCount: replays, reason: "invalid-record", firstAttemptMs: NOW - 5_000 });
      expect(letter?.origin).toEqual({ topic: "erp.customers", partition: 0, offset: 7n });
      expect(letter?.headers).toEqual(own);
      expect(letter?.omitted).toBe(isCut && replays === 0 ? "value" : "nothing");
    }),
  );
});

test("a record that is no letter of ours is none, whatever its headers say", () => {
  const forged = (headers: Record<string, string>) =>
    readLetter({ headers: Object.entries(headers).map(([name, value]) => [name, Buffer.from(value)]) });
  const good = { "__connect.errors.topic": "t", "__connect.errors.partition": "0", "__connect.errors.offset": "1" };
  expect(readLetter({ headers: [] })).toBeNull();
  expect(forged(good)).toBeNull();
  expect(forged({ ...good, "x-sink.reason": "r" })).not.toBeNull();
  expect(forged({ ...good, "x-sink.reason": "r", "__connect.errors.offset": "-1" })).toBeNull();
  expect(forged({ ...good, "x-sink.reason": "r", "__connect.errors.partition": "0x1" })).toBeNull();
});
