/** Sends chosen records of a topic to the replay topic: only there, each into the partition of the same number. */
import { resyncHeaders } from "../dead-letter/resync-headers.ts";
import type { ConsumerRecord } from "../domain/record.ts";
import type { EndOffset, ProducedRecord, RecordProducer } from "../domain/stages.ts";
import type { KafkaConnection } from "../source/connect-kafka.ts";
import type { NewestTable } from "./newest.ts";

/** Entity ids to be written, by partition and offset of their newest record. */
export type Chosen = ReadonlyMap<number, ReadonlyMap<bigint, readonly string[]>>;

/** What is under way of a partition that is sent. */
export interface Sent {
  readonly partition: number;
  /** Records below it are sent. */
  readonly next: bigint;
  readonly records: number;
}

export interface SendDeps {
  readonly topic: string;
  readonly id: string;
  readonly startedAtMs: number;
  readonly producer: Pick<RecordProducer, "send">;
  readonly read: KafkaConnection["read"];
  readonly nowMs: () => number;
}

/** Records are fetched by the mebibyte: what is nearer than this to the one before is read on the way. */
const GAP = 5_000n;
/** Of one request: all of a partition are one batch, which a broker takes up to a mebibyte. */
const BYTES_MAX = 256 * 1_024;

export const chosenOf = ({ newest }: NewestTable): Chosen => {
  const chosen = new Map<number, Map<bigint, string[]>>();
  for (const [id, { partition, offset, fate }] of newest) {
    if (fate.status !== "written") continue;
    const offsets = chosen.get(partition) ?? new Map<bigint, string[]>();
    const ids = offsets.get(offset) ?? [];
    ids.push(id);
    offsets.set(offset, ids);
    chosen.set(partition, offsets);
  }
  return chosen;
};

/** Yields what Kafka has stored, request by request, in the order of the offsets. A record that its topic has deleted is left out. */
export async function* sendChosen(
  { topic, partition }: Pick<EndOffset, "topic" | "partition">,
  offsets: ReadonlyMap<bigint, readonly string[]>,
  deps: SendDeps,
  signal: AbortSignal,
): AsyncGenerator<Sent> {
  const ranges = rangesOf([...offsets.keys()]).map((range) => ({ topic, partition, ...range }));
  for await (const page of deps.read(ranges, signal)) {
    for (const batch of batchesOf(page.filter(({ position }) => offsets.has(position.offset)))) {
      signal.throwIfAborted();
      await deps.producer.send(batch.map((record) => again(record, offsets.get(record.position.offset) ?? [], deps)));
      const last = batch.at(-1);
      if (last !== undefined) yield { partition, next: last.position.offset + 1n, records: batch.length };
    }
  }
}

const again = (record: ConsumerRecord, keys: readonly string[], deps: SendDeps): ProducedRecord => ({
  ...{ topic: deps.topic, partition: record.position.partition, key: record.key, value: record.value },
  headers: resyncHeaders(record, { id: deps.id, keys }, deps.startedAtMs),
  // Dated by now: by the record's own age Kafka might delete it before it is read.
  timestampMs: deps.nowMs(),
});

const rangesOf = (offsets: readonly bigint[]): readonly { readonly low: bigint; readonly high: bigint }[] => {
  const ranges: { low: bigint; high: bigint }[] = [];
  for (const offset of offsets.toSorted((a, b) => (a < b ? -1 : 1))) {
    const last = ranges.at(-1);
    if (last !== undefined && offset - last.high < GAP) last.high = offset + 1n;
    else ranges.push({ low: offset, high: offset + 1n });
  }
  return ranges;
};

function* batchesOf(records: readonly ConsumerRecord[]): Generator<readonly ConsumerRecord[]> {
  let batch: ConsumerRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    if (batch.length > 0 && bytes + record.bytes > BYTES_MAX) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(record);
    bytes += record.bytes;
  }
  if (batch.length > 0) yield batch;
}
