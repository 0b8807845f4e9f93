/** The lag of a group as Kafka knows it, for when no replica can be asked: committed and end offsets, no membership. */
import { partitionName, type TopicPartition } from "../domain/record.ts";
import type { EndOffset } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import { A_MOMENT, patiently } from "../lib/patiently.ts";
import type { KafkaConnection } from "../source/connect-kafka.ts";
import type { Look, Sample } from "./sample.ts";

/** An age costs a fetch, so only the partitions that are furthest behind are looked into. */
const AGES_MAX = 32;

/** Nothing was committed yet: a group that starts at its topics' beginning has all of it before it. */
export const createKafkaLag = (
  { admin, read }: KafkaConnection,
  groupId: string,
  topics: readonly string[],
  clock: Clock,
): ((signal: AbortSignal) => Promise<Sample>) => {
  /** The timestamp of the first uncommitted record, as long as nothing was committed beyond it. */
  let known = new Map<string, { readonly next: bigint; readonly timestampMs: number | null }>();

  const timestampOf = async (pending: Pending, signal: AbortSignal): Promise<number | null> => {
    const { topic, partition, next: low, high } = pending;
    for await (const [first] of read([{ topic, partition, low, high }], signal)) return first?.timestampMs ?? null;
    return null;
  };

  const look = async (signal: AbortSignal): Promise<Sample> => {
    const ends = await admin.endOffsets(topics);
    const committed = new Map((await admin.committed(groupId, ends)).map((row) => [partitionName(row), row.offset]));
    const atMs = clock.monotonicMs();
    const pending = ends.map((end) => pendingOf(end, committed.get(partitionName(end)) ?? null));
    const late = pending
      .filter(({ next, high }) => high > next)
      .sort((a, b) => Number(b.high - b.next - a.high + a.next));
    const fresh: typeof known = new Map();
    for (const each of late.slice(0, AGES_MAX)) {
      const before = known.get(partitionName(each));
      const isSame = before?.next === each.next && before.timestampMs !== null;
      fresh.set(
        partitionName(each),
        isSame ? before : { next: each.next, timestampMs: await timestampOf(each, signal) },
      );
    }
    known = fresh;
    return { atMs, looks: pending.map((each) => lookOf(each, known.get(partitionName(each))?.timestampMs, clock)) };
  };

  return (signal) => patiently(clock, A_MOMENT, () => look(signal), signal);
};

interface Pending extends TopicPartition {
  readonly next: bigint;
  readonly high: bigint;
}

const pendingOf = ({ topic, partition, low, high }: EndOffset, committed: bigint | null): Pending => ({
  topic,
  partition,
  // What retention has deleted is not pending any more.
  next: committed === null || committed < low ? low : committed,
  high,
});

const lookOf = (
  { topic, partition, next, high }: Pending,
  timestampMs: number | null | undefined,
  clock: Clock,
): Look => ({
  topic,
  partition,
  next: Number(next),
  end: Number(high),
  ageS: high <= next ? 0 : timestampMs == null ? null : Math.max(0, (clock.now() - timestampMs) / 1_000),
  paused: null,
});
