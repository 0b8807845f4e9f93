/** SIGKILL: nothing is lost, and nothing is repeated but what was on the wire. */
import { expect, test } from "vitest";
import { busiest, CLEAN, check, repeated, writesOf } from "../support/checker.ts";
import type { Replica } from "../support/replica.ts";
import { guard, until } from "../support/until.ts";
import { QUOTA, World } from "../support/world.ts";

const NAMES = ["a", "b", "c"] as const;

/** Slow enough that there is always something on the wire. */
const SLOW = { times: null, match: { method: "POST" }, replyDelayMs: 300 };

/** Three replicas, each of which has sent something, and a backlog. */
const atWork = async (world: World): Promise<readonly Replica[]> => {
  const replicas = await world.startAll(NAMES);
  await world.writeCustomers(1, 60);
  await until(() => world.accepted("accounts") === 60, "all that was written is in Sell");
  await until(() => replicas.every((replica) => world.onTheWire(replica).length === 0), "and all calls are answered");
  guard(
    NAMES.every((name) => writesOf(world.sandbox.log(), name).length > 0),
    "not every replica has sent something",
  );
  // Others, and once each: what is on the wire then is the newest there is, and must come again after a kill.
  await world.writeCustomers(61, 460);
  await world.writeOrders(1, 100);
  return replicas;
};

/** Sell has applied a call of each and answered none of them. */
const appliedUnanswered = (world: World, replicas: readonly Replica[]): boolean =>
  replicas.every((replica) => world.onTheWire(replica).some(({ applied }) => applied.length > 0));

test.for([
  { title: "one of three replicas", victims: 1 },
  { title: "all three replicas", victims: 3 },
])("kill -9 of $title in mid-flight loses nothing and repeats only what was in flight", async ({ victims }) => {
  await using world = await World.create({ sandbox: { faults: [SLOW] } });
  const replicas = await atWork(world);
  const killed = replicas.slice(0, victims);
  await until(() => appliedUnanswered(world, killed), "a call of each victim applied and not answered");
  for (const replica of killed) world.crash(replica);
  guard(appliedUnanswered(world, killed), "the kill met no call on the wire");
  guard((await world.lag()) > 100n, "the kill came when the work was done");
  if (victims === NAMES.length) await world.startAll(["d", "e", "f"]);
  await world.drained();
  const ledgers = await world.ledgers();
  expect(check(ledgers)).toEqual(CLEAN);
  expect(busiest(ledgers.requests, QUOTA.perMs)).toBeLessThanOrEqual(QUOTA.limit);
  guard(repeated(ledgers) > 0, "nothing that was in flight came again");
});
