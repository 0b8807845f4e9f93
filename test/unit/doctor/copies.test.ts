import { expect, test } from "vitest";
import { configSchema } from "../../../src/config/spec.ts";
import { copiesCheck } from "../../../src/doctor/copies.ts";

const aRoute = (topic: string) => ({ topic, format: "json", entity: "accounts", key: "id", fields: { name: "n" } });
const CONFIG = configSchema.parse({
  kafka: { brokers: ["kafka:9092"], groupId: "g" },
  sell: { token: "t" },
  deadLetter: { topic: "dead" },
  routes: [aRoute("customers"), aRoute("orders")],
});

/** `insync`: min.insync.replicas of each topic; null: this user may not see it. */
const findings = (insync: Readonly<Record<string, string | null>>, brokers = 3) => {
  const admin = {
    brokers: async () => Array.from({ length: brokers }, (_, i) => ({ host: `kafka-${i}`, port: 9_092 })),
    topicSetting: async (topic: string) => insync[topic] ?? null,
  };
  return copiesCheck(CONFIG, () => ({ admin })).run(new AbortController().signal);
};

test("topics that one broker may lose are one finding, with one line to type for all of them", async () => {
  expect(await findings({ customers: "1", orders: "2", dead: "1" })).toEqual([
    {
      status: "warning",
      sentence: "2 of 3 topics have min.insync.replicas=1: what one broker acknowledged may be lost with it.",
      next: "with three replicas: for topic in customers dead; do kafka-configs.sh --bootstrap-server kafka:9092 --alter --entity-type topics --entity-name $topic --add-config min.insync.replicas=2; done",
    },
  ]);
});

test("one broker alone cannot be told to keep two copies", async () => {
  expect(await findings({ customers: "1", orders: "1", dead: "1" }, 1)).toMatchObject([
    { status: "warning", sentence: "Kafka has one broker: what it acknowledged may be lost with it." },
  ]);
});

test("two copies or more are in order; whoever may not see it is not told a second time", async () => {
  expect(await findings({ customers: "2", orders: "3", dead: "2" })).toMatchObject([{ status: "ok" }]);
  expect(await findings({ customers: "2", orders: null, dead: "2" })).toEqual([]);
});
