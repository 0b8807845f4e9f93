import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Lane } from "../../../src/domain/mutation.ts";
import type { Permit } from "../../../src/domain/stages.ts";
import { quotaConfig } from "../../../src/gate/config.ts";
import { createGate, QuotaGate } from "../../../src/gate/gate.ts";
import { type Ask, type KnownCooldown, QuotaLimiter, QuotaReply, QuotaState } from "../../../src/gate/limiter.ts";
import { quotaOf } from "../../../src/gate/quota.ts";
import type { Emit } from "../../../src/telemetry/events.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** Answers as the test says; null: no answer, as with Redis away. */
class ScriptedLimiter extends QuotaLimiter {
  readonly asks: (Ask & { readonly lane: Lane })[] = [];
  readonly blocks: KnownCooldown[] = [];
  answer: (ask: Ask) => Partial<QuotaReply> | null | Promise<Partial<QuotaReply>> = () => ({ granted: true });

  override async consume(lane: Lane, _points: 1, ask: Ask): Promise<QuotaReply> {
    this.asks.push({ ...ask, lane });
    const reply = aReply(await this.answer(ask));
    if (!reply.granted) throw reply;
    return reply;
  }

  override async block(_key: "all", seconds: number, { endsAt }: { endsAt: string }): Promise<QuotaReply> {
    const cooldown = { endsAt, leftMs: seconds * 1_000 };
    this.blocks.push(cooldown);
    const reply = await this.answer({ more: false, cooldown });
    return aReply(reply === null ? null : { ...reply, granted: false });
  }

  override async get(): Promise<QuotaState> {
    return new QuotaState(0, 3, [7]);
  }
}

const aReply = (reply: Partial<QuotaReply> | null): QuotaReply => {
  if (reply === null) throw new Error("Command timed out");
  const { granted = false, cooldown = { endsAt: "0", leftMs: 0 }, incarnation = "a", cold = false } = reply;
  return new QuotaReply({ granted, cooldown, replicas: 3, incarnation, cold }, reply.msBeforeNext ?? 0);
};

const aGate = () => {
  const clock = new FakeClock();
  const limiter = new ScriptedLimiter();
  const said: { name: string; fields: unknown }[] = [];
  const emit: Emit = (name, fields) => void said.push({ name, fields });
  const redis = { address: "redis://redis:6379", lastError: () => "ECONNREFUSED", onIncarnation: () => () => {} };
  const gate = new QuotaGate({ quota: quotaOf(quotaConfig.parse({})), limiter, redis, clock, emit });
  onTestFinished(() => gate.close());
  return { clock, limiter, gate, names: () => said.map(({ name }) => name), said };
};

/** Lets everything happen that waits for no time. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const pass = async (clock: FakeClock, ms: number, stepMs = 50): Promise<void> => {
  await settle();
  for (let passed = 0; passed < ms; passed += stepMs) {
    clock.advance(Math.min(stepMs, ms - passed));
    await settle();
  }
};

const anytime = new AbortController().signal;

/** The permit once it is there. */
const watched = (promise: Promise<Permit>): { permit: Permit | null } => {
  const box: { permit: Permit | null } = { permit: null };
  promise.then(
    (permit) => void (box.permit = permit),
    () => {},
  );
  return box;
};

describe("a gate", () => {
  it("serves a lane in order of asking, with one question under way", async () => {
    const { clock, gate, limiter } = aGate();
    const order: number[] = [];
    limiter.answer = () => ({ granted: true, msBeforeNext: 100 });
    const permits = [1, 2, 3].map((n) => gate.acquire("live", anytime).then(() => order.push(n)));
    expect(limiter.asks).toHaveLength(1);
    await pass(clock, 300);
    await Promise.all(permits);
    expect(order).toEqual([1, 2, 3]);
    // The first asked before the others came.
    expect(limiter.asks.map(({ more }) => more)).toEqual([false, true, false]);
  });

  it("asks again only at the time it was promised", async () => {
    const { clock, gate, limiter } = aGate();
    limiter.answer = () => (limiter.asks.length < 2 ? { msBeforeNext: 400 } : { granted: true });
    const permit = watched(gate.acquire("live", anytime));
    await pass(clock, 399, 57);
    expect(limiter.asks).toHaveLength(1);
    await pass(clock, 1);
    expect(permit.permit).toEqual({ lane: "live", grantedAtMs: clock.monotonicMs() });
  });

  it("forgets a waiter that gave up and serves the next", async () => {
    const { clock, gate, limiter } = aGate();
    limiter.answer = () => (limiter.asks.length < 2 ? { msBeforeNext: 400 } : { granted: true });
    const impatient = new AbortController();
    const first = gate.acquire("live", impatient.signal);
    const second = gate.acquire("live", anytime);
    impatient.abort(new Error("enough"));
    await expect(first).rejects.toThrow("enough");
    await pass(clock, 400);
    expect((await second).lane).toBe("live");
    await expect(gate.acquire("live", impatient.signal)).rejects.toThrow("enough");
  });

  it("drops a permit that nobody waits for any more", async () => {
    const { gate, limiter, names } = aGate();
    const answer = Promise.withResolvers<Partial<QuotaReply>>();
    limiter.answer = () => answer.promise;
    const impatient = new AbortController();
    const permit = gate.acquire("live", impatient.signal);
    await settle();
    impatient.abort(new Error("enough"));
    await expect(permit).rejects.toThrow("enough");
    answer.resolve({ granted: true });
    await settle();
    expect(names()).toEqual(["permit-unused"]);
  });

  it("lets both lanes wait side by side", async () => {
    const { gate, limiter } = aGate();
    const permits = await Promise.all([gate.acquire("backfill", anytime), gate.acquire("live", anytime)]);
    expect(permits.map(({ lane }) => lane)).toEqual(["backfill", "live"]);
    expect(limiter.asks.map(({ lane }) => lane)).toEqual(["backfill", "live"]);
  });

  it("rejects whoever waits, and whoever comes later, when it closes", async () => {
    const { gate, limiter } = aGate();
    limiter.answer = () => ({ msBeforeNext: 60_000 });
    const permit = gate.acquire("live", anytime);
    await Promise.all([settle(), gate.close(), expect(permit).rejects.toMatchObject({ code: "GATE_CLOSED" })]);
    await expect(gate.acquire("live", anytime)).rejects.toMatchObject({ code: "GATE_CLOSED" });
  });
});

describe("a wait that the server asked for", () => {
  it("holds in this process, even if the limiter would grant", async () => {
    const { clock, gate } = aGate();
    await gate.tell({ hintMs: 3_000, source: "body" });
    await gate.tell({ hintMs: 1_000, source: "body" });
    const permit = watched(gate.acquire("live", anytime));
    await pass(clock, 2_999, 7);
    expect(permit.permit).toBeNull();
    await pass(clock, 1);
    expect(permit.permit).not.toBeNull();
  });

  it("drops a permit that is on its way, and the waiter waits on", async () => {
    const { clock, gate, limiter, names } = aGate();
    const answer = Promise.withResolvers<Partial<QuotaReply>>();
    limiter.answer = () => answer.promise;
    const permit = watched(gate.acquire("live", anytime));
    await settle();
    const told = gate.tell({ hintMs: 2_000, source: "body" });
    answer.resolve({ granted: true });
    await told;
    await pass(clock, 1_950);
    expect(permit.permit).toBeNull();
    await pass(clock, 100);
    expect(permit.permit).not.toBeNull();
    expect(names()).toEqual(["cooldown-started", "permit-unused", "permit-granted"]);
  });

  it("is repeated with every question, word for word, and by a beat twice a second", async () => {
    const { clock, gate, limiter } = aGate();
    const endsMs = clock.monotonicMs() + 3_000;
    const endsAt = "1700000003000.000";
    limiter.answer = () => ({ cooldown: { endsAt, leftMs: Math.max(0, endsMs - clock.monotonicMs()) }, granted: true });
    await gate.tell({ hintMs: 3_000, source: "body" });
    await pass(clock, 2_000);
    expect(limiter.blocks[0]).toEqual({ endsAt: "0", leftMs: 3_000 });
    expect(limiter.blocks.slice(-3)).toEqual([2_000, 1_500, 1_000].map((leftMs) => ({ endsAt, leftMs })));
  });

  it("without a hint is a minute, doubled while it goes on, at most a quarter of an hour", async () => {
    const { clock, gate } = aGate();
    const waits: number[] = [];
    for (let n = 0; n < 6; n++) {
      await gate.tell({ hintMs: null, source: "none" });
      await gate.tell({ hintMs: null, source: "none" }); // another call of the same incident
      waits.push(gate.cooldownLeftMs() / 60_000);
      clock.advance(gate.cooldownLeftMs());
    }
    expect(waits).toEqual([1, 2, 4, 8, 15, 15]);
    clock.advance(15 * 60_000);
    await gate.tell({ hintMs: null, source: "none" });
    expect(gate.cooldownLeftMs()).toBe(60_000);
  });

  it("can come from the offsets a predecessor committed", async () => {
    const { gate } = aGate();
    await gate.adopt(-5);
    expect(gate.cooldownLeftMs()).toBe(0);
    await gate.adopt(4_000);
    expect(gate.cooldownLeftMs()).toBe(4_000);
    await gate.adopt(Number.MAX_VALUE);
    expect(gate.cooldownLeftMs()).toBe(86_400_000);
  });

  it("is learned from any answer, counted from the question", async () => {
    const { clock, gate, limiter, said } = aGate();
    limiter.answer = () => {
      clock.advance(20);
      return { cooldown: { endsAt: "1700000005000.000", leftMs: 5_000 }, msBeforeNext: 5_000 };
    };
    const permit = gate.acquire("live", anytime);
    await settle();
    expect(gate.cooldownLeftMs()).toBe(4_980);
    expect(said).toEqual([{ name: "cooldown-started", fields: { waitMs: 4_980, source: "shared" } }]);
    await Promise.all([gate.close(), expect(permit).rejects.toThrow("closed")]);
  });
});

describe("while Redis is away", () => {
  it("nothing is granted; it is said once, and once when it is back", async () => {
    const { clock, gate, limiter, said, names } = aGate();
    limiter.answer = () => null;
    const permit = watched(gate.acquire("live", anytime));
    await pass(clock, 5_000);
    expect(permit.permit).toBeNull();
    expect(said).toEqual([
      { name: "redis-unreachable", fields: { address: "redis://redis:6379", cause: "ECONNREFUSED" } },
    ]);
    expect((await gate.peek()).mode).toBe("closed");

    limiter.answer = () => ({ granted: true });
    await pass(clock, 300);
    expect(permit.permit).not.toBeNull();
    expect(names()).toEqual(["redis-unreachable", "redis-back", "permit-granted"]);
    expect(await gate.peek()).toMatchObject({ mode: "redis", replicas: 3, windows: [{ limit: 200, used: 7 }] });
  });

  it("a blip is not worth a word", async () => {
    const { clock, gate, limiter, names } = aGate();
    limiter.answer = () => (limiter.asks.length < 2 ? null : { granted: true });
    await Promise.all([gate.acquire("live", anytime), pass(clock, 300)]);
    expect(names()).toEqual(["permit-granted"]);
  });

  it("a wait still holds, and `tell` and `peek` do not fail", async () => {
    const { clock, gate, limiter } = aGate();
    limiter.answer = () => null;
    await gate.tell({ hintMs: 2_000, source: "body" });
    expect(await gate.peek()).toMatchObject({ mode: "closed", cooldownLeftMs: 2_000 });
    limiter.answer = () => ({ granted: true });
    const permit = watched(gate.acquire("live", anytime));
    await pass(clock, 1_950);
    expect(permit.permit).toBeNull();
  });

  it("a state that was lost is said", async () => {
    const { gate, limiter, said } = aGate();
    await gate.acquire("live", anytime);
    limiter.answer = () => ({ granted: true, incarnation: "b" });
    await gate.acquire("live", anytime);
    expect(said).toContainEqual({ name: "gate-cold-start", fields: { cause: "Redis lost its state" } });
  });
});

describe("without Redis", () => {
  const steps = fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 80 }) }) },
      { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("live" as const, "backfill" as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("tell" as const), ms: fc.integer({ min: 1, max: 60 }) }) },
    ),
    { minLength: 10, maxLength: 40 },
  );
  const quotas = fc.record({
    windows: fc.tuple(fc.record({ limit: fc.integer({ min: 1, max: 6 }), perMs: fc.constantFrom(100, 130) })),
    guardMs: fc.integer({ min: 0, max: 20 }),
    catchUp: fc.integer({ min: 0, max: 3 }),
    spacingMs: fc.constantFrom(0, 0, 15),
  });

  it("no sliding window holds more than the limit, and no permit comes inside an announced wait", async () => {
    await fc.assert(
      fc.asyncProperty(quotas, steps, async (quota, steps) => {
        const clock = new FakeClock();
        const emit: Emit = () => {};
        const config = quotaConfig.parse(quota);
        const gate = createGate({ quota: config, redis: null, scopeText: "x", replicaId: "a", clock, emit });
        const grantsMs: number[] = [];
        const earlyMs: number[] = [];
        let closedUntilMs = 0;
        for (const step of steps) {
          if (step.do === "pass") await pass(clock, step.ms, 3);
          else if (step.do === "tell") {
            closedUntilMs = Math.max(closedUntilMs, clock.monotonicMs() + step.ms);
            await gate.tell({ hintMs: step.ms, source: "body" });
          } else {
            void gate.acquire(step.do, anytime).then(
              ({ grantedAtMs }) => {
                grantsMs.push(grantedAtMs);
                if (grantedAtMs < closedUntilMs) earlyMs.push(grantedAtMs);
              },
              () => {},
            );
          }
        }
        await gate.close();
        expect(earlyMs).toEqual([]);
        const within = (limit: number, ms: number): void => {
          for (const [at, atMs] of grantsMs.entries()) {
            expect((grantsMs[at + limit] ?? Number.POSITIVE_INFINITY) - atMs).toBeGreaterThanOrEqual(ms);
          }
        };
        for (const { limit, spanMs } of quotaOf(config).windows) within(limit, spanMs);
        within(1, quota.spacingMs);
      }),
      { numRuns: 200 },
    );
  });

  it("after a quiet time catchUp + 1 calls leave together, after an announced wait one", async () => {
    const clock = new FakeClock();
    const quota = quotaConfig.parse({ windows: [{ limit: 20, perMs: 1_000 }], guardMs: 0, catchUp: 2 });
    const gate = createGate({ quota, redis: null, scopeText: "x", replicaId: "a", clock, emit: () => {} });
    const leaveTogether = async (): Promise<number> => {
      const permits = Array.from({ length: 5 }, () => watched(gate.acquire("live", anytime)));
      await pass(clock, 10);
      const left = permits.filter(({ permit }) => permit !== null).length;
      await pass(clock, 3_000);
      return left;
    };
    await pass(clock, 3_000);
    expect(await leaveTogether()).toBe(3);
    await gate.tell({ hintMs: 2_000, source: "body" });
    await pass(clock, 2_000);
    expect(await leaveTogether()).toBe(1);
    await gate.close();
  });

  it("a backfill that is alone gets every turn", async () => {
    const clock = new FakeClock();
    const quota = quotaConfig.parse({ windows: [{ limit: 20, perMs: 1_000 }], guardMs: 0 });
    const gate = createGate({ quota, redis: null, scopeText: "x", replicaId: "a", clock, emit: () => {} });
    const permits = Array.from({ length: 20 }, () => gate.acquire("backfill", anytime));
    await pass(clock, 1_200, 5);
    expect((await Promise.all(permits)).length).toBe(20);
    await gate.close();
  });

  it("the quota is used to its end, live first, a tenth for the backfill", async () => {
    const clock = new FakeClock();
    const quota = quotaConfig.parse({ windows: [{ limit: 20, perMs: 1_000 }], guardMs: 0 });
    const gate = createGate({ quota, redis: null, scopeText: "x", replicaId: "a", clock, emit: () => {} });
    const stop = new AbortController();
    const granted: Lane[] = [];
    const backlog = (["live", "backfill"] as const).map(async (lane) => {
      while (!stop.signal.aborted) granted.push((await gate.acquire(lane, stop.signal)).lane);
    });
    await pass(clock, 20_000, 5);
    expect(await gate.peek()).toMatchObject({ mode: "local", replicas: 1, windows: [{ limit: 20, used: 20 }] });
    stop.abort();
    await Promise.allSettled(backlog);
    await gate.close();
    expect(granted.length).toBeGreaterThanOrEqual(0.98 * 20 * 19.8);
    expect(granted.filter((lane) => lane === "backfill").length / granted.length).toBeCloseTo(0.1, 1);
  });
});
