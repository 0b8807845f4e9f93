/** Mass deletion stops before it has emptied the CRM, loses nothing, and goes on when a person names a larger number. */
import { expect, test } from "vitest";
import { CLEAN, check } from "../support/checker.ts";
import { until } from "../support/until.ts";
import { World } from "../support/world.ts";

const withBrake = (world: World, deletions: number) => ({
  routes: [
    {
      ...{ topic: world.customers, format: "debezium-json", entity: "accounts", key: "id" },
      ...{ fields: { name: "name" }, onDelete: "delete", brake: { deletions } },
    },
    {
      ...{ topic: world.orders, format: "debezium-json", entity: "deals", key: "order_no" },
      fields: { name: "name", contact_id: { ref: "accounts", key: "customer_id" } },
    },
  ],
});

test("beyond the brake's number of deletions an hour its topic stands still, and others go on", async () => {
  await using world = await World.create({ sandbox: { rate: { profile: "none" } } });
  const first = await world.start("a", withBrake(world, 10));
  await world.writeCustomers(1, 40);
  await world.drained();
  await world.deleteCustomers(1, 30);
  await first.until(() => first.said("brake-engaged").length > 0, "the brake engages");
  await world.writeOrders(31, 40);
  await until(async () => (await world.lag(world.orders)) === 0n, "other topics go on");

  const left = () => [...world.sandbox.state("contacts")].length;
  expect(left()).toBeGreaterThanOrEqual(30);
  expect(await world.lag(world.customers)).toBeGreaterThanOrEqual(20n);
  const [line] = first.said("brake-engaged");
  expect(line?.msg).toMatch(/has reached 10 deletions an hour.*last keys are .*set brake\.deletions of the route/);
  expect(first.said("dead-lettered")).toEqual([]);

  expect((await first.stop()).code).toBe(0);
  await world.start("b", withBrake(world, 100));
  await world.drained();
  expect(left()).toBe(10);
  expect(check(await world.ledgers())).toEqual(CLEAN);
});
