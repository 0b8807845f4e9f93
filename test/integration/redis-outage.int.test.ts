/** Redis, which holds the quota, dies or freezes: nothing is sent without it, nothing is lost, and all goes on by itself. */
import { expect, test } from "vitest";
import type { LocalProcess } from "../../src/demo/services/local-process.ts";
import { startRedis } from "../../src/demo/services/redis.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { busiest, CLEAN, check, repeated } from "../support/checker.ts";
import { guard, until } from "../support/until.ts";
import { QUOTA, World } from "../support/world.ts";

/** A permit that was granted just before is used within a second. */
const LAST_PERMIT_MS = 1_000;

const OUTAGES = [
  {
    title: "killed and restarted empty",
    down: (redis: LocalProcess) => redis.kill("SIGKILL"),
    up: (redis: LocalProcess) => redis.start(),
  },
  {
    title: "frozen and woken",
    down: (redis: LocalProcess) => redis.kill("SIGSTOP"),
    up: (redis: LocalProcess) => redis.kill("SIGCONT"),
  },
] as const;

test.concurrent.for(OUTAGES)(
  "Redis $title: no call meanwhile, none over the limit afterwards, nothing lost",
  async ({ down, up }) => {
    await using redis = await startRedis();
    await using world = await World.create({ redisUrl: redis.address });
    const replicas = await world.startAll(["a", "b"]);
    for (const version of [1, 2, 3]) await world.writeCustomers(1, 150, version);
    await until(() => world.sandbox.log().filter(({ items }) => items > 0).length > 5, "calls are made");

    const downMs = systemClock.monotonicMs();
    await down(redis);
    for (const replica of replicas)
      await replica.until(() => replica.said("redis-unreachable").length > 0, "it says that Redis is away");
    await until(() => systemClock.monotonicMs() > downMs + 2 * QUOTA.perMs, "longer than the window");
    const upMs = systemClock.monotonicMs();
    guard((await world.lag()) > 100n, "there was nothing left to send");
    await up(redis);

    await world.drained();
    const ledgers = await world.ledgers();
    expect(check(ledgers)).toEqual(CLEAN);
    expect(repeated(ledgers)).toBe(0);
    const meanwhile = ledgers.requests.filter(({ atMs }) => atMs > downMs + LAST_PERMIT_MS && atMs < upMs);
    expect(meanwhile).toEqual([]);
    expect(busiest(ledgers.requests, QUOTA.perMs)).toBeLessThanOrEqual(QUOTA.limit);
    expect(ledgers.requests.filter(({ refused }) => refused)).toEqual([]);
  },
);

test.concurrent("a wait that Sell asked for outlives a Redis that forgets it", async () => {
  await using redis = await startRedis();
  const windows = [{ type: "sliding-log" as const, ...QUOTA }];
  await using world = await World.create({
    redisUrl: redis.address,
    sandbox: { rate: { windows, penaltyMs: 8_000, headers: "full" } },
  });
  const replicas = await world.startAll(["a", "b"]);
  for (const version of [1, 2]) await world.writeCustomers(1, 150, version);
  await until(() => world.sandbox.log().filter(({ items }) => items > 0).length > 5, "calls are made");
  world.sandbox.setLimit(1);
  await until(() => world.sandbox.log().some(({ refused }) => refused), "a 429");
  world.sandbox.setLimit(QUOTA.limit);
  for (const replica of replicas)
    await replica.until(() => replica.said("cooldown-started").length > 0, "it knows of the wait");
  await redis.kill("SIGKILL");
  await redis.start();
  const first = world.sandbox.log().find(({ refused }) => refused);
  guard(systemClock.monotonicMs() < (first?.endMs ?? 0) + 7_000, "the wait was nearly over when Redis was back");

  await world.drained();
  expect(check(await world.ledgers())).toEqual(CLEAN);
});
