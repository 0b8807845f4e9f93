/** What a scrape or the status page is told of one partition. */
import type { OwnedPartition, PauseReason } from "../commit/partition.ts";
import type { Lane } from "../domain/mutation.ts";
import type { PartitionSnapshot } from "../telemetry/snapshot.ts";

/** A partition that a person paused is told so first, also while it has nothing to hold back. */
export const partitionSnapshot = (partition: OwnedPartition, nowMs: number, isPaused = false): PartitionSnapshot => {
  const { topic, isStarted, highWatermark, lastCommitMs, pausedFor } = partition;
  const lag = isStarted && highWatermark !== null ? Number(highWatermark - partition.watermark.committable) : null;
  return {
    topic,
    partition: partition.partition,
    endOffset: highWatermark === null ? null : Number(highWatermark),
    lag: lag === null ? null : Math.max(0, lag),
    oldestPendingAgeS: { live: ageS(partition, "live", nowMs), backfill: ageS(partition, "backfill", nowMs) },
    lastCommitS: lastCommitMs === null ? null : lastCommitMs / 1_000,
    paused: isPaused ? "paused" : (NEEDS_SOMEBODY.find((reason) => pausedFor.has(reason)) ?? [...pausedFor][0] ?? null),
  };
};

/** Of several reasons the one that no waiting ends is told. */
const NEEDS_SOMEBODY: readonly PauseReason[] = ["failures", "brake"];

/**
 * Records that were not decoded yet have no lane of their own. They count as live, unless what was decoded just before them is
 * a backfill: else each snapshot longer than the window would look like live changes that are late.
 */
const ageS = (partition: OwnedPartition, lane: Lane, nowMs: number): number => {
  const { isStarted, inbox } = partition;
  const pendingMs = (of: Lane): number | null => (isStarted ? partition.watermark.oldestPendingMs(of) : null);
  const isBackfill = pendingMs("live") === null && pendingMs("backfill") !== null;
  const unreadMs = lane === (isBackfill ? "backfill" : "live") ? (inbox[0]?.timestampMs ?? null) : null;
  const oldest = pendingMs(lane) ?? unreadMs;
  return oldest === null ? 0 : Math.max(0, (nowMs - oldest) / 1_000);
};
