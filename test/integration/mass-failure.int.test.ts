/** A mapping that fits no record: its topic stands still instead of moving into the dead letters, and other topics go on. */
import { expect, test } from "vitest";
import { CLEAN, check } from "../support/checker.ts";
import { guard } from "../support/until.ts";
import { World } from "../support/world.ts";

const LIMITS = { deadLetter: { massFailure: { outOf: 20, moreThan: 5 } } };

test.concurrent("records that Sell refuses one after the other stop their topic; the others and what came before are committed", async () => {
  await using world = await World.create({ partitions: 2, config: LIMITS });
  const replica = await world.start("a");
  await world.writeCustomers(1, 20);
  await world.writeOrders(1, 20);
  await world.drained();
  for (let id = 21; id <= 80; id++) await world.writeNamelessCustomer(id);
  await replica.until(() => replica.said("mass-failure").length > 0, "it stops the topic");
  const calls = world.sandbox.log().length;
  await world.writeOrders(1, 20, 2);
  await replica.until(async () => (await world.lag(world.orders)) === 0n, "the other topic goes on");

  expect(replica.said("mass-failure")).toMatchObject([
    { level: "error", topic: world.customers, failures: 6, outOf: 20 },
  ]);
  expect(replica.said("mass-failure")[0]?.msg).toContain("attribute must not be blank");
  expect(await replica.metric("sell_sink_mass_failures_total")).toBe(1);
  expect(await replica.metric("sell_sink_partition_paused")).toBeGreaterThan(0);
  expect(await world.lag(world.customers)).toBeGreaterThanOrEqual(55n);
  expect(world.sandbox.log().length - calls).toBeLessThan(10); // no quota is spent on what would be refused
  const { deadLetters } = await world.ledgers();
  expect(deadLetters).toHaveLength(5);

  const { code, tookMs } = await replica.stop();
  expect([code, tookMs < 10_000]).toEqual([0, true]);
  await world.start("b", { deadLetter: { topic: world.deadLetters, massFailure: { outOf: 20, moreThan: 20 } } });
  await world.drained();
  const ledgers = await world.ledgers();
  expect(check(ledgers)).toEqual(CLEAN);
  guard(ledgers.deadLetters.length === 60, "not all of them failed");
});

test.concurrent("so do records that cannot be read", async () => {
  await using world = await World.create({ partitions: 1, config: LIMITS });
  const replica = await world.start("a");
  await world.writeCustomers(1, 5);
  await world.drained();
  for (let i = 0; i < 30; i++) await world.erp.writeRaw(world.customers, "x", "{broken");
  await replica.until(() => replica.said("mass-failure").length > 0, "it stops the topic");
  await replica.until(async () => (await world.lag(world.customers)) === 25n, "what came before is committed");
  expect((await world.ledgers()).deadLetters).toHaveLength(5);
});
