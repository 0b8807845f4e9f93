/** SIGTERM at the worst moments: exit 0 within 10 s, and the next start goes on as if nothing had been. */
import { expect, test } from "vitest";
import { startRedis } from "../../src/demo/services/redis.ts";
import { CLEAN, check } from "../support/checker.ts";
import type { Replica } from "../support/replica.ts";
import { until } from "../support/until.ts";
import { QUOTA, World, type WorldOptions } from "../support/world.ts";

const STOP_MAX_MS = 10_000;

interface Moment {
  readonly title: string;
  readonly options?: WorldOptions;
  /** Brings the moment about. */
  readonly reach: (world: World, replica: Replica) => Promise<void>;
  /** Takes the trouble away, after the stop. */
  readonly mend?: (world: World) => Promise<void>;
}

const MOMENTS: readonly Moment[] = [
  { title: "with nothing to do", reach: (world) => world.drained() },
  {
    title: "in a cool-down of an hour",
    options: {
      sandbox: { rate: { windows: [{ type: "sliding-log", ...QUOTA }], retryAfterS: 3_600, headers: "full" } },
      config: { quota: { windows: [QUOTA] } },
    },
    async reach(world, replica) {
      world.sandbox.setLimit(1);
      await world.writeCustomers(1, 60, 2);
      await replica.until(() => replica.said("cooldown-started").length > 0, "it was told to wait");
      world.sandbox.setLimit(QUOTA.limit);
    },
  },
  {
    title: "while calls are tried again",
    async reach(world) {
      world.sandbox.script([{ times: null, match: { method: "POST" }, reply: { status: 503 } }]);
      await world.writeCustomers(1, 60, 2);
      await until(() => world.sandbox.log().filter(({ status }) => status === 503).length > 3, "several tries");
    },
    mend: async (world) => world.sandbox.clearFaults(),
  },
  {
    title: "with a call that never ends",
    async reach(world, replica) {
      world.sandbox.script([{ match: { method: "POST" }, reply: "silence" }]);
      await world.writeCustomers(1, 60, 2);
      await until(() => world.onTheWire(replica).length > 0, "a call on the wire");
    },
  },
  {
    title: "while the dead-letter topic takes nothing",
    options: { deadLetterTopic: { "max.message.bytes": "100" } },
    async reach(world, replica) {
      await world.writeNamelessCustomer(70);
      await world.writeCustomers(1, 60, 2);
      await replica.until(() => replica.said("dead-letter-failed").length > 0, "it cannot write");
    },
    mend: (world) => world.erp.kafka.admin.configureTopic(world.deadLetters, {}),
  },
];

test.concurrent.for(MOMENTS)("SIGTERM $title: exit 0 within 10 s, nothing lost", async ({ options, reach, mend }) => {
  await using world = await World.create(options);
  await world.writeCustomers(1, 30);
  const replica = await world.start("a");
  await world.drained();
  await reach(world, replica);
  const { code, tookMs } = await replica.stop();
  expect(code, replica.tail()).toBe(0);
  expect(tookMs).toBeLessThan(STOP_MAX_MS);
  if (options?.config?.["quota"] !== undefined) return; // nobody waits for an hour
  await mend?.(world);
  await world.start("b");
  await world.drained();
  expect(check(await world.ledgers())).toEqual(CLEAN);
});

test("SIGTERM while Redis is away, with calls that cannot be remembered: exit 0 within 10 s, nothing lost", async () => {
  await using redis = await startRedis();
  await using world = await World.create({ redisUrl: redis.address });
  const replica = await world.start("a");
  world.sandbox.script([{ times: null, match: { method: "POST" }, replyDelayMs: 500 }]);
  await world.writeCustomers(1, 60, 2);
  await until(() => world.onTheWire(replica).length > 1, "calls on the wire");
  await redis.kill("SIGKILL");
  await until(() => world.onTheWire(replica).length === 0, "they are answered");
  const { code, tookMs } = await replica.stop();
  expect(code, replica.tail()).toBe(0);
  expect(tookMs).toBeLessThan(STOP_MAX_MS);
  await redis.start();
  world.crashed(replica); // what could not be remembered comes again
  await world.start("b");
  await world.drained();
  expect(check(await world.ledgers())).toEqual(CLEAN);
});

test("SIGTERM while the first join is under way: exit 0 within 10 s", async () => {
  await using world = await World.create();
  const joining = world.start("a");
  await joining;
  const second = world.start("b").catch(() => null);
  await until(() => world.sandbox.log().some(({ instance }) => instance === "b"), "the second one is about to join");
  const replica = world.replica("b");
  const { code, tookMs } = await replica.stop();
  expect(code, replica.tail()).toBe(0);
  expect(tookMs).toBeLessThan(STOP_MAX_MS);
  await second;
});
