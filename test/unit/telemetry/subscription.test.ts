import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { createSubscription, type TopicSettings } from "../../../src/telemetry/subscription.ts";

const aTopic = (timestampType: string | null, retentionS: number | null): TopicSettings => ({
  timestampType,
  retentionS,
});

test("a topic that is read is a series with the clock of its records, and one with the time they are kept, if that may be asked", async () => {
  const registry = new Registry();
  const tell = createSubscription(registry);
  const told = async (): Promise<readonly string[]> =>
    (await registry.metrics()).split("\n").filter((line) => line.startsWith("sell_sink_"));
  const kept = aTopic("CreateTime", Number.POSITIVE_INFINITY);
  tell(new Map(Object.entries({ orders: aTopic("LogAppendTime", 60), kept, customers: aTopic(null, null) })));
  expect(await told()).toEqual([
    'sell_sink_subscription_info{topic="orders",timestamp_type="LogAppendTime"} 1',
    'sell_sink_subscription_info{topic="kept",timestamp_type="CreateTime"} 1',
    'sell_sink_subscription_info{topic="customers",timestamp_type="unknown"} 1',
    'sell_sink_topic_retention_seconds{topic="orders"} 60',
    'sell_sink_topic_retention_seconds{topic="kept"} +Inf',
  ]);
  tell(new Map([["orders", aTopic("CreateTime", 120)]]));
  expect(await told()).toEqual([
    'sell_sink_subscription_info{topic="orders",timestamp_type="CreateTime"} 1',
    'sell_sink_topic_retention_seconds{topic="orders"} 120',
  ]);
});
