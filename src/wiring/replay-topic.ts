/** Whether the topics around the dead letters can do what they are for: keep every letter, and bring it back to its owner. */
import type { Config } from "../config/spec.ts";
import { replayTopicOf } from "../dead-letter/letter.ts";
import { ConnectorError } from "../domain/errors.ts";
import type { KafkaAdmin } from "../source/admin.ts";
import { topicsOf } from "./topic-formats.ts";

type Asked = Pick<KafkaAdmin, "topicSetting" | "partitionCounts">;

/**
 * Rejects with DEAD_LETTERS_COMPACTED: such a topic keeps the last letter of each key, and takes none without key. Resolves
 * with false when this user may not ask.
 */
export const refuseCompacted = async (topic: string, admin: Pick<Asked, "topicSetting">): Promise<boolean> => {
  const policy = await admin.topicSetting(topic, "cleanup.policy");
  if (policy?.includes("compact") === true) {
    throw new ConnectorError(
      "DEAD_LETTERS_COMPACTED",
      `${topic} is compacted (cleanup.policy=${policy}), so that of two dead letters with one key the older would be lost. Set cleanup.policy=delete on it, or name another topic in deadLetter.topic.`,
      { retriable: false },
    );
  }
  return policy !== null;
};

export type ReplayTopic =
  | { readonly status: "usable"; readonly topic: string }
  /** `why` says what is missing and the command that mends it. */
  | { readonly status: "unusable"; readonly topic: string; readonly why: string };

/** It is optional: without it nothing but `dlq replay` is missing. */
export const findReplayTopic = async (config: Config, admin: Asked): Promise<ReplayTopic> => {
  const topic = replayTopicOf(config.deadLetter.topic);
  const counts = await admin.partitionCounts([topic, ...topicsOf(config)]);
  const partitions = counts.get(topic);
  const needed = Math.max(1, ...topicsOf(config).map((source) => counts.get(source) ?? 0));
  const command = (what: string): string =>
    `kafka-topics.sh --bootstrap-server ${config.kafka.brokers[0]} ${what} --topic ${topic} --partitions ${needed}`;
  if (partitions === undefined) {
    const why = `Kafka has no topic ${topic}, by which dead letters are replayed. Create it and restart the connector: ${command("--create")}`;
    return { status: "unusable", topic, why };
  }
  if (partitions < needed) {
    const why = `${topic} has ${partitions} partitions, but a topic that is read has ${needed}. Add some and restart the connector: ${command("--alter")}`;
    return { status: "unusable", topic, why };
  }
  await refuseCompacted(topic, admin);
  return { status: "usable", topic };
};
