/** Sell may apply a call long after we gave it up: a newer version must come after that, whoever owns the partition then. */
import { expect, test } from "vitest";
import type { LoggedRequest } from "../../src/sandbox/index.ts";
import { CLEAN, check } from "../support/checker.ts";
import { guard, until } from "../support/until.ts";
import { World } from "../support/world.ts";

const PATIENT = { config: { sell: { lateApplyMaxMs: 8_000 } } };
/** The client gives up after 2 s and has had its answer to a second try after 6 s; the first is applied after 8.5 s, in time. */
const LATE = { match: { method: "POST", key: "7" }, apply: "late", lateMs: 8_500, reply: "silence" } as const;

const applyLate = async (world: World): Promise<LoggedRequest> => {
  await world.writeCustomers(1, 20);
  await until(() => world.accepted("accounts") === 20, "the customers are in Sell");
  world.sandbox.script([LATE]);
  await world.writeCustomers(7, 7, 2);
  const isIt = ({ reply, items }: LoggedRequest): boolean => items === 1 && reply === "open";
  await until(() => world.sandbox.log().some(isIt), "the call that is applied late");
  const late = world.sandbox.log().find(isIt);
  if (late === undefined) throw new Error("just seen");
  await world.writeCustomers(7, 7, 3);
  return late;
};

const judged = async (world: World, late: LoggedRequest): Promise<void> => {
  await world.drained();
  await until(() => late.applied.length > 0, "the late call was applied");
  const ledgers = await world.ledgers();
  expect(check(ledgers)).toEqual(CLEAN);
  guard((late.applied[0]?.atMs ?? 0) > (late.endMs ?? 0) + 1_000, "it was not applied late");
};

test.concurrent("a newer version waits until the call that timed out can no longer be applied", async () => {
  await using world = await World.create(PATIENT);
  await world.start("a");
  await judged(world, await applyLate(world));
});

test.concurrent("so does the next owner of the partition, after a stop that could not learn the outcome", async () => {
  await using world = await World.create(PATIENT);
  const first = await world.start("a");
  const late = await applyLate(world);
  const next = world.start("b");
  const { code, tookMs } = await first.stop();
  expect(code, first.tail()).toBe(0);
  expect(tookMs).toBeLessThan(10_000);
  const replica = await next;
  await judged(world, late);
  guard(replica.said("late-wait").length > 0, "the next owner found nothing open");
});
