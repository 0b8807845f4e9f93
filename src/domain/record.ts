/** What Kafka hands us: one record with its bytes copied out of the fetch buffer, and where it came from. */

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Where a record stands. `epoch` counts this process's assignments of the partition: a late answer of an older epoch is ignored. */
export interface Position extends TopicPartition {
  readonly offset: bigint;
  readonly epoch: number;
}

/** Names may repeat and their order is kept, as on the wire. */
export type RecordHeader = readonly [name: string, value: Buffer | null];

export interface ConsumerRecord {
  readonly position: Position;
  /** Record timestamp, milliseconds since 1970 (create or append time, as the topic is set). */
  readonly timestampMs: number;
  /** Null: the record has no key. Owned bytes, never a slice of a fetch response. */
  readonly key: Buffer | null;
  /** Null: a tombstone. Zero bytes are not a tombstone. */
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
  /** Bytes of key, value and headers together: what the record costs the window. */
  readonly bytes: number;
}

/** The text that names a partition in maps, logs and messages: `erp.sales.customers[3]`. */
export const partitionName = ({ topic, partition }: TopicPartition): string => `${topic}[${partition}]`;

/** `erp.sales.customers[3]@1041`, for sentences a person reads. */
export const positionName = (position: TopicPartition & { readonly offset: bigint }): string =>
  `${partitionName(position)}@${position.offset}`;

/** The position a name stands for; null for another text. */
export const namedPosition = (name: string): (TopicPartition & { readonly offset: bigint }) | null => {
  const [, topic, partition, offset] = /^([^[\]]+)\[(\d+)\]@(\d+)$/.exec(name) ?? [];
  if (topic === undefined || partition === undefined || offset === undefined) return null;
  return { topic, partition: Number(partition), offset: BigInt(offset) };
};
