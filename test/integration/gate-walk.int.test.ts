import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, describe, expect, inject, it } from "vitest";
import type { z } from "zod";
import type { Lane } from "../../src/domain/mutation.ts";
import { quotaConfig } from "../../src/gate/config.ts";
import { type Quota, quotaOf, shareProblem } from "../../src/gate/quota.ts";
import { connectRedis, type RedisConnection } from "../../src/lib/redis.ts";
import { GateWalk, type Grant, type Step, type WalkOptions } from "../support/gate-walk.ts";

/** How long the random walks are: `npm run test:gate` takes 1,000 of 8,000 questions each. */
const RUNS = Number(process.env["GATE_RUNS"] ?? 60);
const QUESTIONS = Number(process.env["GATE_QUESTIONS"] ?? 150);
/** A random step asks about so many. */
const QUESTIONS_PER_STEP = 10;

const LONG_MS = 60_000 + 400 * RUNS;

const connections: { close(): void }[] = [];
afterAll(() => connections.forEach((redis) => redis.close()));

/** A client of its own, because scripts are defined per client. */
const aClient = async (): Promise<RedisConnection["client"]> => {
  const redis = connectRedis({ url: inject("redis") });
  connections.push(redis);
  await new Promise<void>((resolve) => redis.onConnect(() => resolve()));
  // A machine that is busy is no fault of the scripts.
  if (redis.client instanceof Redis) redis.client.options.commandTimeout = 60_000;
  return redis.client;
};
const client = aClient();

const ONE_LANE: readonly Lane[] = ["live"];
const BOTH_LANES: readonly Lane[] = ["live", "backfill"];
const lanesOf = (replicas: number, lanes: readonly Lane[] = ONE_LANE): (readonly Lane[])[] =>
  Array.from({ length: replicas }, () => lanes);

const aQuota = (quota: z.input<typeof quotaConfig>): Quota => quotaOf(quotaConfig.parse(quota));
/** 60 calls in 6 s: a tenth of the time that the customer's quota takes, at three times its pace. */
const QUICK = aQuota({ windows: [{ limit: 60, perMs: 6_000 }], guardMs: 60 });

/** A walk that cleans up after itself. */
type Options = Omit<WalkOptions, "redis" | "scopeText">;
const walked = async (options: Options, story: (walk: GateWalk) => Promise<void>, redis = client) => {
  const walk = new GateWalk({ redis: await redis, scopeText: `walk ${randomUUID()}`, ...options });
  await story(walk);
  await walk.take({ do: "lose-state" });
  return walk;
};

const quotas = fc
  .record({
    limit: fc.integer({ min: 2, max: 20 }),
    perMs: fc.integer({ min: 1_000, max: 20_000 }),
    guardMs: fc.integer({ min: 0, max: 500 }),
    catchUp: fc.integer({ min: 0, max: 3 }),
    burst: fc.constantFrom(1, 1, 4, 9),
    spacingMs: fc.constantFrom(0, 0, 0, 700, 3_000),
    longer: fc.option(
      fc.record({ limit: fc.integer({ min: 10, max: 60 }), perMs: fc.integer({ min: 21_000, max: 60_000 }) }),
    ),
  })
  .map(({ limit, perMs, longer, ...more }) =>
    aQuota({ windows: [{ limit, perMs }, ...(longer === null ? [] : [longer])], ...more }),
  );

const replica = fc.nat(3);
const run = fc.record({ do: fc.constant("run" as const), ms: fc.integer({ min: 1, max: 8_000 }) });
const faults: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: run },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("run" as const), ms: fc.integer({ min: 10_000, max: 90_000 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("want" as const), replica }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("tell" as const), replica, hintMs: fc.integer({ min: 1, max: 15_000 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("see" as const),
      replica,
      limit: fc.constantFrom(null, 1, 5, 15, 20, 1_000),
      remaining: fc.option(fc.nat(20)),
      resetMs: fc.option(fc.nat(70_000)),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("crash" as const), replica }) },
  { weight: 2, arbitrary: fc.constant({ do: "lose-state" } as const) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("away" as const), ms: fc.integer({ min: 1, max: 4_000 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("clock-back" as const), ms: fc.integer({ min: 1, max: 2_000 }) }),
  },
);
const steps = fc.array(faults, {
  minLength: Math.min(5, QUESTIONS / QUESTIONS_PER_STEP),
  maxLength: Math.ceil((2 * QUESTIONS) / QUESTIONS_PER_STEP),
  size: "max",
});
const fleets = fc.array(fc.constantFrom(ONE_LANE, BOTH_LANES, []), { minLength: 1, maxLength: 4 });

/** What holds in any walk, whatever happens in it. `extra`: calls more that a clock set forward may cost. */
const expectKept = (walk: GateWalk, { windows, spacingMs }: Quota, extra = 0): void => {
  expect(walk.breaches).toEqual([]);
  for (const { limit, spanMs } of windows) expect(walk.fullest(spanMs)).toBeLessThanOrEqual(limit + extra);
  if (spacingMs > 0) expect(walk.fullest(spacingMs)).toBeLessThanOrEqual(1 + extra);
};

/** Of a death the others notice at most the grace and two slots. */
const deaths = (walked: (options: Options, story: (walk: GateWalk) => Promise<void>) => Promise<GateWalk>) => {
  const death = fc.record({
    replicas: fc.integer({ min: 2, max: 5 }),
    afterMs: fc.integer({ min: 3_000, max: 9_000 }),
  });
  return fc.asyncProperty(death, async ({ replicas, afterMs }) => {
    const walk = await walked({ quota: QUICK, lanes: lanesOf(replicas, BOTH_LANES) }, async (walk) => {
      await walk.take({ do: "run", ms: afterMs });
      await walk.take({ do: "crash", replica: 0 });
      await walk.take({ do: "run", ms: 6_000 });
    });
    expect(walk.longestGapMs()).toBeLessThanOrEqual(QUICK.graceMs + 2 * QUICK.slotMs);
  });
};

describe("replicas that share a quota, in virtual time over the real scripts", () => {
  it(
    "keep every sliding window and every announced wait, whatever happens to them and to Redis",
    async () => {
      let questions = 0;
      await fc.assert(
        fc.asyncProperty(quotas, fleets, steps, async (quota, lanes, steps) => {
          const walk = await walked({ quota, lanes }, async (walk) => {
            for (const step of steps) await walk.take(step);
          });
          questions += walk.questions;
          expectKept(walk, quota);
        }),
        { numRuns: RUNS },
      );
      console.log(`gate walk: ${questions} questions in ${RUNS} runs`);
    },
    RUNS * QUESTIONS * 4 + 60_000,
  );

  it(
    "exceed a window by catchUp + burst calls at most when the clock of Redis is set forward",
    async () => {
      const jumps = fc.oneof(
        { weight: 4, arbitrary: run },
        {
          weight: 1,
          arbitrary: fc.record({ do: fc.constant("clock-forward" as const), ms: fc.integer({ min: 1, max: 30_000 }) }),
        },
      );
      const once = fc.tuple(fc.array(run, { maxLength: 5 }), jumps, fc.array(run, { maxLength: 5 }));
      await fc.assert(
        fc.asyncProperty(quotas, fleets, once, async (quota, lanes, [before, jump, after]) => {
          const walk = await walked({ quota, lanes }, async (walk) => {
            for (const step of [...before, jump, ...after]) await walk.take(step);
          });
          const forwardMs = jump.do === "clock-forward" ? jump.ms : 0;
          // Once jumped over a window, nothing is known of the calls in it.
          const isShort = quota.windows.every(({ spanMs }) => forwardMs < spanMs / 2);
          if (isShort && quota.spacingMs === 0) expectKept(walk, quota, quota.catchUp + quota.burst);
        }),
        { numRuns: RUNS },
      );
    },
    LONG_MS,
  );

  it("use the quota to its end and share it evenly, one of them always a little late", async () => {
    const replicas = fc.integer({ min: 1, max: 5 });
    await fc.assert(
      fc.asyncProperty(replicas, fc.integer({ min: 0, max: 40 }), async (replicas, lateMs) => {
        const lanes = lanesOf(replicas);
        let lost = 0;
        const walk = await walked({ quota: QUICK, lanes, lateMs }, async (walk) => {
          await walk.take({ do: "run", ms: 31_000 });
          lost = (await walk.look()).lostTurns;
        });
        // The pause of the cold start is one second; then 30 s hold five windows of 60.
        expect(walk.grants.length).toBeGreaterThanOrEqual(0.98 * 300);
        expectKept(walk, QUICK);
        const shares = lanes.map((_, at) => walk.grants.filter(({ replica }) => replica === at).length);
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
        expect(walk.questions / walk.grants.length).toBeLessThanOrEqual(2);
        expect(lost).toBe(0);
      }),
      { numRuns: 15 },
    );
  });

  it("lose no turn while all are there, in both lanes", async () => {
    const walk = await walked({ quota: QUICK, lanes: lanesOf(4, BOTH_LANES), lateMs: 40 }, async (walk) => {
      for (let turn = 0; turn < 30; turn++) {
        await walk.take({ do: "run", ms: 700 });
        await walk.take({ do: "want", replica: turn });
      }
      expect((await walk.look()).lostTurns).toBe(0);
    });
    expect(walk.grants.length).toBeGreaterThan(0.97 * (20 / 6) * 60);
  });

  it("lose at most a moment when one of them dies holding its turns", async () => {
    const check = deaths((options, story) => walked(options, story));
    await fc.assert(check, { numRuns: 25 });
  });

  it("let a live call wait for little more than one slot behind a backfill", async () => {
    const quota = aQuota({});
    const pauses = fc.array(fc.integer({ min: 700, max: 5_000 }), { minLength: 20, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(pauses, async (pauses) => {
        const walk = await walked({ quota, lanes: lanesOf(3, ["backfill"]) }, async (walk) => {
          for (const [at, ms] of pauses.entries()) {
            await walk.take({ do: "run", ms });
            await walk.take({ do: "want", replica: at });
          }
        });
        expect(Math.max(...walk.waitsMs)).toBeLessThanOrEqual(2 * quota.slotMs);
      }),
      { numRuns: 10 },
    );
  });

  it("let live calls pass backfills, which still get their tenth", async () => {
    const walk = await walked({ quota: aQuota({}), lanes: lanesOf(3, BOTH_LANES) }, (walk) =>
      walk.take({ do: "run", ms: 300_000 }),
    );
    const backfill = walk.grants.filter(({ lane }) => lane === "backfill").length;
    expect(backfill / walk.grants.length).toBeCloseTo(0.1, 2);
  });

  /** How many of five replicas with one call each start it at once. */
  const leavingTogether = async (walk: GateWalk): Promise<number> => {
    const before = walk.grants.length;
    for (let replica = 0; replica < 5; replica++) await walk.take({ do: "want", replica });
    await walk.take({ do: "run", ms: 10 });
    return walk.grants.length - before;
  };

  it("leave together, catchUp + 1 of them, after a quiet time, and one by one after an announced wait", async () => {
    const quota = aQuota({ windows: [{ limit: 20, perMs: 1_000 }], guardMs: 0, catchUp: 2 });
    await walked({ quota, lanes: lanesOf(5, []) }, async (walk) => {
      await walk.take({ do: "run", ms: 5_000 });
      expect(await leavingTogether(walk)).toBe(3);
      await walk.take({ do: "run", ms: 1_000 });
      await walk.take({ do: "tell", replica: 0, hintMs: 2_000 });
      await walk.take({ do: "run", ms: 2_000 });
      expect(await leavingTogether(walk)).toBe(1);
    });
  });

  it("may leave together as a burst only after a window without a call or a wait", async () => {
    const quota = aQuota({ windows: [{ limit: 20, perMs: 2_000 }], guardMs: 0, burst: 4 });
    const walk = await walked({ quota, lanes: lanesOf(5, []) }, async (walk) => {
      await walk.take({ do: "run", ms: 1_500 });
      expect(await leavingTogether(walk)).toBe(2);
      await walk.take({ do: "run", ms: 4_000 });
      expect(await leavingTogether(walk)).toBe(4);
      await walk.take({ do: "run", ms: 1_000 });
      expect(await leavingTogether(walk)).toBe(2);
    });
    expectKept(walk, quota);
  });

  it("no burst cuts the pause after a loss short, also where that is longer than the window", async () => {
    const quota = aQuota({ windows: [{ limit: 2, perMs: 1_000 }], guardMs: 0, burst: 2 });
    const walk = await walked({ quota, lanes: [ONE_LANE] }, async (walk) => {
      await walk.take({ do: "run", ms: 1_000 });
      await walk.take({ do: "want", replica: 0 });
      await walk.take({ do: "run", ms: 400 });
      expect(walk.grants).toEqual([]);
      await walk.take({ do: "run", ms: 200 });
      expect(walk.grants).not.toEqual([]);
    });
    expectKept(walk, quota);
  });

  it("keep the window over a loss right behind a burst", async () => {
    const quota = aQuota({ windows: [{ limit: 3, perMs: 1_500 }], guardMs: 250, burst: 3, catchUp: 0 });
    const walk = await walked({ quota, lanes: [[], [], []] }, async (walk) => {
      await walk.take({ do: "run", ms: 10_000 });
      for (const replica of [0, 1, 2]) await walk.take({ do: "want", replica });
      await walk.take({ do: "run", ms: 20 });
      expect(walk.grants).toHaveLength(3);
      await walk.take({ do: "lose-state" });
      await walk.take({ do: "want", replica: 0 });
      await walk.take({ do: "run", ms: 5_000 });
    });
    expect(walk.grants).toHaveLength(4);
    expectKept(walk, quota);
  });

  it.each([1, 761, 1_001, 1_501, 5_000])(
    "keep a wait that Redis forgot, with %d ms without Redis before the one who knows could repeat it",
    async (awayMs) => {
      const walk = await walked({ quota: QUICK, lanes: lanesOf(2, ONE_LANE) }, async (walk) => {
        await walk.take({ do: "run", ms: 3_000 });
        await walk.take({ do: "tell", replica: 1, hintMs: 8_000 });
        await walk.take({ do: "lose-state" });
        await walk.take({ do: "tell", replica: 0, hintMs: 1 });
        await walk.take({ do: "away", ms: awayMs });
        await walk.take({ do: "run", ms: 15_000 });
      });
      expect(walk.grants.length).toBeGreaterThan(20);
      expectKept(walk, QUICK);
    },
  );
});

describe("another limit in mid-run", () => {
  const LOW = aQuota({ windows: [{ limit: 30, perMs: 6_000 }], guardMs: 60 });

  it("holds for all as soon as the first replica has the lower one, and the higher once the last one has it", async () => {
    const delays = fc.array(fc.integer({ min: 0, max: 4_000 }), { minLength: 3, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.boolean(), delays, async (isLowered, delaysMs) => {
        const [before, after] = isLowered ? [QUICK, LOW] : [LOW, QUICK];
        let [firstMs, lastMs] = [0, 0];
        const walk = await walked({ quota: before, lanes: lanesOf(3) }, async (walk) => {
          await walk.take({ do: "run", ms: 13_000 });
          firstMs = walk.nowMs;
          for (const [replica, ms] of delaysMs.entries()) {
            await walk.take({ do: "adjust", replica, quota: after });
            lastMs = walk.nowMs;
            if (replica < 2) expect((await walk.look()).slotMs).toBeCloseTo(LOW.slotMs);
            await walk.take({ do: "run", ms });
          }
          await walk.take({ do: "run", ms: 13_000 });
          // The last word on it, whoever is asked.
          expect((await walk.look()).slotMs).toBeCloseTo(after.slotMs);
        });
        const [lowFromMs, lowUntilMs] = isLowered ? [firstMs, walk.nowMs] : [0, lastMs];
        const inLowTime = walk.grants.filter(({ atMs }) => atMs > lowFromMs && atMs <= lowUntilMs);
        expect(fullest(inLowTime, 6_060)).toBeLessThanOrEqual(30);
        expect(walk.fullest(6_060)).toBeLessThanOrEqual(60);
        const settled = walk.grants.filter(({ atMs }) => atMs > walk.nowMs - 6_060);
        expect(settled.length).toBeGreaterThanOrEqual((isLowered ? 30 : 60) - 2);
      }),
      { numRuns: 20 },
    );
  });
});

describe("what the server says", () => {
  const calls = (walk: GateWalk, fromMs: number, toMs: number): number =>
    walk.grants.filter(({ atMs }) => atMs >= fromMs && atMs < toMs).length;

  it("a 429 lowers the pace once, however many replicas bring it, and minutes later all of the limit is used again", async () => {
    const quota = aQuota({ learn: { plateauMs: 120_000 } });
    const refusals = fc.array(fc.record({ replica, afterMs: fc.integer({ min: 0, max: 4_000 }) }), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(refusals, fc.integer({ min: 0, max: 60_000 }), async (refusals, warmMs) => {
        let resumedMs = 0;
        const walk = await walked({ quota, lanes: lanesOf(3) }, async (walk) => {
          await walk.take({ do: "run", ms: 3_000 + warmMs });
          for (const { replica, afterMs } of refusals) {
            await walk.take({ do: "tell", replica, hintMs: 5_000 });
            await walk.take({ do: "run", ms: afterMs });
          }
          resumedMs = walk.nowMs + (await walk.look()).cooldownLeftMs;
          const { incidents } = await walk.look();
          expect(incidents).toHaveLength(1);
          expect(incidents[0]).toMatchObject({
            hintMs: 5_000,
            windows: [{ limit: 200, perMs: 60_000 }],
            foreign: null,
          });
          await walk.take({ do: "run", ms: resumedMs + 11 * 60_000 - walk.nowMs });
          expect((await walk.look()).share).toBe(1);
        });
        expect(walk.incidents).toBe(1);
        expectKept(walk, quota);
        // In the first minute the lower limit counts the calls before the 429 too.
        for (let minute = 1; minute < 10; minute++) {
          const used = calls(walk, resumedMs + minute * 60_000, resumedMs + (minute + 1) * 60_000);
          expect(used).toBeGreaterThanOrEqual(0.5 * 198 - 3);
        }
        expect(calls(walk, resumedMs + 600_000, resumedMs + 660_000)).toBeGreaterThanOrEqual(0.98 * 198);
      }),
      { numRuns: 6 },
    );
  });

  it("headers, however wrong, cost at most the floor, and nothing any more a window after the last of them", async () => {
    const said = fc.record({
      limit: fc.constantFrom(null, 50, 60, 70, 1_000),
      remaining: fc.constantFrom(0, 0, 1, 20),
      resetMs: fc.option(fc.integer({ min: 0, max: 3_000 })),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(said, { minLength: 40, maxLength: 40 }), async (words) => {
        let untilMs = Number.POSITIVE_INFINITY;
        const silence = { limit: null, remaining: null, resetMs: null };
        const server: WalkOptions["server"] = (grants, nowMs) =>
          (nowMs < untilMs ? words[grants.length % words.length] : undefined) ?? silence;
        const walk = await walked({ quota: QUICK, lanes: lanesOf(3), server }, async (walk) => {
          await walk.take({ do: "run", ms: 31_000 });
          untilMs = walk.nowMs;
          await walk.take({ do: "run", ms: 13_000 });
          expect((await walk.look()).share).toBe(1);
        });
        expectKept(walk, QUICK);
        for (let fromMs = 1_000; fromMs < 25_000; fromMs += 6_060) {
          expect(calls(walk, fromMs, fromMs + 6_060)).toBeGreaterThanOrEqual(0.5 * 60 - 4);
        }
        expect(calls(walk, untilMs + 6_200, untilMs + 12_260)).toBeGreaterThanOrEqual(54); // turns that were promised at the slow pace are kept
      }),
      { numRuns: 15 },
    );
  });

  it("headers of a server that counts whole minutes keep us within it beside a foreign consumer", async () => {
    const quota = aQuota({});
    const perMs = 60_000;
    const foreignPerMinute = 60;
    const foreignSince = (fromMs: number, nowMs: number): number =>
      Math.floor((nowMs * foreignPerMinute) / perMs) - Math.floor((fromMs * foreignPerMinute) / perMs);
    const countedSince = (grants: readonly Grant[], fromMs: number, nowMs: number): number =>
      grants.filter(({ atMs }) => atMs >= fromMs && atMs <= nowMs).length + foreignSince(fromMs, nowMs);
    const server: WalkOptions["server"] = (grants, nowMs) => {
      const startMs = nowMs - (nowMs % perMs);
      const remaining = Math.max(0, 200 - countedSince(grants, startMs, nowMs));
      return { limit: 200, remaining, resetMs: 1_000 * Math.ceil((startMs + perMs - nowMs) / 1_000) };
    };
    const walk = await walked({ quota, lanes: lanesOf(3), server }, async (walk) => {
      await walk.take({ do: "run", ms: 585_000 });
      // Headers tell of whole seconds.
      expect((await walk.look()).announced?.resetsInMs).toBeGreaterThanOrEqual(15_000);
      expect((await walk.look()).announced?.resetsInMs).toBeLessThan(16_200);
      await walk.take({ do: "run", ms: 15_000 });
      expect((await walk.look()).announced?.foreign).toBeGreaterThan(40);
      expect((await walk.look()).announced?.foreign).toBeLessThan(80);
    });
    // Two minutes pass until the first reset has shown what kind of window this is.
    const late = walk.grants.filter(({ atMs }) => atMs >= 3 * perMs);
    const refused = late.filter(({ atMs }) => countedSince(walk.grants, atMs - (atMs % perMs), atMs) > 200);
    expect(refused.length).toBeLessThanOrEqual(2);
    expect(late.length / 7).toBeGreaterThanOrEqual(0.95 * (200 - foreignPerMinute));
  });

  // A level that slides falls to nothing while we keep the limit: whoever stops at it uses half of the quota.
  it.each([
    { kind: "log", used: (since: (ms: number) => number, nowMs: number) => since(nowMs - 60_000) },
    {
      kind: "counter",
      used: (since: (ms: number) => number, nowMs: number) => {
        const [passedMs, startMs] = [nowMs % 60_000, nowMs - (nowMs % 60_000)];
        const before = since(startMs - 60_000) - since(startMs);
        return since(startMs) + Math.ceil(before * (1 - passedMs / 60_000));
      },
    },
  ])(
    "headers of a server that counts by a sliding $kind cost next to nothing where nobody else calls",
    async ({ used }) => {
      const quota = aQuota({});
      let refused = 0;
      const server: WalkOptions["server"] = (grants, nowMs) => {
        const counted = used((fromMs) => calls(walkedNow, fromMs, nowMs + 1), nowMs);
        if (counted > 200) refused++;
        const oldest = grants.find(({ atMs }) => atMs > nowMs - 60_000);
        return {
          limit: 200,
          remaining: Math.max(0, 200 - counted),
          resetMs: 60_000 - (nowMs - (oldest?.atMs ?? nowMs)),
        };
      };
      let walkedNow = {} as GateWalk;
      await walked({ quota, lanes: lanesOf(3), server }, async (walk) => {
        walkedNow = walk;
        await walk.take({ do: "run", ms: 600_000 });
      });
      expect(refused).toBe(0);
      expect(calls(walkedNow, 120_000, 600_000) / 8).toBeGreaterThanOrEqual(0.97 * 198);
    },
  );
});

describe("what holds a call back", () => {
  const SLOW = aQuota({ windows: [{ limit: 60, perMs: 20_000 }], guardMs: 200 });
  const told: Step = { do: "tell", replica: 0, hintMs: 20_000 };
  const lowered: Step = { do: "adjust", replica: 0, quota: aQuota({ windows: [{ limit: 10, perMs: 20_000 }] }) };
  /** Others leave little of each 20 s. */
  const spent: WalkOptions["server"] = (_, nowMs) => ({
    ...{ limit: 60, remaining: nowMs % 20_000 < 5_000 ? 40 : 0 },
    resetMs: 20_000 - (nowMs % 20_000),
  });
  const IN_REDIS = [false];
  const BOTH = [false, true];

  it.each([
    { reason: "pace", lanes: [ONE_LANE], places: BOTH },
    { reason: "queue", lanes: [BOTH_LANES], places: BOTH },
    { reason: "queue", lanes: lanesOf(4), places: IN_REDIS },
    { reason: "window", lanes: [ONE_LANE], step: lowered, places: BOTH },
    { reason: "announced", lanes: [ONE_LANE], server: spent, places: BOTH },
    // Who was told knows it, the others learn it from the answer.
    { reason: "cool-down", lanes: lanesOf(2), step: told, places: IN_REDIS },
  ])("is told: $reason, by $lanes.length replicas", async ({ reason, lanes, step, places, ...server }) => {
    for (const isLocal of places) {
      const walk = await walked({ quota: SLOW, lanes, isLocal, ...server }, async (walk) => {
        await walk.take({ do: "run", ms: 45_000 });
        if (step) await walk.take(step);
        walk.heldMs.clear();
        await walk.take({ do: "run", ms: 15_000 });
      });
      expect(walk.heldMs.get(reason), isLocal ? "in memory" : "in Redis").toBeGreaterThan(5_000);
    }
  });
});

describe("a limiter in memory", () => {
  it("follows the same rules as the scripts, whatever the server says", async () => {
    const quota = aQuota({
      windows: [{ limit: 60, perMs: 6_000 }],
      guardMs: 60,
      burst: 3,
      learn: { plateauMs: 5_000 },
    });
    const foreign = fc.integer({ min: 0, max: 40 });
    const says = fc.oneof(
      { weight: 5, arbitrary: run },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("want" as const), replica: fc.constant(0) }) },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant("tell" as const),
          replica: fc.constant(0),
          hintMs: fc.constantFrom(500, 3_000),
        }),
      },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(says, { maxLength: 25 }),
        foreign,
        fc.constantFrom("fixed", "level", null),
        fc.constantFrom(ONE_LANE, []),
        async (steps, foreign, kind, lanes) => {
          const server = (grants: readonly Grant[], nowMs: number) => {
            const startMs = kind === "fixed" ? nowMs - (nowMs % 6_000) : nowMs - 6_000;
            const own = grants.filter(({ atMs }) => atMs > startMs).length;
            const remaining = Math.max(0, 60 - own - Math.floor((foreign * (nowMs - startMs)) / 6_000));
            return {
              limit: foreign % 2 === 0 ? 60 : 50,
              remaining,
              resetMs: kind === "fixed" ? startMs + 6_000 - nowMs : null,
            };
          };
          const told = kind === null ? {} : { server };
          const looks: GateWalk["look"] extends () => Promise<infer L> ? L[][] : never = [];
          const walks = [false, true].map((isLocal) =>
            walked({ quota: { ...quota, coldMs: 1_000 }, lanes: [lanes], isLocal, ...told }, async (walk) => {
              const seen = [];
              for (const step of steps) {
                await walk.take(step);
                seen.push(await walk.look());
              }
              looks.push(seen);
            }),
          );
          const [shared, local] = await Promise.all(walks);
          const [first = [], second = []] = looks;
          for (const [at, look] of first.entries()) {
            expect(second[at]?.share).toBeCloseTo(look.share, 1);
            expect(second[at]?.incidents).toHaveLength(look.incidents.length);
            expect(second[at]?.announced === null).toBe(look.announced === null);
          }
          expect(Math.abs((shared?.grants.length ?? 0) - (local?.grants.length ?? 0))).toBeLessThanOrEqual(2);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("while Redis is away", () => {
  it(
    "the shares of all replicas together stay within the quota, across both switches",
    async () => {
      const outages = fc.array(
        fc.record({ calmMs: fc.integer({ min: 0, max: 9_000 }), awayMs: fc.integer({ min: 1, max: 20_000 }) }),
        { minLength: 1, maxLength: 4 },
      );
      await fc.assert(
        fc.asyncProperty(quotas, fc.integer({ min: 1, max: 5 }), outages, async (quota, replicas, outages) => {
          fc.pre(shareProblem(quota, { share: 0.9, replicas }) === null);
          const walk = await walked({ quota, lanes: lanesOf(replicas, BOTH_LANES), share: 0.9 }, async (walk) => {
            await walk.take({ do: "run", ms: 40_000 });
            for (const { calmMs, awayMs } of outages) {
              await walk.take({ do: "away", ms: awayMs });
              await walk.take({ do: "run", ms: calmMs });
            }
            await walk.take({ do: "run", ms: 40_000 });
          });
          expect(walk.breaches).toEqual([]);
          for (const { limit, perMs } of quota.windows) expect(walk.fullest(perMs)).toBeLessThanOrEqual(limit);
        }),
        { numRuns: RUNS },
      );
    },
    LONG_MS,
  );

  it("most of the quota is used with a share, nothing without", async () => {
    const used = async (share: { share?: number }): Promise<number> => {
      const options = { quota: QUICK, lanes: lanesOf(3), ...share };
      let fromMs = 0;
      const walk = await walked(options, async (walk) => {
        await walk.take({ do: "run", ms: 9_000 });
        fromMs = walk.nowMs;
        await walk.take({ do: "away", ms: 30_300 });
      });
      return walk.grants.filter(({ atMs }) => atMs > fromMs).length / 300;
    };
    expect(await used({})).toBe(0);
    expect(await used({ share: 0.9 })).toBeGreaterThan(0.83);
  });
});

/** Most of the grants in any window of `ms`. */
const fullest = (grants: readonly Grant[], ms: number): number =>
  Math.max(
    0,
    ...grants.map(({ atMs }) => grants.filter((other) => other.atMs >= atMs && other.atMs < atMs + ms).length),
  );

describe("the walk itself", () => {
  const QUOTA = aQuota({ windows: [{ limit: 5, perMs: 3_000 }], guardMs: 0 });
  const calm: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ do: fc.constant("run" as const), ms: fc.integer({ min: 1, max: 300 }) }),
    fc.record({ do: fc.constant("want" as const), replica }),
  );
  const tells: fc.Arbitrary<Step> = fc.record({
    do: fc.constant("tell" as const),
    replica,
    hintMs: fc.integer({ min: 1, max: 5_000 }),
  });

  /** What random walks find in the patched scripts; nothing: no fault showed. */
  const found = async (
    patch: (text: string) => string,
    lanes: WalkOptions["lanes"],
    step = calm,
  ): Promise<string[]> => {
    const redis = await aClient();
    const all: string[] = [];
    const walks = fc.asyncProperty(fc.array(step, { minLength: 40, maxLength: 80 }), async (steps) => {
      const scopeText = `planted ${randomUUID()}`;
      const walk = new GateWalk({ redis, scopeText, quota: QUOTA, lanes, testLua: patch });
      for (const step of steps) await walk.take(step);
      if ((await walk.look()).lostTurns > 0) all.push("a lost turn");
      await walk.take({ do: "lose-state" });
      all.push(...walk.breaches.map(({ what }) => what));
      if (walk.fullest(3_000) > 5) all.push("too many calls");
      return all.length === 0;
    });
    await fc.check(walks, { numRuns: 40, endOnFailure: true });
    return all;
  };
  const replaced =
    (old: string, by: string) =>
    (text: string): string => {
      if (text.includes("local lane, more") && !text.includes(old))
        throw new Error(`the scripts have no ${old} any more`);
      return text.replaceAll(old, by);
    };

  it("finds nothing where nothing is wrong", async () => {
    expect(await found((text) => text, lanesOf(3, BOTH_LANES), fc.oneof(calm, tells))).toEqual([]);
  });

  it("finds a cool-down that shrinks", async () => {
    const faulty = replaced("if ends > s.cool then", "if true then");
    expect(await found(faulty, lanesOf(3), fc.oneof(calm, tells))).toContain("a cool-down was shortened");
  });

  it("finds a refund", async () => {
    const refund =
      "if not more and redis.call('LLEN', RING) > 1 then redis.call('LPOP', RING) s.slot = s.slot - slot return finish(true, 0, '') end";
    const faulty = replaced("if not more then return finish(true, 0, '') end", refund);
    expect(await found(faulty, lanesOf(4, []))).toContain("too many calls");
  });

  it("finds one due time for both lanes", async () => {
    const testLua = replaced("'due:' .. ofLane .. ':' .. who", "'due:' .. who");
    const redis = aClient();
    const check = await fc.check(
      deaths((options, story) => walked({ ...options, testLua }, story, redis)),
      { numRuns: 100 },
    );
    expect(check.failed).toBe(true);
  });
});
