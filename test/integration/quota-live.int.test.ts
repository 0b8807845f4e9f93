/** A share of the live run of `npm run bench:gate:live`: what must hold however slow the machine is. */
import { expect, test } from "vitest";
import { startRedis } from "../../src/demo/services/redis.ts";
import { runLive } from "../bench/gate-live.ts";

test("three processes share a quota in real time: never above it, and about evenly", async () => {
  await using redis = await startRedis();
  const { used, fullest, byReplica, commandsEach, liveWaitsMs } = await runLive(redis.address, 14);
  console.log(
    `gate: ${(100 * used).toFixed(1)} % used, fullest 6 s ${fullest}, by replica ${byReplica.join(", ")}, ${commandsEach.toFixed(2)} commands a permit`,
  );
  expect(fullest).toBeGreaterThan(20);
  expect(fullest).toBeLessThanOrEqual(200);
  expect(Math.min(...byReplica)).toBeGreaterThan(0.4 * Math.max(...byReplica));
  expect(liveWaitsMs.length).toBeGreaterThan(0);
});
