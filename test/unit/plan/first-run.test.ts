import { expect, test } from "vitest";
import { configSchema } from "../../../src/config/spec.ts";
import { type Check, failed, ok } from "../../../src/online/check.ts";
import { firstRunFindings } from "../../../src/plan/first-run.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const never = new AbortController().signal;

const aRoute = (topic: string) => ({ topic, format: "json", entity: "accounts", key: "id", fields: { name: "n" } });
const CONFIG = configSchema.parse({
  kafka: { brokers: ["kafka:9092"], groupId: "g" },
  sell: { token: "t" },
  deadLetter: { topic: "dead" },
  routes: [aRoute("old"), aRoute("new")],
});

/** Each check tells its name; the group has read the topics that are named. */
const found = async (begun: readonly string[], broken: readonly string[] = []) => {
  const asked: string[] = [];
  const check = (name: string, ...needs: readonly string[]): Check => ({
    ...{ name, needs, waitsFor: "nothing" },
    run: async () => {
      asked.push(name);
      return [broken.includes(name) ? failed(`${name} is away.`, "wait") : ok(`${name}: fine.`)];
    },
  });
  const checks = [
    ...[check("kafka"), check("topic old"), check("quota"), check("sell", "quota")],
    ...["old", "new"].map((topic) => check(`keys of ${topic} -> accounts`, `records of ${topic}`, "sell")),
  ];
  const partition = { partition: 0, metadata: null };
  const admin = {
    endOffsets: async (topics: readonly string[]) =>
      topics.map((topic) => ({ topic, partition: 0, low: 0n, high: 9n })),
    committed: async (_: string, ends: readonly { readonly topic: string }[]) =>
      ends.map(({ topic }) => ({ ...partition, topic, offset: begun.includes(topic) ? 3n : null })),
  };
  const findings = await firstRunFindings(CONFIG, { admin }, checks, new FakeClock(), never);
  return { asked, sentences: findings.map(({ sentence }) => sentence) };
};

test("only the keys of topics that the group never read are asked for", async () => {
  expect(await found(["old"])).toEqual({
    asked: ["kafka", "quota", "sell", "keys of new -> accounts"],
    sentences: ["keys of new -> accounts: fine."],
  });
});

test("a group that has read all topics costs no question", async () => {
  expect(await found(["old", "new"])).toEqual({ asked: [], sentences: [] });
});

test("a Sell that is away is told, and no plan fails for it", async () => {
  const { asked, sentences } = await found([], ["sell"]);
  expect(asked).not.toContain("keys of new -> accounts");
  expect(sentences[0]).toBe("sell is away.");
});
