/** What a scrape or the status page is told of one partition. */
import type { OwnedPartition } from "../commit/partition.ts";
import type { Lane } from "../domain/mutation.ts";
import type { PartitionSnapshot } from "../telemetry/snapshot.ts";
import type { Stop } from "./pauses.ts";

/** What is known of its topic. */
export interface TopicState {
  /** Of records that were not decoded yet. */
  readonly lane: Lane;
  /** Why it stands still until a person acts: told first, and also while the partition has nothing to hold back. */
  readonly stop: Stop | null;
}

export const partitionSnapshot = (
  partition: OwnedPartition,
  nowMs: number,
  { lane, stop }: TopicState,
): PartitionSnapshot => {
  const { topic, isStarted, highWatermark, lastCommitMs, pausedFor } = partition;
  const lag = isStarted && highWatermark !== null ? Number(highWatermark - partition.watermark.committable) : null;
  const ageOf = (of: Lane): number => ageS(partition, of, lane, nowMs);
  return {
    topic,
    partition: partition.partition,
    endOffset: highWatermark === null ? null : Number(highWatermark),
    lag: lag === null ? null : Math.max(0, lag),
    oldestPendingAgeS: { live: ageOf("live"), backfill: ageOf("backfill") },
    lastCommitS: lastCommitMs === null ? null : lastCommitMs / 1_000,
    paused: stop ?? [...pausedFor][0] ?? null,
  };
};

/**
 * Records that were not decoded yet have no lane of their own. They count as of their topic's lane, or as backfill if what was
 * decoded just before them is: else each snapshot longer than the window would look like live changes that are late.
 */
const ageS = (partition: OwnedPartition, lane: Lane, topicLane: Lane, nowMs: number): number => {
  const { isStarted, inbox } = partition;
  const pendingMs = (of: Lane): number | null => (isStarted ? partition.watermark.oldestPendingMs(of) : null);
  const isBackfill = topicLane === "backfill" || (pendingMs("live") === null && pendingMs("backfill") !== null);
  const unreadMs = lane === (isBackfill ? "backfill" : "live") ? (inbox[0]?.timestampMs ?? null) : null;
  const oldest = pendingMs(lane) ?? unreadMs;
  return oldest === null ? 0 : Math.max(0, (nowMs - oldest) / 1_000);
};
