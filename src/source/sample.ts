/**
 * A look at a topic from outside: its oldest and newest records, fetched from the partitions' leaders like any follower
 * would. No group is joined and nothing is committed, so that nobody who consumes the topic notices.
 */
import type { Kafka } from "kafkajs";
import type { ConsumerRecord } from "../domain/record.ts";
import type { EndOffset } from "../domain/stages.ts";
import { clusterOf } from "./cluster.ts";
import { kafkaFailed } from "./kafka-error.ts";
import { type FetchedPartition, visibleMessages } from "./kafkajs.ts";
import { toConsumerRecords } from "./source-record.ts";

/** Records of each end of a partition, and bytes to find them in; a broker sends its first batch even if that is larger. */
const RECORDS_PER_END = 10;
const BYTES_PER_PARTITION = 131_072;
/** Of one answer. A topic of very many partitions is seen in part. */
const BYTES_MAX = 4_194_304;
const WAIT_MS = 500;
const READ_COMMITTED = 1;

/** `ends` are those of one topic. Each record once, in no promised order. Rejects with a retriable `KAFKA_FAILED`. */
export const sampleTopic = async (
  kafka: Kafka,
  topic: string,
  ends: readonly EndOffset[],
): Promise<readonly ConsumerRecord[]> => {
  const filled = ends.filter(({ low, high }) => high > low);
  if (filled.length === 0) return [];
  // The name is never used: the cluster object only happens to be a consumer's.
  const cluster = clusterOf(kafka, "sell-sink-sample");
  try {
    await cluster.connect();
    await cluster.addTargetTopic(topic);
    const leaders = Object.entries(
      cluster.findLeaderForPartitions(
        topic,
        filled.map(({ partition }) => partition),
      ),
    );
    const found = new Map<string, ConsumerRecord>();
    for (const [nodeId, led] of leaders) {
      const broker = await cluster.findBroker({ nodeId });
      // findLeaderForPartitions types its numbers and gives them as such; ends of partitions led elsewhere are left out.
      const here = filled.filter(({ partition }) => led.map(Number).includes(partition));
      for (const starts of [here.map(newest), here.map(oldest)]) {
        const answer: Answer = await broker.fetch({
          isolationLevel: READ_COMMITTED,
          maxWaitTime: WAIT_MS,
          minBytes: 1,
          maxBytes: BYTES_MAX,
          topics: [{ topic, partitions: starts }],
        });
        for (const record of recordsOf(answer, topic, starts))
          found.set(`${record.position.partition}@${record.position.offset}`, record);
      }
    }
    return [...found.values()];
  } catch (cause) {
    throw kafkaFailed(`sampling ${topic}`, cause);
  } finally {
    await cluster.disconnect();
  }
};

interface Start {
  readonly partition: number;
  readonly fetchOffset: string;
  readonly maxBytes: number;
}

/** What kafkajs makes of a FetchResponse. */
interface Answer {
  readonly responses: readonly { readonly partitions: readonly FetchedPartition[] }[];
}

const oldest = ({ partition, low }: EndOffset): Start => startAt(partition, low);

const newest = ({ partition, low, high }: EndOffset): Start => {
  const from = high - BigInt(RECORDS_PER_END);
  return startAt(partition, from > low ? from : low);
};

const startAt = (partition: number, offset: bigint): Start => ({
  partition,
  fetchOffset: String(offset),
  maxBytes: BYTES_PER_PARTITION,
});

const recordsOf = ({ responses }: Answer, topic: string, starts: readonly Start[]): readonly ConsumerRecord[] =>
  responses
    .flatMap(({ partitions }) => partitions)
    .flatMap((fetched) => {
      const { partition } = fetched;
      const fetchOffset = starts.find((start) => start.partition === partition)?.fetchOffset ?? "0";
      const messages = visibleMessages(topic, fetchOffset, fetched).slice(0, RECORDS_PER_END);
      return toConsumerRecords(topic, partition, messages);
    });
