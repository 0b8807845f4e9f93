/**
 * One replica of the live run: a gate of its own, an endless backfill and now and then a live call. Tells its grants.
 * Arguments: address of Redis, scope, name, seconds, milliseconds between live calls.
 */
import { quotaConfig } from "../../src/gate/config.ts";
import { createGate } from "../../src/gate/gate.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { connectRedis } from "../../src/lib/redis.ts";
import { LIVE_QUOTA, type ReplicaReport } from "./gate-live.ts";

const [url = "", scopeText = "", replicaId = "", seconds = "", liveEveryMs = ""] = process.argv.slice(2);

const redis = connectRedis({ url });
const gate = createGate({
  ...{ quota: quotaConfig.parse(LIVE_QUOTA), redis, scopeText, replicaId, clock: systemClock },
  emit: () => {},
});
const stop = new AbortController();
const grantsMs: number[] = [];
const liveWaitsMs: number[] = [];

const backfill = async (): Promise<void> => {
  for (;;) {
    await gate.acquire("backfill", stop.signal);
    grantsMs.push(systemClock.now());
  }
};
const live = async (): Promise<void> => {
  for (;;) {
    await systemClock.sleep(Number(liveEveryMs), stop.signal);
    const askedMs = systemClock.monotonicMs();
    await gate.acquire("live", stop.signal);
    grantsMs.push(systemClock.now());
    liveWaitsMs.push(systemClock.monotonicMs() - askedMs);
  }
};
const work = [backfill(), backfill(), live()];
await systemClock.sleep(1_000 * Number(seconds));
stop.abort();
await Promise.allSettled(work);
await gate.close();
redis.close();
process.send?.({ grantsMs, liveWaitsMs } satisfies ReplicaReport);
