/** Consumed messages as our own records: offsets as BigInt, bytes copied out of the fetch response. */
import type { KafkaMessage } from "kafkajs";
import type { ConsumerRecord, RecordHeader } from "../domain/record.ts";
import type { SourceRecord } from "../domain/stages.ts";
import { fromWireHeaders } from "./wire-headers.ts";

/** Most bytes that a small record keeps alive beside its own: neighbours of its partition, settled about when it is. */
const SLAB_BYTES = 8_192;

/**
 * kafkajs hands out slices of the whole (unpacked) response: a record of 1,000 bytes would keep 100,000 alive for as long as
 * it waits. A buffer of its own for each record costs ten times a share of a slab. What its producer did not date (-1) gets
 * `undatedMs`, the time of reading: as old as the calendar it would be late at once.
 */
export const toSourceRecords = (messages: readonly KafkaMessage[], undatedMs = -1): SourceRecord[] => {
  let slab = NO_BYTES;
  let used = 0;
  const copy = (bytes: Buffer | null): Buffer | null => {
    if (bytes === null) return null;
    if (bytes.length > SLAB_BYTES / 4) return ownCopy(bytes);
    if (used + bytes.length > slab.length) {
      slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      used = 0;
    }
    const start = used;
    used += bytes.copy(slab, start);
    return slab.subarray(start, used);
  };
  const datedMs = (timestamp: string): number => (Number(timestamp) < 0 ? undatedMs : Number(timestamp));
  return messages.map((message) => ({
    offset: BigInt(message.offset),
    timestampMs: datedMs(message.timestamp),
    key: copy(message.key),
    value: copy(message.value),
    headers: fromWireHeaders(message.headers).map(({ key, value }): RecordHeader => [key, copy(value)]),
  }));
};

/** The same for records that are only looked at: they belong to no assignment and never enter a window. */
export const toConsumerRecords = (
  topic: string,
  partition: number,
  messages: readonly KafkaMessage[],
): readonly ConsumerRecord[] =>
  toSourceRecords(messages).map(({ offset, ...record }) => ({
    ...record,
    position: { topic, partition, offset, epoch: 0 },
    bytes: 0,
  }));

const NO_BYTES = Buffer.alloc(0);

const ownCopy = (bytes: Buffer): Buffer => {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
};
