/** What is read, as series a topic: whose clock dates its records, and how long Kafka keeps them. */
import { Gauge, type Registry } from "prom-client";
import { PREFIX } from "./metrics.ts";

export interface TopicSettings {
  /** `message.timestamp.type`: `CreateTime`, of the source, or `LogAppendTime`, of the broker; null: this user may not ask. */
  readonly timestampType: string | null;
  /** Infinity: Kafka deletes nothing for its age; null: this user may not ask. */
  readonly retentionS: number | null;
}

/** Returns what tells them, by topic; as often as they change. */
export const createSubscription = (registry: Registry): ((settings: ReadonlyMap<string, TopicSettings>) => void) => {
  const subscription = new Gauge({
    name: `${PREFIX}subscription_info`,
    help: "Always 1; a topic that is read, and whose clock dates its records.",
    labelNames: ["topic", "timestamp_type"],
    registers: [registry],
  });
  const retention = new Gauge({
    name: `${PREFIX}topic_retention_seconds`,
    help: "How long Kafka keeps a record; infinite: nothing goes for its age; absent where it may not be asked.",
    labelNames: ["topic"],
    registers: [registry],
  });
  return (settings) => {
    subscription.reset();
    retention.reset();
    for (const [topic, { timestampType, retentionS }] of settings) {
      subscription.set({ topic, timestamp_type: timestampType ?? "unknown" }, 1);
      if (retentionS !== null) retention.set({ topic }, retentionS);
    }
  };
};
