/** Writes dead letters, replays and the demo's records. */
import type { Kafka, Message } from "kafkajs";
import { ConnectorError } from "../domain/errors.ts";
import type { ProducedRecord, RecordProducer } from "../domain/stages.ts";
import { kafkaErrorType, kafkaFailed } from "./kafka-error.ts";
import { Partitioners } from "./kafkajs.ts";
import { toWireHeaders } from "./wire-headers.ts";

const ACKS_ALL = -1;

/**
 * Connects at once; close it. Records without `partition` go where Java clients send their key. `send` rejects with
 * `RECORD_TOO_LARGE`, or with a retriable `KAFKA_FAILED` after kafkajs's own tries; then some of the records may be stored.
 */
export const createProducer = async (kafka: Kafka): Promise<RecordProducer> => {
  const producer = kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: false,
  });
  await producer.connect().catch((cause: unknown) => {
    throw kafkaFailed("connecting", cause);
  });
  return {
    async send(records) {
      if (records.length === 0) return;
      const topicMessages = Array.from(
        Map.groupBy(records, ({ topic }) => topic),
        ([topic, ofTopic]) => ({ topic, messages: ofTopic.map(toMessage) }),
      );
      await producer.sendBatch({ acks: ACKS_ALL, topicMessages }).catch((cause: unknown) => {
        throw sendFailed(topicMessages.map(({ topic }) => topic).join(", "), cause);
      });
    },
    close: () => producer.disconnect(),
  };
};

const toMessage = ({ key, value, partition, headers, timestampMs }: ProducedRecord): Message => ({
  key,
  value,
  headers: toWireHeaders(headers),
  ...(partition !== undefined && { partition }),
  ...(timestampMs !== undefined && { timestamp: String(timestampMs) }),
});

const sendFailed = (topics: string, cause: unknown): ConnectorError => {
  const type = kafkaErrorType(cause);
  if (type !== "MESSAGE_TOO_LARGE" && type !== "RECORD_LIST_TOO_LARGE")
    return kafkaFailed(`writing to ${topics}`, cause);
  return new ConnectorError("RECORD_TOO_LARGE", `A record is too large for ${topics}: raise its max.message.bytes.`, {
    retriable: false,
    cause,
  });
};
