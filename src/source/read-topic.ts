/**
 * Reads a range of a topic page by page, from the partitions' leaders like any follower would: no group is joined and nothing
 * is committed. Memory is that of one page.
 */
import type { Kafka } from "kafkajs";
import type { ConsumerRecord } from "../domain/record.ts";
import type { EndOffset } from "../domain/stages.ts";
import { clusterOf } from "./cluster.ts";
import { kafkaFailed } from "./kafka-error.ts";
import { type FetchedPartition, visibleMessages } from "./kafkajs.ts";
import { toConsumerRecords } from "./source-record.ts";

/** A broker sends its first batch even if that is larger. */
const PAGE_BYTES = 1_048_576;
const WAIT_MS = 500;
const READ_COMMITTED = 1;

/** What kafkajs makes of a FetchResponse. */
interface Answer {
  readonly responses: readonly { readonly partitions: readonly FetchedPartition[] }[];
}

/** From `low` to just before `high` of each range, one partition after the other. Rejects with a retriable `KAFKA_FAILED`. */
export async function* readTopic(
  kafka: Kafka,
  ranges: readonly EndOffset[],
  signal: AbortSignal,
): AsyncGenerator<readonly ConsumerRecord[]> {
  // The name is never used: the cluster object only happens to be a consumer's.
  const cluster = clusterOf(kafka, "sell-sink-reader");
  try {
    await cluster.connect();
    for (const topic of new Set(ranges.map((range) => range.topic))) await cluster.addTargetTopic(topic);
    for (const { topic, partition, low, high } of ranges) {
      for (let next = low; next < high; ) {
        signal.throwIfAborted();
        const leaders = cluster.findLeaderForPartitions(topic, [partition]);
        const [nodeId = "0"] = Object.keys(leaders);
        const broker = await cluster.findBroker({ nodeId });
        const answer: Answer = await broker.fetch({
          isolationLevel: READ_COMMITTED,
          maxWaitTime: WAIT_MS,
          minBytes: 1,
          maxBytes: PAGE_BYTES,
          topics: [{ topic, partitions: [{ partition, fetchOffset: String(next), maxBytes: PAGE_BYTES }] }],
        });
        const [fetched] = answer.responses.flatMap(({ partitions }) => partitions);
        const last = fetched?.messages.at(-1);
        if (fetched === undefined || last === undefined) break; // nothing but gaps up to the end
        const records = toConsumerRecords(topic, partition, visibleMessages(topic, String(next), fetched));
        const page = records.filter(({ position }) => position.offset < high);
        if (page.length > 0) yield page;
        // Includes transaction markers; a compacted batch may hold nothing beyond what was asked for.
        next = BigInt(last.offset) >= next ? BigInt(last.offset) + 1n : next + 1n;
      }
    }
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw kafkaFailed("reading a topic", cause);
  } finally {
    await cluster.disconnect();
  }
}
