/** How far a group is behind, and how fast it catches up: two looks a few seconds apart become one report. Pure. */
import { partitionName, type TopicPartition } from "../domain/record.ts";
import { drainS } from "../lib/drain.ts";

/** One look at a partition. */
export interface Look extends TopicPartition {
  /** Next offset to commit; null: not known, or nothing was ever committed. */
  readonly next: number | null;
  readonly end: number | null;
  /** Seconds since the timestamp of the first uncommitted record, 0 when there is none; null: not known. */
  readonly ageS: number | null;
  /** Why it is paused; null: it is not, or nobody here knows. */
  readonly paused: string | null;
}

export interface Sample {
  /** Monotonic milliseconds of the look. */
  readonly atMs: number;
  readonly looks: readonly Look[];
}

export interface Lag extends TopicPartition {
  readonly records: number | null;
  readonly ageS: number | null;
  /** Records a second that were worked off, and that arrived, between the looks; null: they cannot be told. */
  readonly workedPerS: number | null;
  readonly arrivedPerS: number | null;
  /** At these rates; 0 when nothing is pending, null when it does not come nearer, or cannot be told. */
  readonly drainS: number | null;
  readonly paused: string | null;
}

export interface LagReport {
  /** By topic and partition. */
  readonly partitions: readonly Lag[];
  readonly total: Omit<Lag, keyof TopicPartition | "paused">;
}

/** `before` null, or without the partition: no rates. A partition that went backwards (a reset) has none either. */
export const lagReport = (before: Sample | null, after: Sample): LagReport => {
  const earlier = new Map((before?.looks ?? []).map((look) => [partitionName(look), look]));
  const seconds = before === null ? 0 : (after.atMs - before.atMs) / 1_000;
  const partitions = after.looks
    .map((look) => lagOf(earlier.get(partitionName(look)), look, seconds))
    .sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition);
  return { partitions, total: totalOf(partitions) };
};

const lagOf = (before: Look | undefined, after: Look, seconds: number): Lag => {
  const { topic, partition, next, end, ageS, paused } = after;
  const records = next === null || end === null ? null : Math.max(0, end - next);
  const workedPerS = rate(before?.next, next, seconds);
  const arrivedPerS = rate(before?.end, end, seconds);
  return {
    topic,
    partition,
    records,
    ageS,
    workedPerS,
    arrivedPerS,
    ...drain(records, workedPerS, arrivedPerS),
    paused,
  };
};

const rate = (before: number | null | undefined, after: number | null, seconds: number): number | null => {
  if (before == null || after === null || after < before || seconds <= 0) return null;
  return (after - before) / seconds;
};

const drain = (records: number | null, workedOffPerS: number | null, arrivedPerS: number | null) => {
  const neededS = drainS(records, { workedOffPerS, arrivedPerS }, 0);
  return { drainS: neededS === Number.POSITIVE_INFINITY ? null : neededS };
};

const totalOf = (partitions: readonly Lag[]): LagReport["total"] => {
  const records = sum(partitions.map((lag) => lag.records));
  const workedPerS = sum(partitions.map((lag) => lag.workedPerS));
  const arrivedPerS = sum(partitions.map((lag) => lag.arrivedPerS));
  const ages = partitions.flatMap(({ ageS }) => (ageS === null ? [] : [ageS]));
  const ageS = ages.length === 0 ? null : Math.max(...ages);
  return { records, ageS, workedPerS, arrivedPerS, ...drain(records, workedPerS, arrivedPerS) };
};

/** Of those that are known; null when none is. */
const sum = (numbers: readonly (number | null)[]): number | null => {
  const known = numbers.filter((number) => number !== null);
  return known.length === 0 ? null : known.reduce((total, number) => total + number, 0);
};
