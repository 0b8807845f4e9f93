/** Replies that say nothing, or not enough: each record ends as the ERP has it, and is repeated only where its outcome was unknown. */
import { expect, test } from "vitest";
import type { FaultOptions } from "../../src/sandbox/index.ts";
import { CLEAN, check, repeated } from "../support/checker.ts";
import { guard } from "../support/until.ts";
import { World } from "../support/world.ts";

const ITEMS = 10;
const html = { status: 200, headers: { "Content-Type": "text/html" }, body: "<html>Welcome</html>" };

interface Scenario {
  readonly title: string;
  readonly fault: FaultOptions;
  /** Most records that may be written twice: those whose outcome the reply did not tell. */
  readonly repeats: number;
}

const SCENARIOS: readonly Scenario[] = [
  { title: "applied, and the reply cut", fault: { reply: "cut" }, repeats: ITEMS },
  { title: "applied, and the connection reset", fault: { reply: "reset" }, repeats: ITEMS },
  { title: "applied, and only half a reply", fault: { reply: "truncated" }, repeats: ITEMS },
  { title: "applied, and no reply in time", fault: { reply: "silence" }, repeats: ITEMS },
  { title: "applied, and a page of HTML with status 200", fault: { apply: "all", reply: html }, repeats: ITEMS },
  { title: "half applied, and a 502", fault: { apply: "half", reply: { status: 502 } }, repeats: ITEMS / 2 },
  { title: "not applied, and a 500", fault: { reply: { status: 500 } }, repeats: 0 },
  { title: "a verdict missing", fault: { verdicts: "missing" }, repeats: 1 },
  { title: "the verdicts shuffled", fault: { verdicts: "shuffled" }, repeats: 0 },
  { title: "a verdict nobody asked for", fault: { verdicts: "extra" }, repeats: 0 },
  { title: "a verdict doubled", fault: { verdicts: "doubled" }, repeats: 1 },
];

test.concurrent.for(SCENARIOS)("$title: nothing lost, at most $repeats repeated", async ({ fault, repeats }) => {
  const faults = [{ match: { method: "POST" }, times: 1, ...fault }];
  await using world = await World.create({ sandbox: { faults } });
  await world.writeCustomers(1, 50);
  await world.writeCustomers(1, 5, 2);
  await world.start("a", { batch: { maxItems: ITEMS } });
  await world.drained();
  const ledgers = await world.ledgers();
  expect({ ...check(ledgers), duplicates: [] }).toEqual(CLEAN);
  expect(repeated(ledgers)).toBeLessThanOrEqual(repeats);
  guard(world.sandbox.summary().faultsPending === 0, "the fault was never met");
  guard(repeats < ITEMS || repeated(ledgers) > 0, "the whole batch was applied, yet not one of it came again");
});

test("a batch that is refused as a whole for one record is halved until that one is alone", async () => {
  const refusal = { status: 422, body: { errors: [{ error: { code: "invalid", details: "no" } }] } };
  const faults = [{ match: { method: "POST", key: "25" }, times: null, reply: refusal }];
  await using world = await World.create({ partitions: 1, sandbox: { faults }, config: { batch: { maxItems: 50 } } });
  await world.writeCustomers(1, 24);
  await world.writeNamelessCustomer(25);
  await world.writeCustomers(26, 50);
  await world.start("a");
  await world.drained();
  const ledgers = await world.ledgers();
  expect(check(ledgers)).toEqual(CLEAN);
  expect(repeated(ledgers)).toBe(0);
  const calls = ledgers.requests.filter(({ items }) => items > 0).length;
  expect(calls).toBeLessThanOrEqual(1 + 2 * Math.ceil(Math.log2(50)) + 1);
  guard(
    ledgers.requests.some(({ items, status }) => items === 50 && status === 422),
    "no batch of 50 was refused",
  );
});
