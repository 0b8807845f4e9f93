/** What Kafka says of the topics that are read: asked at the start, and again now and then, since a retention is raised in need. */
import type { Clock } from "../lib/clock.ts";
import type { KafkaAdmin } from "../source/admin.ts";
import type { TopicSettings } from "../telemetry/subscription.ts";

type Settings = ReadonlyMap<string, TopicSettings>;

const EVERY_MS = 60_000;

export const topicSettings = async (topics: readonly string[], admin: KafkaAdmin): Promise<Settings> => {
  const of = async (topic: string): Promise<readonly [string, TopicSettings]> => {
    const names = ["message.timestamp.type", "retention.ms", "cleanup.policy"];
    const [timestampType = null, retention = null, policy = null] = await Promise.all(
      names.map((name) => admin.topicSetting(topic, name)),
    );
    return [topic, { timestampType, retentionS: retentionS(retention, policy) }];
  };
  return new Map(await Promise.all(topics.map(of)));
};

/** Until `signal` is aborted; while Kafka is away what was told last holds. */
export const watchTopics = async (
  topics: readonly string[],
  admin: KafkaAdmin,
  tell: (settings: Settings) => void,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> => {
  while (!signal.aborted) {
    await clock.sleep(EVERY_MS, signal).catch(() => {});
    if (signal.aborted) return;
    await topicSettings(topics, admin).then(tell, () => {});
  }
};

/** As Kafka has them, both null where they may not be asked. A topic that is only compacted keeps the newest record of each key. */
export const retentionS = (retentionMs: string | null, policy: string | null): number | null => {
  if (retentionMs === null || policy === null) return null;
  const deletes = policy.split(",").includes("delete") && Number(retentionMs) >= 0;
  return deletes ? Number(retentionMs) / 1_000 : Number.POSITIVE_INFINITY;
};
