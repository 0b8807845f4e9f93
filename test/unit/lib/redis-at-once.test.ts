import { expect, test } from "vitest";
import type { RedisConnection } from "../../../src/lib/redis.ts";
import { redisAtOnce } from "../../../src/lib/redis-at-once.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const aRedis = (lastError: () => string | null): RedisConnection =>
  ({ address: "redis://redis:6379", lastError }) as unknown as RedisConnection;

/** Sleeps by moving its hands. */
const aClock = () => {
  const clock = new FakeClock();
  return { monotonicMs: () => clock.monotonicMs(), now: () => 0, sleep: async (ms: number) => clock.advance(ms) };
};

const never = new AbortController().signal;

test("a Redis that does not answer within 5 s is told with its address and cause", async () => {
  const clock = aClock();
  const startMs = clock.monotonicMs();
  await expect(
    redisAtOnce(
      aRedis(() => "ECONNREFUSED"),
      clock,
      never,
    ),
  ).rejects.toMatchObject({
    ...{ code: "UNREACHABLE", retriable: true },
    message: "Redis at redis://redis:6379 does not answer (ECONNREFUSED); check redis in the configuration.",
  });
  expect(clock.monotonicMs()).toBe(startMs + 5_000);
});

test("one that answers a little later is there", async () => {
  const clock = aClock();
  const answersMs = clock.monotonicMs() + 1_000;
  const connected = aRedis(() => (clock.monotonicMs() < answersMs ? "not connected yet" : null));
  await redisAtOnce(connected, clock, never);
});
