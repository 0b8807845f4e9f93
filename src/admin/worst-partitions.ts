/** The partitions that are furthest behind: of a thousand a person looks at the first rows. Pure. */
import type { PartitionSnapshot } from "../telemetry/snapshot.ts";

export const ROWS_MAX = 20;

export interface PartitionRow {
  readonly topic: string;
  readonly partition: number;
  /** Null until the broker has told of its end. */
  readonly records: number | null;
  readonly ageS: number;
  readonly paused: string | null;
}

export interface WorstPartitions {
  /** Those that wait longest first, then those with the most records; at most `ROWS_MAX`. */
  readonly rows: readonly PartitionRow[];
  readonly all: number;
  /** Partitions in which something waits. */
  readonly behind: number;
}

export const worstPartitions = (partitions: readonly PartitionSnapshot[]): WorstPartitions => {
  const rows = partitions.map(rowOf).sort(byNeed);
  return {
    rows: rows.slice(0, ROWS_MAX),
    all: rows.length,
    behind: rows.filter(({ records }) => records !== 0).length,
  };
};

const rowOf = ({ topic, partition, lag, oldestPendingAgeS: age, paused }: PartitionSnapshot): PartitionRow => ({
  ...{ topic, partition, paused },
  records: lag,
  ageS: Math.round(Math.max(age.live, age.backfill)),
});

const byNeed = (a: PartitionRow, b: PartitionRow): number =>
  b.ageS - a.ageS || (b.records ?? 0) - (a.records ?? 0) || a.topic.localeCompare(b.topic) || a.partition - b.partition;
