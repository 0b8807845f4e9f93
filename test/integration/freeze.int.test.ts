/**
 * SIGSTOP beyond the session: another replica takes over and moves on, then the frozen one wakes. It must neither send what
 * it held nor leave its memory of older versions where others trust it.
 */
import { expect, test } from "vitest";
import { CLEAN, check } from "../support/checker.ts";
import { guard, until } from "../support/until.ts";
import { World } from "../support/world.ts";

/** Enough for the sleeper to hold batches that wait behind those on the wire. */
const CUSTOMERS = 300;

test("a replica that was frozen beyond its session sends nothing stale and overwrites no memory when it wakes", async () => {
  await using world = await World.create();
  const sleeper = await world.start("sleeper");
  await world.writeCustomers(1, CUSTOMERS);
  await until(() => world.accepted("accounts") >= CUSTOMERS, "the customers are in Sell");
  const other = await world.start("other");
  await until(() => sleeper.said("joined").length === 2, "both share the partitions");

  world.sandbox.script([{ times: null, match: { method: "POST" }, replyDelayMs: 500 }]);
  await world.writeCustomers(1, CUSTOMERS, 2);
  await until(
    () => world.onTheWire(sleeper).some(({ applied }) => applied.length > 0),
    "a call of the sleeper applied",
  );
  const held = world.onTheWire(sleeper).flatMap(({ applied }) => applied.map(({ key }) => key));
  sleeper.kill("SIGSTOP"); // its answers will arrive while it cannot read them
  world.crashed(sleeper);
  world.sandbox.clearFaults();
  await world.writeCustomers(1, CUSTOMERS, 3);
  await until(() => other.said("joined").length === 2, "the other one owns everything");
  await until(() => hasAll(world, "v3"), "the other one has delivered the newest version");

  sleeper.kill("SIGCONT");
  await until(() => sleeper.said("joined").length === 3, "the sleeper is back in the group");
  await world.drained();
  expect(check(await world.ledgers())).toEqual(CLEAN);
  guard(held.length > 0, "the sleeper held no call when it was frozen");

  // Back to what the sleeper sent last: if it is remembered as what Sell holds, no call is made and Sell stays at v3.
  await world.writeCustomers(1, CUSTOMERS, 2);
  await world.drained();
  expect(hasAll(world, "v2")).toBe(true);
});

const hasAll = (world: World, version: string): boolean =>
  [...world.sandbox.state("contacts")].every(({ data }) => String(data["name"]).endsWith(version));
