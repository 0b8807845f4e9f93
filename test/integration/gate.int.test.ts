import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { RLWrapperTimeouts } from "rate-limiter-flexible";
import { afterAll, describe, expect, inject, it, onTestFinished } from "vitest";
import type { z } from "zod";
import type { LocalProcess } from "../../src/demo/services/local-process.ts";
import { startRedis } from "../../src/demo/services/redis.ts";
import type { Lane } from "../../src/domain/mutation.ts";
import { quotaConfig } from "../../src/gate/config.ts";
import { createGate } from "../../src/gate/gate.ts";
import { answered } from "../../src/gate/limiter.ts";
import { quotaOf } from "../../src/gate/quota.ts";
import { RedisLimiter } from "../../src/gate/redis-limiter.ts";
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

/** A gate and everything it says; the real clock. */
const aGate = async (url: string, scopeText: string, quota: z.input<typeof quotaConfig> = {}) => {
  const said: string[] = [];
  const redis = connectRedis({ url });
  const gate = createGate({
    quota: quotaConfig.parse(quota),
    redis,
    scopeText,
    replicaId: `replica-${randomUUID()}`,
    clock: systemClock,
    emit: (name) => void said.push(name),
  });
  onTestFinished(async () => {
    await gate.close();
    redis.close();
  });
  return { gate, redis, said };
};

const PATIENTLY = { timeout: 20_000 };
const anytime = new AbortController().signal;
const nowMs = (): number => systemClock.monotonicMs();
/** A pace so high that only outages and cool-downs are felt. */
const FAST = { windows: [{ limit: 1_000, perMs: 1_000 }], guardMs: 0 };

const ONE_LANE: readonly Lane[] = ["live"];
const BOTH_LANES: readonly Lane[] = ["live", "backfill"];

const quotas = fc
  .record({
    limit: fc.integer({ min: 2, max: 20 }),
    perMs: fc.integer({ min: 1_000, max: 20_000 }),
    guardMs: fc.integer({ min: 0, max: 500 }),
    catchUp: fc.integer({ min: 0, max: 3 }),
    spacingMs: fc.constantFrom(0, 0, 0, 700, 3_000),
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
        expect(quota.spacingMs === 0 || walk.fullest(quota.spacingMs) <= 1).toBe(true);
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

  it("lose at most a moment when one of them dies holding its turns", async () => {
    const { client: redis } = await shared;
    const deaths = fc.record({
      replicas: fc.integer({ min: 2, max: 5 }),
      afterMs: fc.integer({ min: 3_000, max: 9_000 }),
    });
    await fc.assert(
      fc.asyncProperty(deaths, async ({ replicas, afterMs }) => {
        const quota = quotaOf(quotaConfig.parse({ windows: [{ limit: 60, perMs: 6_000 }], guardMs: 60 }));
        const lanes = Array.from({ length: replicas }, () => BOTH_LANES);
        const walk = new GateWalk({ redis, scopeText: `death ${randomUUID()}`, quota, lanes });
        await walk.take({ do: "run", ms: afterMs });
        await walk.take({ do: "crash", replica: 0 });
        await walk.take({ do: "run", ms: 6_000 });
        await walk.take({ do: "lose-state" });
        expect(walk.longestGapMs()).toBeLessThanOrEqual(250 + 2 * quota.slotMs);
      }),
      { numRuns: 25 },
    );
  });

  it("let a live call wait for little more than one slot behind a backfill", async () => {
    const { client: redis } = await shared;
    const quota = quotaOf(quotaConfig.parse({}));
    const lanes = Array.from({ length: 3 }, (): Lane[] => ["backfill"]);
    const pauses = fc.array(fc.integer({ min: 700, max: 5_000 }), { minLength: 20, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(pauses, async (pauses) => {
        const walk = new GateWalk({ redis, scopeText: `live ${randomUUID()}`, quota, lanes });
        for (const [at, ms] of pauses.entries()) {
          await walk.take({ do: "run", ms });
          await walk.take({ do: "want", replica: at });
        }
        await walk.take({ do: "lose-state" });
        expect(Math.max(...walk.waitsMs)).toBeLessThanOrEqual(2 * quota.slotMs);
      }),
      { numRuns: 10 },
    );
  });

  it("leave together, catchUp + 1 of them, after a quiet time, and one by one after an announced wait", async () => {
    const { client: redis } = await shared;
    const quota = quotaOf(quotaConfig.parse({ windows: [{ limit: 20, perMs: 1_000 }], guardMs: 0, catchUp: 2 }));
    const lanes = [[], [], [], [], []];
    const walk = new GateWalk({ redis, scopeText: `quiet ${randomUUID()}`, quota, lanes });
    const leaveTogether = async (): Promise<number> => {
      const before = walk.grants.length;
      for (const replica of lanes.keys()) await walk.take({ do: "want", replica });
      await walk.take({ do: "run", ms: 10 });
      return walk.grants.length - before;
    };
    await walk.take({ do: "run", ms: 5_000 });
    expect(await leaveTogether()).toBe(3);
    await walk.take({ do: "run", ms: 1_000 });
    await walk.take({ do: "tell", replica: 0, hintMs: 2_000 });
    await walk.take({ do: "run", ms: 2_000 });
    expect(await leaveTogether()).toBe(1);
    await walk.take({ do: "lose-state" });
  });

  it("all keep to the lower limit while two limits run side by side, as in a rolling change", async () => {
    const { client } = await shared;
    let testMs = 1_700_000_000_000;
    const scopeText = `two limits ${randomUUID()}`;
    const [low, high] = [10, 40].map((limit) => {
      const quota = quotaOf(quotaConfig.parse({ windows: [{ limit, perMs: 1_000 }], guardMs: 0 }));
      return new RedisLimiter({ client, quota, scopeText, replicaId: `limit ${limit}`, testNowMs: () => testMs });
    });
    const ask = { more: true, cooldown: { endsAt: "0", leftMs: 0 } };
    const until = testMs + 20_000;
    let grants = 0;
    while (testMs < until) {
      await low?.block("all", 0, { endsAt: "0" });
      const reply = high && (await answered(high.consume("live", 1, ask)));
      if (reply?.granted) grants++;
      testMs += Math.max(1, reply?.msBeforeNext ?? 1);
    }
    expect(grants).toBeGreaterThan(180);
    expect(grants).toBeLessThanOrEqual(200);
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

describe("gates on one Redis, in real time", () => {
  it("three of them with a backlog stay within 40 calls in any 2 s", async () => {
    // The guard is the unevenness that a busy machine adds between a grant in Redis and its use here.
    const quota = { windows: [{ limit: 40, perMs: 2_000 }], guardMs: 200 };
    const scopeText = `real ${randomUUID()}`;
    const gates = await Promise.all([1, 2, 3].map(() => aGate(inject("redis"), scopeText, quota)));
    const stop = new AbortController();
    const grantsMs: number[][] = [[], [], []];
    const backlog = gates.map(async ({ gate }, at) => {
      while (!stop.signal.aborted) grantsMs[at]?.push((await gate.acquire("live", stop.signal)).grantedAtMs);
    });
    await systemClock.sleep(9_000);
    stop.abort();
    await Promise.allSettled(backlog);

    const all = grantsMs.flat().sort((a, b) => a - b);
    const spanMs = (all.at(-1) ?? 0) - (all[0] ?? 0);
    const used = (100 * ((all.length - 1) / spanMs) * 2_200) / 40;
    console.log(
      `gate: ${all.length} permits in ${Math.round(spanMs)} ms, ${used.toFixed(1)} % of what the guard leaves`,
    );
    console.log(`gate: by replica ${grantsMs.map((grants) => grants.length).join(", ")}`);
    expect(all.length).toBeGreaterThan(40);
    const fullest = all.map((atMs, first) => all.slice(first).filter((later) => later < atMs + 2_000).length);
    expect(Math.max(...fullest)).toBeLessThanOrEqual(40);
    expect((await gates[0]?.gate.peek())?.replicas).toBe(3);
  });

  it("a wait told to one of them holds for all, and a shorter one after it changes nothing", async () => {
    const scopeText = `tell ${randomUUID()}`;
    const [one, two] = await Promise.all([
      aGate(inject("redis"), scopeText, FAST),
      aGate(inject("redis"), scopeText, FAST),
    ]);
    await two.gate.acquire("live", anytime);
    const toldMs = nowMs();
    await one.gate.tell({ hintMs: 1_500, source: "body" });
    await one.gate.tell({ hintMs: 100, source: "body" });
    const permits = await Promise.all([one.gate.acquire("live", anytime), two.gate.acquire("backfill", anytime)]);
    // A few milliseconds, because Redis counts on the wall clock, which may be slewed.
    for (const { grantedAtMs } of permits) expect(grantedAtMs).toBeGreaterThan(toldMs + 1_500 - 5);
    expect(two.said).toContain("cooldown-started");
  });

  it("a gate that never heard of the others' wait learns it from any of its questions", async () => {
    const scopeText = `fresh ${randomUUID()}`;
    const one = await aGate(inject("redis"), scopeText, FAST);
    await one.gate.acquire("live", anytime);
    await one.gate.adopt(60_000);
    const two = await aGate(inject("redis"), scopeText, FAST);
    await expect.poll(() => two.gate.cooldownLeftMs(), PATIENTLY).toBeGreaterThan(50_000);
    expect((await two.gate.peek()).cooldownLeftMs).toBeGreaterThan(50_000);
  });

  it("puts nothing readable of the scope into Redis, and no key without an end", async () => {
    const { client } = await shared;
    const { gate } = await aGate(inject("redis"), "account 4711, token s3cret", FAST);
    await gate.acquire("live", anytime);
    const keys = await client.keys("sell:q:*");
    expect(keys.join()).not.toMatch(/4711|s3cret/);
    const ttls = await Promise.all(keys.map((key) => client.pttl(key)));
    expect(Math.min(...ttls)).toBeGreaterThan(0);
    expect(Math.max(...ttls)).toBeGreaterThan(86_400_000);
  });

  it("works behind the wrappers of rate-limiter-flexible", async () => {
    const { client } = await shared;
    const limiter = new RedisLimiter({
      client,
      quota: quotaOf(quotaConfig.parse(FAST)),
      scopeText: randomUUID(),
      replicaId: "a",
    });
    const wrapped = new RLWrapperTimeouts({ limiter, timeoutMs: 300 });
    const ask = { more: false, cooldown: { endsAt: "0", leftMs: 0 } };
    // The first answer of a fresh state is a refusal, which the library passes on as a rejection.
    await expect(wrapped.consume("live", 1, ask)).rejects.toMatchObject({ consumedPoints: 0, cold: true });
  });
});

describe("a gate whose Redis fails", () => {
  const aRedis = async (): Promise<LocalProcess> => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    return server;
  };

  it("grants nothing while Redis is dead, says so once, and goes on by itself", async () => {
    const server = await aRedis();
    const { gate, said } = await aGate(server.address, "dead", FAST);
    await gate.acquire("live", anytime);
    await server.kill("SIGKILL");
    const waiting = [gate.acquire("live", anytime), gate.acquire("backfill", anytime)];
    await expect.poll(() => said, PATIENTLY).toContain("redis-unreachable");
    expect(await Promise.race([...waiting, Promise.resolve("nobody")])).toBe("nobody");
    expect((await gate.peek()).mode).toBe("closed");

    await server.start();
    await Promise.all(waiting);
    expect((await gate.peek()).mode).toBe("redis");
    const outage = said.filter((name) => name.startsWith("redis-") || name === "gate-cold-start");
    expect(outage).toEqual(["gate-cold-start", "redis-unreachable", "redis-back", "gate-cold-start"]);
  });

  it("grants nothing while Redis is frozen", async () => {
    const server = await aRedis();
    const { gate, said } = await aGate(server.address, "frozen", FAST);
    await gate.acquire("live", anytime);
    await server.kill("SIGSTOP");
    const waiting = gate.acquire("live", anytime);
    await expect.poll(() => said, PATIENTLY).toContain("redis-unreachable");
    await server.kill("SIGCONT");
    await waiting;
    await expect.poll(() => said, PATIENTLY).toContain("redis-back");
  });

  it("keeps a wait that Redis forgot, also for a replica that never heard of it", async () => {
    const server = await aRedis();
    const knowing = await aGate(server.address, "forgot", FAST);
    await knowing.gate.acquire("live", anytime);
    await knowing.gate.tell({ hintMs: 6_000, source: "body" });
    const deadlineMs = nowMs() + knowing.gate.cooldownLeftMs();
    await server.kill("SIGKILL");
    const fresh = await aGate(server.address, "forgot", FAST);
    const permit = fresh.gate.acquire("live", anytime);
    await server.start();
    expect((await permit).grantedAtMs).toBeGreaterThanOrEqual(deadlineMs - 250);
    expect((await knowing.gate.acquire("live", anytime)).grantedAtMs).toBeGreaterThanOrEqual(deadlineMs);
  });

  it("knows Redis by its run id at each connect", async () => {
    const server = await aRedis();
    const redis = connectRedis({ url: server.address });
    onTestFinished(() => redis.close());
    const ids: string[] = [];
    redis.onIncarnation((id) => void ids.push(id));
    await expect.poll(() => ids.length, PATIENTLY).toBe(1);
    await server.kill("SIGKILL");
    await expect.poll(() => redis.lastError(), PATIENTLY).toContain("ECONNREFUSED");
    await server.start();
    await expect.poll(() => ids.length, PATIENTLY).toBe(2);
    expect(ids[0]).not.toBe(ids[1]);
    expect(redis.lastError()).toBeNull();
  });
});
