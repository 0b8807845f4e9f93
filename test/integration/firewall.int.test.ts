/** A firewall's page in place of Sell's answer: the trouble of a record, or of nobody in particular. */
import { expect, test } from "vitest";
import { CLEAN, check } from "../support/checker.ts";
import { World } from "../support/world.ts";

const PAGE = { status: 403, body: "<html>Request blocked</html>", headers: { "Content-Type": "text/html" } };

test("a page on every request stops the entity after a few calls, with a sentence and without a dead letter", async () => {
  const faults = [{ match: { method: "POST", path: "/api/v2/bulk/accounts" }, times: null, reply: PAGE }];
  await using world = await World.create({ sandbox: { faults } });
  await world.writeCustomers(1, 120);
  const replica = await world.start("a", { sell: { dialect: "bulk" } });
  await replica.until(() => replica.said("halted").length > 0, "it says that nothing passes");
  expect(replica.said("halted")[0]?.msg).toContain("lets no request about accounts pass");
  const refused = world.sandbox.log().filter(({ status }) => status === 403);
  expect(refused.length, "halves down to five records, and what was on the wire").toBeLessThanOrEqual(24);

  world.sandbox.clearFaults();
  await replica.stop();
  await world.start("b", { sell: { dialect: "bulk" } });
  await world.drained();
  const ledgers = await world.ledgers();
  expect(check(ledgers)).toEqual(CLEAN);
  expect(ledgers.deadLetters).toEqual([]);
});
