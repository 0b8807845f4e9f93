/** What a scrape or the status page is told of one partition. */
import type { OwnedPartition } from "./commit/partition.ts";
import type { Lane } from "./domain/mutation.ts";
import type { PartitionSnapshot } from "./telemetry/snapshot.ts";

export const partitionSnapshot = (partition: OwnedPartition, nowMs: number): PartitionSnapshot => {
  const { topic, isStarted, highWatermark, lastCommitMs, pausedFor } = partition;
  const lag = isStarted && highWatermark !== null ? Number(highWatermark - partition.watermark.committable) : null;
  return {
    topic,
    partition: partition.partition,
    endOffset: highWatermark === null ? null : Number(highWatermark),
    lag: lag === null ? null : Math.max(0, lag),
    oldestPendingAgeS: { live: ageS(partition, "live", nowMs), backfill: ageS(partition, "backfill", nowMs) },
    lastCommitS: lastCommitMs === null ? null : lastCommitMs / 1_000,
    paused: [...pausedFor][0] ?? null,
  };
};

/** The inbox counts as live until a record was decoded. */
const ageS = (partition: OwnedPartition, lane: Lane, nowMs: number): number => {
  const tracked = partition.isStarted ? partition.watermark.oldestPendingMs(lane) : null;
  const oldest = tracked ?? (lane === "live" ? (partition.inbox[0]?.timestampMs ?? null) : null);
  return oldest === null ? 0 : Math.max(0, (nowMs - oldest) / 1_000);
};
