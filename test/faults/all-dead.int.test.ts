/**
 * Kafka, Redis and Sell all gone at once, long beyond every time-out: no kubelet restarts a replica for it, and when they are
 * back it goes on by itself. DEAD_MINUTES=10 is how long the chart promises it for.
 */
import { expect, test } from "vitest";
import { startKafka } from "../../src/demo/services/kafka.ts";
import { startRedis } from "../../src/demo/services/redis.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { CLEAN, check } from "../support/checker.ts";
import { until } from "../support/until.ts";
import { World } from "../support/world.ts";

const DEAD_MS = 60_000 * Number(process.env["DEAD_MINUTES"] ?? 1);
/** The chart's liveness probe. */
const PROBE = { periodMs: 10_000, timeoutMs: 5_000 };
/** Sell as one sees it behind a dead firewall: connections that say nothing. */
const SILENT = { times: null, match: {}, replyDelayMs: 3_600_000 };

const isLive = (adminUrl: string): Promise<boolean> =>
  fetch(`${adminUrl}/livez`, { signal: AbortSignal.timeout(PROBE.timeoutMs) }).then(
    ({ ok }) => ok,
    () => false,
  );

test("nothing outside makes the liveness probe fail", { timeout: DEAD_MS + 240_000 }, async () => {
  await using kafka = await startKafka();
  await using redis = await startRedis();
  await using world = await World.create({ kafka: kafka.address, redisUrl: redis.address });
  const replica = await world.start("a");
  await world.writeCustomers(1, 100);
  await until(() => world.accepted("accounts") > 0, "some are accepted");
  world.sandbox.script([SILENT]);
  await Promise.all([kafka.kill("SIGSTOP"), redis.kill("SIGSTOP")]);
  const failed: number[] = [];
  let asked = 0;
  for (const endMs = systemClock.monotonicMs() + DEAD_MS; systemClock.monotonicMs() < endMs; asked++) {
    if (!(await isLive(replica.adminUrl))) failed.push(asked);
    await systemClock.sleep(PROBE.periodMs);
  }
  process.stderr.write(`live at ${asked - failed.length} of ${asked} looks in ${DEAD_MS / 60_000} minutes\n`);
  expect(failed).toEqual([]);
  world.sandbox.clearFaults();
  await Promise.all([kafka.kill("SIGCONT"), redis.kill("SIGCONT")]);
  await world.drained();
  expect(replica.exitedBadly).toBe(false);
  expect(check(await world.ledgers())).toEqual(CLEAN);
});
