/** One record at which Sell fails, whatever the request looks like: it takes a minute of ever rarer tries to know it. */
import { expect, test } from "vitest";
import { CLEAN, check, writesOf } from "../support/checker.ts";
import { World } from "../support/world.ts";

test("a record at which Sell fails each time ends up alone, is named, and holds only what comes after it in its partition", async () => {
  const faults = [{ match: { method: "POST", key: "25" }, times: null, reply: { status: 500 } }];
  await using world = await World.create({ partitions: 2, sandbox: { faults } });
  const replica = await world.start("a");
  await world.writeCustomers(1, 50);
  await replica.until(() => replica.said("record-isolated").length > 0, "it names the record");
  await replica.until(() => world.accepted("accounts") === 49, "all the others are accepted");
  await world.writeCustomers(51, 70);
  await replica.until(() => world.accepted("accounts") === 69, "and those that come later");
  const [line] = replica.said("record-isolated");
  expect(line?.msg).toMatch(
    new RegExp(`Sell fails \\(status-500\\) at ${world.customers}\\[\\d\\]@\\d+, one of accounts`),
  );
  const shared = writesOf(world.sandbox.log(), "a").filter(({ status, items }) => status === 500 && items > 1);
  const tries = writesOf(world.sandbox.log(), "a").filter(({ status }) => status === 500);
  expect([tries.at(-1)?.items, shared.length < tries.length]).toEqual([1, true]);

  world.sandbox.clearFaults();
  await replica.stop();
  await world.start("b");
  await world.drained();
  const ledgers = await world.ledgers();
  expect(check(ledgers)).toEqual(CLEAN);
  expect(ledgers.deadLetters).toEqual([]);
});
