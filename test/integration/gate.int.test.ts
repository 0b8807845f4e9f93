import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, describe, expect, inject, it, onTestFinished } from "vitest";
import { startRedis } from "../../src/demo/services/redis.ts";
import type { Lane } from "../../src/domain/mutation.ts";
import { quotaConfig } from "../../src/gate/config.ts";
import { createGate } from "../../src/gate/gate.ts";
import { quotaOf } from "../../src/gate/quota.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { connectRedis, type RedisConnection } from "../../src/lib/redis.ts";
import { GateWalk, type Step } from "../support/gate-walk.ts";

const connected = async (url: string): Promise<RedisConnection> => {
  const redis = connectRedis({ url });
  await new Promise<void>((resolve) => redis.onIncarnation(() => resolve()));
  return redis;
};

const shared = connected(inject("redis"));
afterAll(async () => (await shared).close());

const ONE_LANE: readonly Lane[] = ["live"];
const BOTH_LANES: readonly Lane[] = ["live", "backfill"];

const quotas = fc
  .record({
    limit: fc.integer({ min: 2, max: 20 }),
    perMs: fc.integer({ min: 1_000, max: 20_000 }),
    guardMs: fc.integer({ min: 0, max: 500 }),
    catchUp: fc.integer({ min: 0, max: 3 }),
    spacingMs: fc.constantFrom(0, 0, 0, 700),
  })
  .map(({ limit, perMs, ...more }) => quotaOf(quotaConfig.parse({ windows: [{ limit, perMs }], ...more })));

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant("run" as const), ms: fc.integer({ min: 1, max: 8_000 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("tell" as const),
        replica: fc.nat(3),
        hintMs: fc.integer({ min: 1, max: 15_000 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("crash" as const), replica: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.constant({ do: "lose-state" } as const) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant("clock-back" as const), ms: fc.integer({ min: 1, max: 2_000 }) }),
    },
  ),
  { minLength: 5, maxLength: 30 },
);

describe("replicas that share a quota, in virtual time over the real scripts", () => {
  it("keep every sliding window, and every announced wait, through crashes, lost state and a clock set back", async () => {
    const { client: redis } = await shared;
    const replicas = fc.array(fc.constantFrom(ONE_LANE, BOTH_LANES), { minLength: 1, maxLength: 4 });
    let questions = 0;
    await fc.assert(
      fc.asyncProperty(quotas, replicas, steps, async (quota, lanes, steps) => {
        const walk = new GateWalk({ redis, scopeText: `walk ${randomUUID()}`, quota, lanes });
        for (const step of steps) await walk.take(step);
        await walk.take({ do: "lose-state" });
        questions += walk.questions;
        expect(walk.breaches).toEqual([]);
        for (const { limit, spanMs } of quota.windows) expect(walk.fullest(spanMs)).toBeLessThanOrEqual(limit);
      }),
      { numRuns: 150 },
    );
    console.log(`gate walk: ${questions} questions`);
  });

  it("use the quota to its end and share it evenly, one of them always a little late", async () => {
    const { client: redis } = await shared;
    const replicas = fc.integer({ min: 1, max: 5 });
    await fc.assert(
      fc.asyncProperty(replicas, fc.integer({ min: 0, max: 40 }), async (replicas, lateMs) => {
        const quota = quotaOf(quotaConfig.parse({ windows: [{ limit: 60, perMs: 6_000 }], guardMs: 60 }));
        const lanes = Array.from({ length: replicas }, () => ONE_LANE);
        const walk = new GateWalk({ redis, scopeText: `calm ${randomUUID()}`, quota, lanes, lateMs });
        await walk.take({ do: "run", ms: 31_000 });
        await walk.take({ do: "lose-state" });

        // The pause of the cold start is one second; then 30 s hold five windows of 60.
        expect(walk.grants.length).toBeGreaterThanOrEqual(0.98 * 300);
        expect(walk.fullest(6_060)).toBeLessThanOrEqual(60);
        const shares = lanes.map((_, at) => walk.grants.filter(({ replica }) => replica === at).length);
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
        expect(walk.questions / walk.grants.length).toBeLessThanOrEqual(2);
      }),
      { numRuns: 15 },
    );
  });

  it("let live calls pass backfills, which still get their tenth", async () => {
    const { client: redis } = await shared;
    const quota = quotaOf(quotaConfig.parse({}));
    const lanes = [BOTH_LANES, BOTH_LANES, BOTH_LANES];
    const walk = new GateWalk({ redis, scopeText: `lanes ${randomUUID()}`, quota, lanes });
    await walk.take({ do: "run", ms: 300_000 });
    await walk.take({ do: "lose-state" });
    const backfill = walk.grants.filter(({ lane }) => lane === "backfill").length;
    expect(backfill / walk.grants.length).toBeCloseTo(0.1, 2);
  });
});
