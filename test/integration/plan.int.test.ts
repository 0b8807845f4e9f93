/** `plan` of a real backlog: the counts agree with what a replica then does. */
import { expect, test } from "vitest";
import { World } from "../support/world.ts";

const planned = async (world: World) => {
  const { code, out, err } = await world.command("plan", "--json");
  expect({ code, err: err.replace(/.*warnings\n(.*owner_id.*\n)+/, "") }).toEqual({ code: 0, err: "" });
  return JSON.parse(out);
};

test("a backlog is counted as it is written; afterwards nothing is left, and the same rows again need no write", async () => {
  await using world = await World.create({ partitions: 2 });
  await world.writeCustomers(1, 30);
  await world.writeCustomers(1, 30, 2);
  await world.writeOrders(1, 10);
  const plan = await planned(world);
  expect(plan).toMatchObject({ records: 70, changes: 70, skipped: {}, deadLetters: {}, isUpperBound: false });
  // 30 customers of 60 changes and 10 orders, in calls of 10.
  expect(plan.lanes.live).toEqual({ writes: 40, unneeded: 0, creations: 40, updates: 0, deletions: 0, calls: 4 });
  expect(plan.lanes.backfill.writes).toBe(0);
  expect(plan.arrivedPerS).toBeCloseTo(70 / 3_600, 5);
  expect(plan.drainedS).toBeGreaterThan(0);
  expect(plan.keys).toMatchObject([
    { status: "warning", sentence: expect.stringContaining(`20 of 20 sampled keys of ${world.customers} -> accounts`) },
    { status: "warning", sentence: expect.stringContaining(`10 of 10 sampled keys of ${world.orders} -> deals`) },
  ]);
  expect(world.sandbox.log().filter(({ method, status }) => method !== "GET" && status === 200)).toEqual([]);
  expect(await world.erp.kafka.admin.members(world.groupId)).toEqual([]);

  const replica = await world.start("a");
  await world.drained();
  const calls = world.sandbox.log().length;
  expect(await planned(world)).toMatchObject({ records: 0, changes: 0, drainedS: 0, liveCaughtUpS: 0, keys: [] });
  expect(world.sandbox.log(), "a group that has begun costs no call").toHaveLength(calls);
  replica.kill("SIGTERM");
  expect((await replica.exit).code).toBe(0);

  await world.writeCustomers(1, 20, 2);
  await world.writeCustomers(21, 25, 3);
  await world.writeCustomers(31, 32);
  await world.deleteCustomers(30, 30);
  const { lanes } = await planned(world);
  expect(lanes.live).toMatchObject({ writes: 28, unneeded: 20, creations: 2, updates: 5, deletions: 1 });
});

test("a table for people, without colours in a pipe", async () => {
  await using world = await World.create({ partitions: 2 });
  await world.writeCustomers(1, 3);
  const { code, out } = await world.command("plan");
  expect(code).toBe(0);
  expect(out).toMatch(/^3 records wait, with 3 changes; 0 skipped, 0 dead letters\.\n/);
  expect(out).toMatch(/│ Calls +│ +1 │ +0 │ +1 │/);
  expect(out).toMatch(/\nAll is drained in \d+ s, at .*Z\.\n/);
  expect(out).toMatch(
    /\nwarning {2}3 of 3 sampled keys .* are unknown to Sell: .*\n {9}next: .* sell-sink adopt .* --dry-run\n$/,
  );
  expect(out).not.toContain("\u001b");
});
