/** What Sell does not have or does not allow: found at the start, or a matter of one resource alone. */
import { expect, test } from "vitest";
import { until } from "../support/until.ts";
import { World } from "../support/world.ts";

const routeOf = (topic: string, more: object) => ({ topic, format: "debezium-json", ...more });

test("a mapping that the account does not fit keeps a replica from starting, with all sentences at once", async () => {
  await using world = await World.create();
  const fields = {
    name: "name",
    "custom_fields.customer_grup": "grp",
    owner_id: { owner: "eve@example.com" },
  };
  await world.writeCustomers(1, 3);
  const replica = await world.begin("a", {
    routes: [routeOf(world.customers, { entity: "accounts", key: "id", fields })],
  });
  expect((await replica.exit).code).toBe(1);
  const last = replica.lines.at(-1)?.msg ?? "";
  expect(last).toContain('field "custom_fields.customer_grup": Sell has no custom field "customer_grup" on accounts');
  expect(last).toContain("did you mean customer_group?");
  expect(last).toContain("of eve@example.com Sell says: no user has this e-mail address");
  expect(world.accepted("accounts")).toBe(0);
});

test("a resource that Sell forbids waits with its records, and all others go on", async () => {
  await using world = await World.create({
    sandbox: { rate: { profile: "none" }, settings: { indexLagMs: 0, forbidden: ["products"] } },
  });
  await world.writeCustomers(1, 20);
  await world.erp.write(world.orders, [{ key: { sku: "BOLT" }, after: { sku: "BOLT", name: "Bolt" } }]);
  const replica = await world.start("a", {
    routes: [
      routeOf(world.customers, { entity: "accounts", key: "id", fields: { name: "name" } }),
      routeOf(world.orders, { entity: "products", key: "sku", fields: { name: "name" } }),
    ],
  });
  await replica.until(() => replica.said("halted").length > 0, "it says that products are refused");
  await until(async () => (await world.lag(world.customers)) === 0n, "accounts go on");
  await world.writeCustomers(1, 20, 2);
  await until(async () => (await world.lag(world.customers)) === 0n, "accounts go on afterwards");
  const refused = world.sandbox.log().filter(({ status }) => status === 403);
  expect(refused, "one question, not a storm").toHaveLength(1);
  expect(replica.said("halted")[0]?.msg).toContain("use products (HTTP 403)");
  expect(replica.said("dead-lettered")).toEqual([]);
  expect(await world.lag(world.orders)).toBe(1n);
});
