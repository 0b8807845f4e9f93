/** What is read, as a series a topic, for joins: what the age of its records is counted from is a label. */
import { Gauge, type Registry } from "prom-client";
import { PREFIX } from "./metrics.ts";

/**
 * By topic its `message.timestamp.type`: `CreateTime`, of the source, or `LogAppendTime`, of the broker; null: this user may
 * not describe the topic's settings.
 */
export const tellSubscription = (registry: Registry, timestampTypes: ReadonlyMap<string, string | null>): void => {
  const subscription = new Gauge({
    name: `${PREFIX}subscription_info`,
    help: "Always 1; a topic that is read, and whose clock dates its records.",
    labelNames: ["topic", "timestamp_type"],
    registers: [registry],
  });
  for (const [topic, type] of timestampTypes) subscription.set({ topic, timestamp_type: type ?? "unknown" }, 1);
};
