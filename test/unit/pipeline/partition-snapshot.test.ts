/** How old the oldest record of a lane is: what alerts ask. */
import { expect, test } from "vitest";
import { OwnedPartition, type PauseReason } from "../../../src/commit/partition.ts";
import type { Lane } from "../../../src/domain/mutation.ts";
import { partitionSnapshot } from "../../../src/pipeline/partition-snapshot.ts";

const NOW_MS = 1_000_000;

type Aged = readonly [ageS: number, lane?: Lane];

/** Records of these ages in seconds; those with a lane are decoded, the others still in the inbox. */
const agesOf = (...records: readonly Aged[]) => agesIn("live", records);

const agesIn = (lane: Lane, records: readonly Aged[]) => {
  const partition = new OwnedPartition({ topic: "orders", partition: 3 }, 1);
  partition.startAt(0n, []);
  const toMs = (ageS: number): number => NOW_MS - 1_000 * ageS;
  for (const [index, [ageS, decodedAs]] of records.entries()) {
    const offset = BigInt(index);
    if (decodedAs === undefined) {
      partition.receive([{ offset, timestampMs: toMs(ageS), key: null, value: null, headers: [] }], offset + 1n);
    } else {
      partition.watermark.track(offset, toMs(ageS));
      partition.watermark.expect(offset, 1, decodedAs);
    }
  }
  return partitionSnapshot(partition, NOW_MS, { lane, stop: null }).oldestPendingAgeS;
};

test("the oldest record of each lane counts", () => {
  expect(agesOf([50, "backfill"], [40, "live"], [30, "live"])).toEqual({ live: 40, backfill: 50 });
});

test("nothing waits: 0, also for records from the future", () => {
  expect(agesOf()).toEqual({ live: 0, backfill: 0 });
  expect(agesOf([-5, "live"])).toEqual({ live: 0, backfill: 0 });
});

test("what was not decoded yet counts as live", () => {
  expect(agesOf([20])).toEqual({ live: 20, backfill: 0 });
});

test("behind a backfill alone it counts as more of that, so that no backfill looks like late live changes", () => {
  expect(agesOf([50, "backfill"], [40])).toEqual({ live: 0, backfill: 50 });
  expect(agesOf([50, "backfill"], [45, "live"], [40])).toEqual({ live: 45, backfill: 50 });
});

test("of a topic that is read as backfill nothing counts as live, decoded or not", () => {
  expect(agesIn("backfill", [[20]])).toEqual({ live: 0, backfill: 20 });
  expect(agesIn("backfill", [[30, "backfill"], [20]])).toEqual({ live: 0, backfill: 30 });
});

test("of several reasons to pause the one that no waiting ends is told, also where there is nothing to hold back", () => {
  const partition = new OwnedPartition({ topic: "orders", partition: 3 }, 1);
  const pausedFor = (stop: "brake" | null, ...reasons: readonly PauseReason[]): string | null => {
    partition.pausedFor.clear();
    for (const reason of reasons) partition.pausedFor.add(reason);
    return partitionSnapshot(partition, NOW_MS, { lane: "live", stop }).paused;
  };
  expect(pausedFor(null)).toBeNull();
  expect(pausedFor(null, "window", "quota")).toBe("window");
  expect(pausedFor("brake", "window")).toBe("brake");
  expect(pausedFor("brake")).toBe("brake");
});
