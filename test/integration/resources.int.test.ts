/** Every resource of Sell in one backlog, children and parents in any order, in both dialects, on a real broker. */
import { expect, test } from "vitest";
import { until } from "../support/until.ts";
import { World } from "../support/world.ts";

const NUMBER_OF_ORDERS = 12;

const routesOf = (topics: { readonly [name: string]: string }) => {
  const format = "debezium-json";
  return [
    {
      ...{ topic: topics["customers"], format, entity: "accounts", key: "id" },
      fields: {
        name: "name",
        owner_id: { owner: { from: "rep" }, write: "onCreate" },
        tags: { from: "segment", owned: ["gold", "silver"] },
        "custom_fields.customer_group": { from: "grp", values: { R: "retail", W: "wholesale" } },
      },
    },
    {
      ...{ topic: topics["products"], format, entity: "products", key: "sku" },
      fields: { name: "name", "prices.EUR": { from: "price", as: "decimal(2)" } },
    },
    {
      ...{ topic: topics["deals"], format, entity: "deals", key: "order_no" },
      fields: {
        name: { template: "Order ${order_no}" },
        contact_id: { ref: "accounts", key: "customer_id" },
        stage_id: { stage: { from: "status", values: { O: "Quote", W: "won" } }, pipeline: "Sales pipeline" },
        owner_id: { owner: "sales@example.com" },
      },
    },
    {
      ...{ topic: topics["orders"], format, entity: "orders", key: "order_no", onDelete: "delete" },
      fields: {
        deal_id: { ref: "deals", key: "order_no" },
        discount: "discount",
        lines: {
          from: "lines",
          each: { product_id: { ref: "products", key: "sku" }, quantity: "qty", currency: { value: "EUR" } },
        },
      },
    },
  ];
};

const range = (to: number) => Array.from({ length: to }, (_, i) => i + 1);
const linesOf = (...lines: readonly (readonly [sku: string, qty: number])[]) =>
  JSON.stringify(lines.map(([sku, qty]) => ({ sku, qty })));

test.each(["bulk", "core"] as const)("in the %s dialect", async (dialect) => {
  await using world = await World.create({
    sandbox: { rate: { profile: "none" }, settings: { indexLagMs: 50, bulk: dialect === "bulk" } },
  });
  const topics = Object.fromEntries(
    ["customers", "products", "deals", "orders"].map((name) => [name, `${name}.${world.groupId}`]),
  );
  const [customers = "", products = "", deals = "", orders = ""] = Object.values(topics);
  await world.erp.createTopics(Object.values(topics), 3);

  // Children first: none of what they refer to exists yet.
  const order = (no: number, lines: string, discount = 5) =>
    world.erp.write(orders, [{ key: { order_no: no }, after: { order_no: no, discount, lines } }]);
  for (const no of range(NUMBER_OF_ORDERS)) await order(no, linesOf(["BOLT", no], ["NUT", 1]));
  await world.erp.write(
    deals,
    range(NUMBER_OF_ORDERS).map((no) => ({
      key: { order_no: no },
      after: { order_no: no, customer_id: no, status: "O" },
    })),
  );
  await world.erp.write(
    products,
    ["BOLT", "NUT", "GEAR"].map((sku) => ({ key: { sku }, after: { sku, name: sku, price: 9.9 } })),
  );
  await world.erp.write(
    customers,
    range(NUMBER_OF_ORDERS).map((id) => ({
      key: { id },
      after: { id, name: `Customer ${id}`, rep: "sales@example.com", segment: "gold", grp: "W" },
    })),
  );

  const replica = await world.start("a", {
    sell: { dialect, indexLagMs: 100 },
    quota: { windows: [{ limit: 1_000, perMs: 1_000 }] },
    batch: { maxItems: 50 },
    routes: routesOf(topics),
  });
  const state = (resource: string) => [...world.sandbox.state(resource)].map(({ data }) => data);
  const drained = (what: string) =>
    until(async () => {
      const ends = await world.erp.kafka.admin.endOffsets(Object.values(topics));
      const committed = await world.erp.kafka.admin.committed(world.groupId, ends);
      const offsets = new Map(committed.map((row) => [`${row.topic} ${row.partition}`, row.offset]));
      return ends.every(({ topic, partition, high }) => (offsets.get(`${topic} ${partition}`) ?? 0n) >= high);
    }, `${what}\n${replica.tail()}`);
  await drained("the backlog is delivered");

  expect(state("contacts")).toHaveLength(NUMBER_OF_ORDERS);
  expect(state("contacts")[0]).toMatchObject({
    owner_id: 4711,
    tags: ["gold"],
    custom_fields: { customer_group: "wholesale" },
  });
  expect(state("deals").map((deal) => [deal["stage_id"], deal["owner_id"]])).toEqual(
    Array(NUMBER_OF_ORDERS).fill([3, 4711]),
  );
  expect(state("orders")).toHaveLength(NUMBER_OF_ORDERS);
  expect(
    state("line_items")
      .map((line) => `${line["sku"]} ${line["quantity"]}`)
      .sort(),
  ).toEqual(
    range(NUMBER_OF_ORDERS)
      .flatMap((no) => [`BOLT ${no}`, "NUT 1"])
      .sort(),
  );

  await order(1, linesOf(["GEAR", 2], ["NUT", 1]), 7);
  await world.erp.write(orders, [{ key: { order_no: 2 }, after: null }]);
  await world.erp.write(deals, [{ key: { order_no: 1 }, after: { order_no: 1, customer_id: 1, status: "W" } }]);
  await drained("the changes are delivered");
  expect(state("orders")).toHaveLength(NUMBER_OF_ORDERS - 1);
  expect(state("orders").map((row) => row["discount"])).toContain(7);
  const lines = state("line_items").map((line) => `${line["sku"]} ${line["quantity"]}`);
  expect(lines).toHaveLength(2 * (NUMBER_OF_ORDERS - 1));
  expect(lines).toContain("GEAR 2");
  expect(lines).not.toContain("BOLT 1");
  expect(state("deals").map((deal) => deal["stage_id"])).toContain(5);
  expect(replica.said("dead-lettered")).toEqual([]);
  expect((await replica.stop()).code).toBe(0);
});
