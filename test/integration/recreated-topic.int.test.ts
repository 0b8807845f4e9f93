/** A log that was begun again, or cut, ends below the offset up to which it was read: all that stands there is news. */
import { expect, test } from "vitest";
import { until } from "../support/until.ts";
import { World } from "../support/world.ts";

test("a topic that was created again is read from its first record, under a running replica and at a start", async () => {
  await using world = await World.create({ partitions: 1 });
  const { admin } = world.erp.kafka;
  await world.writeCustomers(1, 5);
  await world.writeOrders(1, 2);
  const beyond = [{ topic: world.orders, partition: 0, offset: 100n, metadata: "" }];
  await until(() => admin.commit(world.groupId, beyond).then(() => true), "an offset beyond the end is stored");
  const replica = await world.start("a");
  await until(() => world.accepted("deals") === 2, "both orders in Sell");
  await world.drained();
  expect(replica.said("offset-out-of-range")).toHaveLength(1);

  await admin.deleteTopics([world.customers]);
  await until(async () => (await admin.partitionCounts([world.customers])).size === 0, "the topic is gone");
  await world.erp.createTopics([world.customers], 1);
  await world.writeCustomers(6, 7);
  await until(() => world.accepted("accounts") === 7, "both new customers in Sell");
  await world.drained();
});
