import { expect, test } from "vitest";
import { OwnedPartition } from "../../../src/commit/partition.ts";
import type { SourceRecord } from "../../../src/domain/stages.ts";

const aSourceRecord = (offset: bigint): SourceRecord => ({
  offset,
  timestampMs: 7,
  key: Buffer.from("k"),
  value: Buffer.from("four"),
  headers: [["h", Buffer.from("22")]],
});

const aPartition = (): OwnedPartition => new OwnedPartition({ topic: "orders", partition: 3 }, 5);

test("takes in each record once, however often it is fetched", () => {
  const partition = aPartition();
  partition.receive([1n, 2n].map(aSourceRecord), 3n);
  partition.receive([1n, 2n, 4n].map(aSourceRecord), 5n);
  expect(partition.inbox.map(({ position }) => position)).toEqual(
    [1n, 2n, 4n].map((offset) => ({ topic: "orders", partition: 3, offset, epoch: 5 })),
  );
});

test("counts what its records hold, headers included, until each is released", () => {
  const partition = aPartition();
  partition.receive([1n, 2n].map(aSourceRecord), 3n);
  expect(partition.held).toEqual({ records: 2, bytes: 16 });
  for (const record of partition.inbox) partition.release(record);
  expect(partition.held).toEqual({ records: 0, bytes: 0 });
});

test("has something to commit when its watermark moved, or what is settled above it", () => {
  const partition = aPartition();
  partition.startAt(10n, []);
  for (const offset of [10n, 11n]) partition.watermark.track(offset, 0);
  expect(partition.moved).toBe(false);
  partition.watermark.settle(11n);
  expect(partition.moved).toBe(true);
  partition.stored = { offset: 10n, settledAbove: 1 };
  expect(partition.moved).toBe(false);
  partition.watermark.settle(10n);
  expect(partition.moved).toBe(true);
});

test("lost, it forgets its inbox and ends every wait for it", () => {
  const partition = aPartition();
  partition.receive([aSourceRecord(1n)], 2n);
  partition.lose();
  expect([partition.state, partition.inbox.length, partition.signal.aborted]).toEqual(["lost", 0, true]);
});
