/** Our gate in the benchmark: three replicas with an endless backlog, the real scripts in a real Redis, a clock of our own. */
import { randomUUID } from "node:crypto";
import { quotaConfig } from "../../src/gate/config.ts";
import { quotaOf } from "../../src/gate/quota.ts";
import type { RedisClient } from "../../src/lib/redis-client.ts";
import { GateWalk } from "../support/gate-walk.ts";
import { type Account, delays, LEAST_DELAY_MS, type Reply } from "./gate-account.ts";

const REPLICAS = 3;
/** No call arrives within one step of its grant, so that arrivals are seen in their order. */
const STEP_MS = LEAST_DELAY_MS;

interface OnTheWay {
  readonly atMs: number;
  readonly replica: number;
}

/** Calls `account` until `untilMs`; what broke a rule of the gate, if anything did. */
export const runFleet = async (redis: RedisClient, account: Account, untilMs: number): Promise<readonly string[]> => {
  const lanes = Array.from({ length: REPLICAS }, () => ["live"] as const);
  const walk = new GateWalk({
    redis,
    scopeText: `bench ${randomUUID()}`,
    quota: quotaOf(quotaConfig.parse({})),
    lanes,
  });
  const delay = delays(1);
  let arriving: OnTheWay[] = [];
  let returning: (OnTheWay & Reply)[] = [];
  let seen = 0;
  while (walk.nowMs < untilMs) {
    await walk.take({ do: "run", ms: STEP_MS });
    for (const { atMs, replica } of walk.grants.slice(seen)) arriving.push({ atMs: atMs + delay(), replica });
    seen = walk.grants.length;
    arriving.sort((a, b) => a.atMs - b.atMs);
    const arrived = arriving.filter(({ atMs }) => atMs <= walk.nowMs);
    arriving = arriving.slice(arrived.length);
    for (const { atMs, replica } of arrived) returning.push({ atMs: atMs + delay(), replica, ...account.call(atMs) });
    const answered = returning.filter(({ atMs }) => atMs <= walk.nowMs);
    returning = returning.filter(({ atMs }) => atMs > walk.nowMs);
    for (const { replica, hintMs, announced } of answered) {
      if (announced !== null) await walk.take({ do: "see", replica, ...announced });
      if (hintMs !== null) await walk.take({ do: "tell", replica, hintMs });
    }
  }
  await walk.take({ do: "lose-state" });
  return walk.breaches.map(({ what, atMs }) => `${what} after ${Math.round(atMs)} ms`);
};
