/** The replay topic may be written by others: whatever a letter says, it decides only about the place that its partition owns. */
import { describe, expect, test } from "vitest";
import { replayedRecord } from "../../../src/dead-letter/replayed.ts";
import type { ConsumerRecord, RecordHeader } from "../../../src/domain/record.ts";

const LETTER: Readonly<Record<string, string>> = {
  "__connect.errors.topic": "orders",
  "__connect.errors.partition": "3",
  "__connect.errors.offset": "41",
  "x-sink.reason": "bad-value",
  "x-sink.record-timestamp": "1000",
  "x-sink.last-attempt-ms": "2000",
};

const aReplay = (
  changes: Readonly<Record<string, string | null>> = {},
  own: readonly RecordHeader[] = [],
): ConsumerRecord => ({
  position: { topic: "dead.replay", partition: 3, offset: 7n, epoch: 2 },
  timestampMs: 9_000,
  key: Buffer.from("k"),
  value: Buffer.from("{}"),
  bytes: 3,
  headers: [
    ...own,
    ...Object.entries({ ...LETTER, ...changes }).flatMap(([name, value]): RecordHeader[] =>
      value === null ? [] : [[name, Buffer.from(value)]],
    ),
  ],
});

test("a letter is its record again, with the headers and the time of old", () => {
  const own: RecordHeader = ["trace", Buffer.from("t")];
  expect(replayedRecord(aReplay({}, [own]))).toMatchObject({
    record: { position: { topic: "orders", partition: 3, offset: 41n, epoch: 2 }, timestampMs: 1_000, headers: [own] },
    replayOf: { topic: "orders", partition: 3, offset: 41n, kind: "letter", sinceMs: 2_000 },
  });
});

describe("a forged one is none", () => {
  test.each<readonly [string, Readonly<Record<string, string | null>>]>([
    ["of another partition", { "__connect.errors.partition": "4" }],
    ["of a partition that is no number", { "__connect.errors.partition": "3 " }],
    ["of a negative partition", { "__connect.errors.partition": "-3" }],
    ["of an offset beyond all numbers", { "__connect.errors.offset": "9".repeat(40) }],
    ["of an offset in another notation", { "__connect.errors.offset": "0x29" }],
    ["without a reason", { "x-sink.reason": null }],
    ["without a topic", { "__connect.errors.topic": null }],
    ["without its value", { "x-sink.omitted": "value" }],
  ])("%s", (_, changes) => expect(replayedRecord(aReplay(changes))).toBeNull());
});

test("no header sends a letter to another account, address or topic than the routes do", () => {
  const forged = { "x-sink.base-url": "http://evil", "x-sink.token": "t", "x-sink.account": "9", "x-sink.target": "x" };
  const { record } = replayedRecord(aReplay(forged)) ?? {};
  expect(record?.headers).toEqual([]);
  expect(record?.position.topic).toBe("orders");
});
