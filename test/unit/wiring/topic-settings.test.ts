import { expect, test } from "vitest";
import type { KafkaAdmin } from "../../../src/source/admin.ts";
import type { TopicSettings } from "../../../src/telemetry/subscription.ts";
import { retentionS, topicSettings, watchTopics } from "../../../src/wiring/topic-settings.ts";
import { FakeClock } from "../../support/fake-clock.ts";

test.each([
  ["is kept for a time", "60000", "delete", 60],
  ["is compacted and deleted", "60000", "compact,delete", 60],
  ["is only compacted", "60000", "compact", Number.POSITIVE_INFINITY],
  ["is kept for ever", "-1", "delete", Number.POSITIVE_INFINITY],
  ["may not be described", null, null, null],
] as const)("of a topic that %s the retention is told", (_, retention, policy, expected) => {
  expect(retentionS(retention, policy)).toBe(expected);
});

test("a retention that is raised is told within two minutes, and a Kafka that is away changes nothing", async () => {
  const clock = new FakeClock();
  const settings: Record<string, string> = { "message.timestamp.type": "CreateTime", "cleanup.policy": "delete" };
  let isAway = false;
  const admin = {
    topicSetting: async (_: string, name: string) => {
      if (isAway) throw new Error("away");
      return settings[name] ?? "60000";
    },
  } as Partial<KafkaAdmin> as KafkaAdmin;
  const told: (TopicSettings | undefined)[] = [(await topicSettings(["orders"], admin)).get("orders")];
  const watching = new AbortController();
  const watch = watchTopics(["orders"], admin, (now) => told.push(now.get("orders")), clock, watching.signal);
  const minute = async (): Promise<void> => {
    clock.advance(60_000);
    await new Promise(setImmediate);
  };
  isAway = true;
  await minute();
  expect(told.length).toBe(1);
  isAway = false;
  settings["retention.ms"] = "120000";
  await minute();
  watching.abort();
  await watch;
  expect(told.map((each) => each?.retentionS)).toEqual([60, 120]);
});
