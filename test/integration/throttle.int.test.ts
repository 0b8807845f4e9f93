/** A 429 with a long hint: every replica stops until it has passed, and nobody leaves the group. */
import { expect, test } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { busiest, CLEAN, check, repeated } from "../support/checker.ts";
import { guard, until } from "../support/until.ts";
import { QUOTA, World } from "../support/world.ts";

const NAMES = ["a", "b", "c"] as const;
const HINT_MS = 8_000;

test("a 429 with a hint of 8 s stops all replicas for 8 s, pauses their partitions and keeps the group", async () => {
  await using world = await World.create({
    sandbox: { rate: { windows: [{ type: "sliding-log", ...QUOTA }], penaltyMs: HINT_MS, headers: "full" } },
  });
  const replicas = await world.startAll(NAMES);
  await until(() => NAMES.every((name) => world.sandbox.log().some(({ instance }) => instance === name)), "all called");
  for (const version of [1, 2, 3]) await world.writeCustomers(1, 150, version);
  await until(() => senders(world, 0).size >= 2, "at least two replicas are sending");
  const joins = replicas.map((replica) => replica.said("joined").length);

  world.sandbox.setLimit(1); // somebody else has used up the account's quota
  await until(() => world.sandbox.log().some(({ refused }) => refused), "a 429");
  world.sandbox.setLimit(QUOTA.limit);
  await until(
    async () => replicas.every((replica) => replica.said("cooldown-started").length > 0),
    "every replica knows of the wait",
  );
  const first = world.sandbox.log().find(({ refused }) => refused);
  const waitEndsMs = (first?.endMs ?? 0) + (first?.hintMs ?? 0);
  for (const replica of replicas) {
    await until(async () => (await replica.metric("sell_sink_partition_paused")) > 0, `${replica.name} pauses`);
  }
  guard(systemClock.monotonicMs() < waitEndsMs, "the wait was over before anybody could look");

  await world.drained();
  expect(replicas.map((replica) => replica.said("joined").length)).toEqual(joins);
  const ledgers = await world.ledgers();
  expect(check(ledgers)).toEqual(CLEAN);
  expect(repeated(ledgers)).toBe(0);
  expect(busiest(ledgers.requests, QUOTA.perMs)).toBeLessThanOrEqual(QUOTA.limit);
  guard(
    ledgers.requests.some(({ atMs }) => atMs > waitEndsMs),
    "nothing was left to send after the wait",
  );
  const tooSoon = ledgers.requests.filter(({ refused }) => refused);
  expect(tooSoon.length, "calls that were on the wire when the wait began").toBeLessThanOrEqual(12);
});

/** Replicas with a call since that time. */
const senders = (world: World, sinceMs: number): ReadonlySet<string> =>
  new Set(
    world.sandbox
      .log()
      .filter(({ items, atMs }) => items > 0 && atMs > sinceMs)
      .map(({ instance }) => instance),
  );
