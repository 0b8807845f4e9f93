/**
 * A field goes from A to B and back to A. Whoever remembers the first A must not take the last one for done, although the
 * memory of B is gone: with its process, or with the Redis that held it.
 */
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { startRedis } from "../../src/demo/services/redis.ts";
import { CLEAN, check } from "../support/checker.ts";
import { guard, until } from "../support/until.ts";
import { World } from "../support/world.ts";

const A = 1;
const B = 2;

/** The customer with A, accepted and committed. */
const withA = async (redisUrl: string): Promise<World> => {
  const world = await World.create({ redisUrl, partitions: 1 });
  await world.start("a");
  await world.writeCustomers(1, 1, A);
  await world.drained();
  return world;
};

const endsAtA = async (world: World): Promise<void> => {
  await world.drained();
  expect(check(await world.ledgers())).toEqual(CLEAN);
  const [customer] = [...world.sandbox.state("contacts")];
  expect(customer?.data["name"]).toBe(`Customer 1 v${A}`);
};

test.concurrent("B was accepted and its process killed before anybody could remember it", async () => {
  await using redis = await startRedis();
  await using world = await withA(redis.address);
  const first = world.replica("a");
  world.sandbox.script([{ match: { method: "POST", key: "1" }, replyDelayMs: 1_000 }]);
  await world.writeCustomers(1, 1, B);
  await until(() => world.accepted("accounts") === 2, "B is applied");
  guard(world.onTheWire(first).length > 0, "its reply is out already");
  // Not by a Redis that stands still: it would do what it was told before, once it goes on.
  const client = new Redis(redis.address);
  await client.config("SET", "maxmemory", "1");
  await first.until(() => first.said("redis-refused").length > 0, "it cannot be remembered");
  world.crash(first);
  await client.config("SET", "maxmemory", "0");
  client.disconnect();
  await world.writeCustomers(1, 1, A);
  await world.start("b");
  await endsAtA(world);
});

test.concurrent("B could not be remembered for a while, and A came meanwhile", async () => {
  await using redis = await startRedis();
  await using world = await withA(redis.address);
  const replica = world.replica("a");
  world.sandbox.script([{ match: { method: "POST", key: "1" }, replyDelayMs: 1_000 }]);
  await world.writeCustomers(1, 1, B);
  await until(() => world.accepted("accounts") === 2, "B is applied");
  await redis.kill("SIGSTOP");
  await replica.until(() => replica.said("store-failed").length > 0, "it cannot be remembered");
  await world.writeCustomers(1, 1, A);
  await redis.kill("SIGCONT");
  await endsAtA(world);
});

test.concurrent.for(["goes on", "dies with it"] as const)(
  "B is lost in a fail-over to a Redis that still holds A, and the replica %s",
  async (fate) => {
    await using redis = await startRedis();
    await using world = await withA(redis.address);
    const client = new Redis(redis.address);
    const before = await contents(client);
    await world.writeCustomers(1, 1, B);
    await world.drained();
    await redis.kill("SIGKILL");
    if (fate === "dies with it") world.crash(world.replica("a"));
    await redis.start();
    await restore(client, before);
    client.disconnect();
    guard(
      [...before.keys()].some((key) => key.includes(":e:")),
      "A was not remembered",
    );
    await world.writeCustomers(1, 1, A);
    if (fate === "dies with it") await world.start("b");
    await endsAtA(world);
  },
);

type Contents = ReadonlyMap<string, Buffer>;

const contents = async (client: Redis): Promise<Contents> => {
  const keys = (await client.keys("sell:*")).filter((key) => key.includes(":e:") || key.endsWith(":epoch"));
  return new Map(
    await Promise.all(keys.map(async (key) => [key, (await client.dumpBuffer(key)) ?? Buffer.alloc(0)] as const)),
  );
};

const restore = async (client: Redis, values: Contents): Promise<void> => {
  for (const [key, value] of values) await client.restore(key, 0, value, "REPLACE");
};
