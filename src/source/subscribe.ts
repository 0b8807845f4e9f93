/** Connects a consumer and subscribes it, or says what is wrong with the topics. */
import type { Consumer } from "kafkajs";
import { ConnectorError } from "../domain/errors.ts";
import type { KafkaAdmin } from "./admin.ts";
import { kafkaFailed } from "./kafka-error.ts";

export const subscribe = async (consumer: Consumer, admin: KafkaAdmin, topics: readonly string[]): Promise<void> => {
  const known = await admin.partitionCounts(topics);
  const missing = topics.filter((topic) => !known.has(topic));
  if (missing.length > 0) throw topicMissing(missing.join(", "));
  try {
    await consumer.connect();
    // Without fromBeginning, a partition without a commit starts at its end at each join, past what came in between.
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
  } catch (cause) {
    throw kafkaFailed(`subscribing to ${topics.join(", ")}`, cause);
  }
};

const topicMissing = (topics: string): ConnectorError =>
  new ConnectorError(
    "TOPIC_MISSING",
    `Kafka has no topic ${topics}, or does not let us see it: create it, allow Describe and Read, or correct the routes.`,
    { retriable: false },
  );
