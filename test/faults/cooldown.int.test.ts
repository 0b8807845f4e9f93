/**
 * Sell asks three replicas to wait, and in the middle of it Redis loses everything, or all replicas are replaced, or both:
 * nobody calls before the wait is over, and then they begin one after the other, not all at once.
 */
import { expect, test } from "vitest";
import type { LocalProcess } from "../../src/demo/services/local-process.ts";
import { startRedis } from "../../src/demo/services/redis.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { busiest, CLEAN, check } from "../support/checker.ts";
import type { Replica } from "../support/replica.ts";
import { guard, until } from "../support/until.ts";
import { QUOTA, World } from "../support/world.ts";

const NAMES = ["a", "b", "c"] as const;
/** Time enough for a dozen processes to end and to start: the four cases run side by side. */
const HINT_MS = 25_000;

interface Blow {
  readonly redis: LocalProcess;
  readonly world: World;
  readonly replicas: readonly Replica[];
}

const emptyRedis = async ({ redis }: Blow): Promise<void> => {
  await redis.kill("SIGKILL");
  await redis.start();
};
/** They run when it resolves. Their first call asks whose account it is, so nobody joins before the wait is over. */
const beginAll = async (world: World): Promise<void> => {
  for (const replica of await Promise.all(NAMES.map((name) => world.begin(name))))
    await replica.until(() => replica.said("cooldown-started").length > 0, "it knows of the wait");
};
/** All at once: nobody is left who could tell the new ones. */
const replaceAll = async ({ world, replicas }: Blow): Promise<void> => {
  await Promise.all(replicas.map((replica) => replica.stop()));
  await beginAll(world);
};
const killAll = async ({ world, replicas }: Blow): Promise<void> => {
  for (const replica of replicas) world.crash(replica);
  await Promise.all(replicas.map(({ exit }) => exit));
  await beginAll(world);
};

const BLOWS = [
  { title: "Redis loses everything in it", blow: emptyRedis },
  { title: "they are all restarted in it", blow: replaceAll },
  { title: "they all die in it", blow: killAll },
  {
    title: "Redis does while they all restart",
    blow: async (blow: Blow) => {
      await Promise.all(blow.replicas.map((replica) => replica.stop()));
      await emptyRedis(blow);
      await beginAll(blow.world);
    },
  },
] as const;

test.concurrent.for(BLOWS)("three replicas keep an announced wait: $title", async ({ blow }) => {
  await using redis = await startRedis();
  await using world = await World.create({
    redisUrl: redis.address,
    sandbox: { rate: { windows: [{ type: "sliding-log", ...QUOTA }], penaltyMs: HINT_MS, headers: "full" } },
  });
  const replicas = await world.startAll(NAMES);
  for (const version of [1, 2, 3]) await world.writeCustomers(1, 150, version);
  await until(() => world.sandbox.log().filter(({ items }) => items > 0).length > 5, "calls are made");

  world.sandbox.setLimit(1); // somebody else has used up the account's quota
  await until(() => world.sandbox.log().some(({ refused }) => refused), "a 429");
  world.sandbox.setLimit(QUOTA.limit);
  for (const replica of replicas)
    await replica.until(() => replica.said("cooldown-started").length > 0, "it knows of the wait");
  await until(() => world.sandbox.log().every(({ endMs }) => endMs !== null), "nothing is on the wire any more");
  const waitEndsMs = Math.max(
    ...world.sandbox.log().map(({ refused, endMs, hintMs }) => (refused ? (endMs ?? 0) + (hintMs ?? 0) : 0)),
  );
  // What was written before may have been sent by now, as few calls as it took.
  await world.writeCustomers(151, 400);
  const before = world.sandbox.log().length;
  await blow({ redis, world, replicas });
  guard(systemClock.monotonicMs() < waitEndsMs - 1_000, "the wait was nearly over when all were back");

  await world.drained();
  const ledgers = await world.ledgers();
  expect(check(ledgers)).toEqual(CLEAN);
  const calls = ledgers.requests.slice(before);
  guard(calls.length > 10, "there was little left to send after the wait");
  expect(calls.filter(({ atMs }) => atMs < waitEndsMs)).toEqual([]);
  expect(calls.filter(({ refused }) => refused)).toEqual([]);
  expect(busiest(calls, QUOTA.perMs)).toBeLessThanOrEqual(QUOTA.limit);
  // The even pace is 4 in such a time; a herd would be three replicas with four calls each.
  expect(busiest(calls, QUOTA.perMs / 4)).toBeLessThanOrEqual(9);
});
