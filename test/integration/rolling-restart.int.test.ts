/** SIGTERM: exit 0 in time, and no record is written twice, neither by a stop in the middle of calls nor by a rolling restart. */
import { expect, test } from "vitest";
import { startRedis } from "../../src/demo/services/redis.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { CLEAN, check, repeated } from "../support/checker.ts";
import { guard, until } from "../support/until.ts";
import { World } from "../support/world.ts";

const STOP_MAX_MS = 10_000;
/** Longer than a heartbeat, so that a rebalance surely meets calls on the wire. */
const SLOW = { times: null, match: { method: "POST" }, replyDelayMs: 400 };

/** An ERP that goes on writing while the replicas come and go. */
const busyErp = (world: World) => {
  const stop = new AbortController();
  const run = async (): Promise<void> => {
    for (let version = 2; !stop.signal.aborted; version++) {
      const first = 1 + 20 * (version % 5);
      await world.writeCustomers(first, first + 19, version);
      await systemClock.sleep(150, stop.signal).catch(() => {});
    }
  };
  const running = run();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
};

test("a rolling restart of three replicas, with parked children and gaps above the watermark, repeats nothing", async () => {
  await using world = await World.create({ sandbox: { faults: [SLOW] } });
  await world.writeOrders(501, 530); // of customers that do not exist yet: they hold every watermark
  await world.writeCustomers(1, 100);
  await world.writeOrders(1, 60);
  const replicas = await world.startAll(["a", "b", "c"]);
  await until(() => world.accepted("deals") === 60, "the orders behind those that wait are accepted");
  guard((await world.lag(world.orders)) === 90n, "an order was committed past one that waits for its customer");
  {
    await using _erp = busyErp(world);
    for (const [i, replica] of replicas.entries()) {
      await until(() => world.onTheWire(replica).length > 0, `a call of ${replica.name} on the wire`);
      const { code, tookMs } = await replica.stop();
      expect(code, replica.tail()).toBe(0);
      expect(tookMs).toBeLessThan(STOP_MAX_MS);
      await world.start(`${replica.name}${i}`);
    }
  }
  guard((await world.lag(world.orders)) === 90n, "the parked orders did not wait over the restart");
  await world.writeCustomers(501, 530); // the parents arrive: their children go
  await world.drained();
  const ledgers = await world.ledgers();
  expect(check(ledgers)).toEqual(CLEAN);
  expect(repeated(ledgers)).toBe(0);
});

test("SIGTERM with four calls on the wire awaits their answers and exits 0; the next start repeats nothing", async () => {
  await using world = await World.create({ sandbox: { faults: [{ ...SLOW, replyDelayMs: 1_500 }] } });
  const replica = await world.start("a");
  await world.writeCustomers(1, 200);
  await until(() => world.onTheWire(replica).length === 4, "four calls on the wire");
  const { code, tookMs } = await replica.stop();
  expect(code, replica.tail()).toBe(0);
  expect(tookMs).toBeLessThan(STOP_MAX_MS);
  guard((await world.lag()) > 100n, "there was nothing left to do");
  world.sandbox.clearFaults();
  await world.start("b");
  await world.drained();
  const ledgers = await world.ledgers();
  expect(check(ledgers)).toEqual(CLEAN);
  expect(repeated(ledgers)).toBe(0);
});

test("a clean restart with gaps above the watermark repeats nothing, even if Redis has forgotten all that was accepted", async () => {
  await using redis = await startRedis();
  await using world = await World.create({ redisUrl: redis.address });
  await world.writeOrders(501, 530);
  await world.writeCustomers(1, 60);
  await world.writeOrders(1, 60);
  const replica = await world.start("a");
  await until(() => world.accepted("deals") === 60, "the orders behind those that wait are accepted");
  expect((await replica.stop()).code, replica.tail()).toBe(0);
  guard((await world.lag(world.orders)) === 90n, "an order was committed past one that waits for its customer");
  await redis.kill("SIGKILL");
  await redis.start();
  await world.writeCustomers(501, 530);
  await world.start("b");
  await world.drained();
  const ledgers = await world.ledgers();
  expect(check(ledgers)).toEqual(CLEAN);
  expect(repeated(ledgers)).toBe(0);
});
