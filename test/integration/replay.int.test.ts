/** Dead letters come back while three replicas write the same keys: nothing newer is overwritten, and what is open is healed. */
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { startRedis } from "../../src/demo/services/redis.ts";
import { CLEAN, check } from "../support/checker.ts";
import { guard, until } from "../support/until.ts";
import { World } from "../support/world.ts";

const keys = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => String(from + i));

/** Sell refuses these customers until the fault is cleared. */
const refuse = (world: World, refused: readonly string[]): void =>
  world.sandbox.script([
    { match: { method: "POST" }, times: null, items: { keys: [...refused], status: 422, code: "invalid" } },
  ]);

const nameOf = (world: World, key: string): unknown =>
  [...world.sandbox.state("contacts")].find(
    ({ data }) => (data["custom_fields"] as { erp_id?: string } | null)?.erp_id === key,
  )?.data["name"];

const listed = async (world: World, ...args: readonly string[]) => {
  const { code, out, err } = await world.command("dlq", "list", "--json", ...args);
  expect(code, err).toBe(0);
  return out
    .split("\n")
    .filter((line) => line !== "")
    .map(
      (line) => JSON.parse(line) as { state: string; position: string; keys: { key: string }[]; replayCount: number },
    );
};

/** What Sell refused for a while is a dead letter that the checker's ERP knows nothing of. */
const REFUSED = { ...CLEAN, deadLetters: expect.any(Array) as string[] };

test.concurrent("replays while the same keys are written, a replica is killed and another restarted, overwrite nothing newer and lose nothing", async () => {
  await using world = await World.create({ replays: true });
  const [first, second] = await world.startAll(["a", "b", "c"]);
  refuse(world, keys(1, 40));
  await world.writeCustomers(1, 60);
  await world.drained();
  world.sandbox.clearFaults();
  await world.writeCustomers(1, 10, 2); // healed by a newer version
  await world.deleteCustomers(11, 15); // there is nothing to delete, and nothing must come back
  await world.drained();
  expect(
    (await listed(world, "--state", "healed")).map(({ keys }) => Number(keys[0]?.key)).toSorted((a, b) => a - b),
  ).toEqual(keys(1, 15).map(Number));

  const writing = world.writeCustomers(16, 20, 2).then(() => world.writeCustomers(16, 20, 3));
  const replayed = await world.command("dlq", "replay", "--json");
  expect(replayed.code, replayed.err).toBe(0);
  if (first !== undefined) world.crash(first);
  await world.writeCustomers(18, 25, 4);
  await Promise.all([writing, second?.stop(), world.start("d"), world.start("e")]);
  await world.drained();

  const ledgers = await world.ledgers();
  expect(check(ledgers)).toEqual(REFUSED);
  expect(ledgers.deadLetters).toHaveLength(40);
  expect(nameOf(world, "30")).toBe("Customer 30 v1");
  expect(nameOf(world, "5")).toBe("Customer 5 v2");
  expect(nameOf(world, "13")).toBeUndefined();
  expect(await listed(world, "--state", "open")).toEqual([]);
  const counts = JSON.parse(replayed.out) as { replayed: number; healed: number };
  guard(counts.replayed >= 20 && counts.healed >= 15, "there was nothing to replay, or nothing healed");
});

test.concurrent("a replay that Sell refuses again is a dead letter again, of the same place, one replay more", async () => {
  await using world = await World.create({ replays: true });
  await world.start("a");
  refuse(world, ["1"]);
  await world.writeCustomers(1, 3);
  await world.drained();
  const [before] = await listed(world);
  await world.command("dlq", "replay");
  await until(async () => (await listed(world)).length === 2, "the second dead letter");
  await world.drained();
  const after = await listed(world);
  expect(after.map(({ replayCount }) => replayCount)).toEqual([0, 1]);
  expect(new Set(after.map(({ position }) => position))).toEqual(new Set([before?.position]));
  expect(nameOf(world, "1")).toBeUndefined();

  world.sandbox.clearFaults();
  const dry = await world.command("dlq", "replay", "--dry-run", "--key", "1");
  expect(dry.out).toContain("2 dead letters would be replayed");
  expect(nameOf(world, "1")).toBeUndefined();
  await world.command("dlq", "replay", "--reason", "invalid-record", "--topic", world.customers, "--limit", "1");
  await until(() => nameOf(world, "1") === "Customer 1 v1", "it is accepted");
  await world.drained();
  expect((await listed(world)).map(({ state }) => state)).toEqual(["healed", "healed"]);
  const { code, out } = await world.command("dlq", "show", before?.position ?? "");
  expect([code, out]).toEqual([0, expect.stringContaining("__connect.errors.offset")]);
});

test.concurrent("a record too large for the dead-letter topic is replayed from its own; after Redis forgot, only if told to", async () => {
  await using redis = await startRedis();
  const deadLetterTopic = { "max.message.bytes": "2000" };
  await using world = await World.create({ replays: true, deadLetterTopic, redisUrl: redis.address });
  await world.start("a");
  refuse(world, ["1"]);
  const name = `Customer 1 ${"x".repeat(150)}`;
  const filler = "y".repeat(3_000);
  await world.erp.write(world.customers, [{ key: { id: 1 }, after: { id: 1, name, filler } }]);
  await world.drained();
  world.sandbox.clearFaults();
  expect(await listed(world)).toMatchObject([{ state: "open", omitted: "value" }]);
  const client = new Redis(redis.address);
  await client.flushall();
  client.disconnect();
  expect(await listed(world)).toMatchObject([{ state: "unknown" }]);
  const careful = await world.command("dlq", "replay");
  expect(careful.out).toMatch(/^0 dead letters are replayed.*\n1 are left alone: Redis forgot/);
  const daring = await world.command("dlq", "replay", "--include-unknown");
  expect(daring.code, daring.err).toBe(0);
  await until(() => nameOf(world, "1") === name, "it is accepted");
});

test.concurrent("without the replay topic, or on a compacted one, the sentence says what to do", async () => {
  await using world = await World.create();
  const replica = await world.start("a");
  expect(replica.said("replay-unavailable")[0]?.msg).toContain(`--create --topic ${world.replays} --partitions 6`);
  const { code, err } = await world.command("dlq", "replay");
  expect([code, err]).toEqual([1, expect.stringContaining(`Kafka has no topic ${world.replays}`)]);

  await world.erp.kafka.admin.configureTopic(world.deadLetters, { "cleanup.policy": "compact,delete" });
  const refused = await world.begin("b");
  expect((await refused.exit).code).not.toBe(0);
  expect(refused.tail()).toContain("Set cleanup.policy=delete");
});
