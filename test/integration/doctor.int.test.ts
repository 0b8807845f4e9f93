/** `doctor` against real services: what is in order, and what is about to go wrong, each with its next step. */
import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { expect, inject, test } from "vitest";
import type { Result } from "../../src/online/check.ts";
import { World } from "../support/world.ts";

const DAY_MS = 86_400_000;

const findings = async (
  world: World,
): Promise<{ readonly code: number | null; readonly results: readonly Result[] }> => {
  const { code, out } = await world.command("doctor", "--json");
  return { code, results: JSON.parse(out) };
};

const of = (results: readonly Result[], name: string) =>
  results.filter((result) => result.name === name).map(({ status, sentence, next }) => ({ status, sentence, next }));

test("services in order: nothing fails, nothing is written or joined, Redis is left as it was", async () => {
  await using world = await World.create({ replays: true });
  await world.writeCustomers(1, 3);
  const { code, results } = await findings(world);
  expect(results.filter(({ status }) => status === "failed")).toEqual([]);
  expect(code).toBe(0);
  for (const name of [
    "versions",
    "addresses",
    "kafka",
    "brokers",
    "rights in Kafka",
    "rights in Redis",
    "version of Redis",
  ])
    expect(of(results, name)).toMatchObject([{ status: "ok" }]);
  for (const name of ["clock of Redis", "clock of Sell"])
    expect(of(results, name)[0]?.sentence).toMatch(/^The clocks of .* agree within \d s\.$/);
  expect(await world.erp.kafka.admin.members(world.groupId)).toEqual([]);
  expect([...world.sandbox.state()]).toEqual([]);
  const redis = new Redis(inject("redis"));
  expect(await redis.keys("sell:doctor:*")).toEqual([]);
  redis.disconnect();
});

test("a topic that forgets too soon and dead letters that are lost come with the command that mends them", async () => {
  await using world = await World.create({ deadLetterTopic: { "retention.ms": "3600000" } });
  await world.erp.kafka.admin.configureTopic(world.customers, { "retention.ms": "60000" });
  await world.erp.kafka.admin.configureTopic(world.orders, { "retention.ms": "-1" });
  const { code, results } = await findings(world);
  expect(code).toBe(0);
  expect(of(results, `retention of ${world.customers}`)).toEqual([
    {
      status: "warning",
      sentence: `${world.customers} keeps its records for 1 min; draining all of it at the quota takes 0 min, and an outage comes on top.`,
      next: `kafka-configs.sh --bootstrap-server ${inject("kafka")} --alter --entity-type topics --entity-name ${world.customers} --add-config retention.ms=${3 * DAY_MS}`,
    },
  ]);
  expect(of(results, `retention of ${world.orders}`)).toMatchObject([{ status: "ok" }]);
  const letters = of(results, "settings of the dead letters");
  expect(letters.map(({ status }) => status)).toEqual(["warning", "warning"]);
  expect(letters[0]?.sentence).toContain("keeps dead letters for 60 min");
  expect(letters[1]?.next).toContain(`--create --topic ${world.replays}`);
  expect(of(results, "copies")).toMatchObject([{ status: "warning", sentence: expect.stringContaining("one broker") }]);
});

test("a compacted dead-letter topic and a Redis user without rights fail, with exit 1", async () => {
  const user = `doctor-${randomUUID()}`;
  const redis = new Redis(inject("redis"));
  await redis.call("acl", "setuser", user, "on", ">pw", "~sell:*", "+@all", "-zscore", "-hset");
  const url = new URL(inject("redis"));
  url.username = user;
  url.password = "pw";
  await using world = await World.create({ redisUrl: url.href, deadLetterTopic: { "cleanup.policy": "compact" } });
  const { code, results } = await findings(world);
  await redis.call("acl", "deluser", user);
  redis.disconnect();
  expect(code).toBe(1);
  expect(of(results, "dead letters").slice(0, 1)).toMatchObject([
    { status: "failed", sentence: expect.stringContaining("is compacted (cleanup.policy=compact)") },
  ]);
  const [rights] = [...of(results, "rights in Redis")];
  expect(rights).toMatchObject({ status: "failed", sentence: expect.stringContaining("lacks +hset +zscore") });
  expect(rights?.next).toContain(`redis-cli ACL SETUSER ${user} '~sell:*' +hset +zscore`);
});
