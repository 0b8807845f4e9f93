import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { tellSubscription } from "../../../src/telemetry/subscription.ts";

test("a topic that is read is a series with the clock of its records, if that may be asked", async () => {
  const registry = new Registry();
  const types = { orders: "LogAppendTime", customers: null };
  tellSubscription(registry, new Map<string, string | null>(Object.entries(types)));
  const lines = (await registry.metrics()).split("\n").filter((line) => line.startsWith("sell_sink_"));
  expect(lines).toEqual([
    'sell_sink_subscription_info{topic="orders",timestamp_type="LogAppendTime"} 1',
    'sell_sink_subscription_info{topic="customers",timestamp_type="unknown"} 1',
  ]);
});
