import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import type { z } from "zod";
import type { Lane } from "../../../src/domain/mutation.ts";
import type { Throttle } from "../../../src/domain/receipt.ts";
import type { Incident, Permit } from "../../../src/domain/stages.ts";
import { quotaConfig } from "../../../src/gate/config.ts";
import { createGate, QuotaGate } from "../../../src/gate/gate.ts";
import { InsuredLimiter } from "../../../src/gate/insured-limiter.ts";
import { type Ask, answered, type News, QuotaLimiter, QuotaReply, QuotaState } from "../../../src/gate/limiter.ts";
import { LongWindows } from "../../../src/gate/long-windows.ts";
import { type Quota, quotaOf } from "../../../src/gate/quota.ts";
import type { Emit } from "../../../src/telemetry/events.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { FIGURES } from "../../support/gate-figures.ts";
import { aGateState } from "../../support/gate-state.ts";

/** Answers as the test says; null: no answer, as with Redis away. */
class ScriptedLimiter extends QuotaLimiter {
  readonly asks: (Ask & { readonly lane: Lane })[] = [];
  readonly blocks: News[] = [];
  readonly quotas: Quota[] = [];
  answer: (news: News) => Partial<QuotaReply> | null | Promise<Partial<QuotaReply>> = () => ({ granted: true });

  override async consume(lane: Lane, _points: 1, ask: Ask): Promise<QuotaReply> {
    this.asks.push({ ...ask, lane });
    const reply = aReply(await this.answer(ask.news));
    if (!reply.granted) throw reply;
    return reply;
  }

  override async block(_key: "all", _seconds: number, news: News): Promise<QuotaReply> {
    this.blocks.push(news);
    const reply = await this.answer(news);
    return aReply(reply === null ? null : { ...reply, granted: false });
  }

  override async get(): Promise<QuotaState> {
    const { mode: _, windows: __, permitsPerSecond: ___, ...look } = aGateState({ replicas: 3, slotMs: 303 });
    return new QuotaState({ ...look, used: [7] });
  }

  override adjust(quota: Quota): void {
    this.quotas.push(quota);
  }
}

const aReply = (reply: Partial<QuotaReply> | null): QuotaReply => {
  if (reply === null) throw new Error("Command timed out");
  const { granted = false, cooldown = { endsAt: "0", leftMs: 0 }, incarnation = "a", cold = false } = reply;
  const { replicas = 3, incident = null, heldBy = null } = reply;
  return new QuotaReply(
    { granted, cooldown, replicas, incarnation, cold, slotMs: 303, incident, heldBy },
    reply.msBeforeNext ?? 0,
  );
};

const aGate = (quota: z.input<typeof quotaConfig> = {}, counted: Quota["counted"] = []) => {
  const clock = new FakeClock();
  const limiter = new ScriptedLimiter();
  const said: { name: string; fields: unknown }[] = [];
  const figures: { name: string; fields: unknown }[] = [];
  const emit: Emit = (name, fields) => void (FIGURES.has(name) ? figures : said).push({ name, fields });
  const redis = { address: "redis://redis:6379", lastError: () => "ECONNREFUSED", onConnect: () => () => {} };
  const config = quotaConfig.parse(quota);
  const gate = new QuotaGate({ config, limiter, long: new LongWindows(counted, null, "x"), redis, clock, emit });
  onTestFinished(() => gate.close());
  const tell = (throttle: Throttle): Promise<void> =>
    gate.tell(throttle, { lane: "live", grantedAtMs: clock.monotonicMs() });
  return { clock, limiter, gate, tell, names: () => said.map(({ name }) => name), said, figures };
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

const aPermit = (clock: FakeClock): Permit => ({ lane: "live", grantedAtMs: clock.monotonicMs() });

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

  it("tells for how long calls waited, by what held them, and who decided about the permit", async () => {
    const { clock, gate, limiter, tell, said, figures } = aGate();
    const answers = [{ msBeforeNext: 400, heldBy: "window" } as const, null];
    limiter.answer = () => {
      const answer = answers[limiter.asks.length - 1];
      return answer === undefined ? { granted: true } : answer;
    };
    const permit = gate.acquire("backfill", anytime);
    await pass(clock, 650);
    await permit;
    await tell({ hintMs: 3_000, source: "body" });
    const pause = gate.acquire("live", anytime);
    await pass(clock, 3_000, 100);
    await pause;
    expect(figures.filter(({ name }) => name === "permit-held").map(({ fields }) => fields)).toEqual([
      { lane: "backfill", reason: "window", heldMs: 400 },
      { lane: "backfill", reason: "no-answer", heldMs: 250 },
      { lane: "live", reason: "cool-down", heldMs: 3_000 },
    ]);
    const by = said.filter(({ name }) => name === "permit-granted").map(({ fields }) => fields);
    expect(by).toEqual([
      { lane: "backfill", by: "redis", waitedMs: 650 },
      { lane: "live", by: "redis", waitedMs: 3_000 },
    ]);
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
    const { clock, gate, tell } = aGate();
    await tell({ hintMs: 3_000, source: "body" });
    await tell({ hintMs: 1_000, source: "body" });
    const permit = watched(gate.acquire("live", anytime));
    await pass(clock, 2_999, 7);
    expect(permit.permit).toBeNull();
    await pass(clock, 1);
    expect(permit.permit).not.toBeNull();
  });

  it("drops a permit that is on its way, and the waiter waits on", async () => {
    const { clock, gate, limiter, names, tell } = aGate();
    const answer = Promise.withResolvers<Partial<QuotaReply>>();
    limiter.answer = () => answer.promise;
    const permit = watched(gate.acquire("live", anytime));
    await settle();
    const told = tell({ hintMs: 2_000, source: "body" });
    answer.resolve({ granted: true });
    await told;
    await pass(clock, 1_950);
    expect(permit.permit).toBeNull();
    await pass(clock, 100);
    expect(permit.permit).not.toBeNull();
    expect(names()).toEqual(["cooldown-started", "permit-unused", "permit-granted"]);
  });

  it("is repeated with every question, word for word, and by a beat twice a second", async () => {
    const { clock, limiter, tell } = aGate();
    const endsMs = clock.monotonicMs() + 3_000;
    const endsAt = "1700000003000.000";
    limiter.answer = () => ({ cooldown: { endsAt, leftMs: Math.max(0, endsMs - clock.monotonicMs()) }, granted: true });
    await tell({ hintMs: 3_000, source: "body" });
    await pass(clock, 2_000);
    const told = limiter.blocks.map(({ cooldown }) => cooldown);
    expect(told[0]).toEqual({ endsAt: "0", leftMs: 3_000 });
    expect(told.slice(-3)).toEqual([2_000, 1_500, 1_000].map((leftMs) => ({ endsAt, leftMs })));
  });

  it("without a hint is a minute, doubled while it goes on, at most a quarter of an hour", async () => {
    const { clock, gate, tell } = aGate();
    const waits: number[] = [];
    for (let n = 0; n < 6; n++) {
      await tell({ hintMs: null, source: "none" });
      await tell({ hintMs: null, source: "none" }); // another call of the same incident
      waits.push(gate.cooldownLeftMs() / 60_000);
      clock.advance(gate.cooldownLeftMs());
    }
    expect(waits).toEqual([1, 2, 4, 8, 15, 15]);
    clock.advance(15 * 60_000);
    await tell({ hintMs: null, source: "none" });
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
    expect(said).toEqual([{ name: "cooldown-started", fields: { waitMs: 4_980, source: "shared", isLong: false } }]);
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
      { name: "redis-unreachable", fields: { address: "redis://redis:6379", cause: "ECONNREFUSED", sends: "nothing" } },
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
    const { clock, gate, limiter, tell } = aGate();
    limiter.answer = () => null;
    await tell({ hintMs: 2_000, source: "body" });
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

describe("what the server says", () => {
  const throttle = { hintMs: 2_000, source: "body" };
  const incident: Incident = { ...throttle, atMs: 1, windows: [{ limit: 200, perMs: 60_000, used: 150 }], foreign: 50 };

  it("goes along with questions until one was answered: a refusal with the age of its call's permit", async () => {
    const { clock, gate, limiter, said } = aGate();
    const permit = aPermit(clock);
    clock.advance(700);
    limiter.answer = () => null;
    await gate.tell(throttle, permit);
    await gate.tell({ hintMs: 1_000, source: "reset" }, aPermit(clock)); // the same incident, as long as nobody knows of it
    limiter.answer = () => ({ incident });
    await pass(clock, 1_000);
    const told = limiter.blocks.map(({ refused }) => refused);
    expect(told[0]).toEqual({ ...throttle, grantedAgoMs: 700 });
    expect(told.at(-2)).toMatchObject({ hintMs: 2_000 });
    expect(told.at(-1)).toBeNull();
    expect(said).toContainEqual({ name: "quota-incident", fields: incident });
  });

  it("is, of several answers, what the latest call's headers announced, with the reset as far away as it is by then", async () => {
    const { clock, gate, limiter } = aGate();
    const permits = [aPermit(clock), { ...aPermit(clock), grantedAtMs: clock.monotonicMs() + 100 }] as const;
    clock.advance(300);
    gate.see({ limit: 200, remaining: 41, resetMs: 9_000 }, permits[1]);
    gate.see({ limit: 200, remaining: 42, resetMs: null }, permits[0]);
    clock.advance(500);
    for (let n = 0; n < 2; n++) await gate.acquire("live", anytime);
    const seen = limiter.asks.map(({ news }) => news.seen);
    expect(seen).toEqual([{ limit: 200, remaining: 41, resetMs: 8_500, grantedAgoMs: 700 }, null]);
  });

  it("is not listened to in headers when that is off", async () => {
    const { clock, gate, limiter } = aGate({ headers: { mode: "off" } });
    gate.see({ limit: 200, remaining: 0, resetMs: null }, aPermit(clock));
    await gate.acquire("live", anytime);
    expect(limiter.asks[0]?.news.seen).toBeNull();
  });

  it("is waited a little longer if so configured, and an hour's wait is an alarm", async () => {
    const { gate, tell, said } = aGate({ cooldown: { afterMs: 500, alarmMs: 10_000 } });
    await tell({ hintMs: 20_000, source: "body" });
    expect(gate.cooldownLeftMs()).toBe(20_500);
    expect(said).toEqual([{ name: "cooldown-started", fields: { waitMs: 20_500, source: "body", isLong: true } }]);
  });
});

describe("another quota in mid-run", () => {
  it("is what the limiter goes by from then on, and is said", async () => {
    const { gate, limiter, said } = aGate();
    gate.adjust(quotaConfig.parse({ windows: [{ limit: 400, perMs: 60_000 }] }));
    expect(limiter.quotas).toMatchObject([{ windows: [{ limit: 400, perMs: 60_000 }], slotMs: 151.5 }]);
    const [from, to] = ["200 calls per 60 s, one each 303 ms", "400 calls per 60 s, one each 151.5 ms"];
    expect(said).toEqual([{ name: "quota-changed", fields: { from, to } }]);
    expect(await gate.peek()).toMatchObject({ windows: [{ limit: 400, used: 7 }] });
  });
});

describe("an hour's window", () => {
  it("is counted, and once it is spent nobody sends before it ends", async () => {
    const { clock, gate, said } = aGate({}, [{ limit: 3, perMs: 3_600_000 }]);
    for (let n = 0; n < 3; n++) await gate.acquire("live", anytime);
    const permit = watched(gate.acquire("live", anytime));
    await settle();
    expect(said.filter(({ name }) => name === "window-spent")).toHaveLength(1);
    expect((await gate.peek()).windows).toMatchObject([{ limit: 200 }, { limit: 3, perMs: 3_600_000, used: 3 }]);
    await pass(clock, 3_590_000, 500_000);
    expect(permit.permit).toBeNull();
    await pass(clock, 10_000, 5_000);
    expect(permit.permit).not.toBeNull();
  });
});

describe("a share of its own while Redis is away", () => {
  const insured = (limiter: ScriptedLimiter) => {
    const clock = new FakeClock();
    const quota = quotaOf(quotaConfig.parse({}));
    return { clock, share: new InsuredLimiter({ redis: limiter, quota, share: 0.9, clock }) };
  };
  const ask = { more: true, news: { cooldown: { endsAt: "0", leftMs: 0 }, refused: null, seen: null } };

  it("begins one of its own slots later, is paced, and ends when Redis hears of it", async () => {
    const limiter = new ScriptedLimiter();
    const { clock, share } = insured(limiter);
    expect(await share.consume("live", 1, ask)).toMatchObject({ incarnation: "a", granted: true });
    limiter.answer = () => null;
    const grantsMs: number[] = [];
    for (let ms = 0; ms <= 10_000; ms += 10, clock.advance(10)) {
      const reply = await answered(share.consume("live", 1, ask));
      if (reply.granted) grantsMs.push(ms);
    }
    // One each 303 ms x 3 replicas / 0.9, the first 303 ms later for the one that may have been made up for.
    expect(grantsMs.slice(0, 3)).toEqual([1_320, 2_330, 3_340]);
    await expect(share.block("all", 0, ask.news)).rejects.toThrow("Command timed out");

    limiter.answer = () => ({ granted: true });
    expect(await answered(share.consume("live", 1, ask))).toMatchObject({ incarnation: "local" });
    await share.block("all", 0, ask.news);
    await share.block("all", 0, ask.news);
    expect(limiter.blocks.map(({ returns = false }) => returns)).toEqual([true, true, false]);
    expect(await answered(share.consume("live", 1, ask))).toMatchObject({ incarnation: "a" });
  });

  it("is none for a replica that Redis never told how many there are", async () => {
    const limiter = new ScriptedLimiter();
    limiter.answer = () => null;
    await expect(insured(limiter).share.consume("live", 1, ask)).rejects.toThrow("never said how many");
  });

  it("does not let a replica start that is one too many for the arithmetic", async () => {
    const { gate, limiter } = aGate({ windows: [{ limit: 5, perMs: 1_000 }], outage: "local-share" });
    limiter.answer = () => ({ replicas: 6 });
    const permit = gate.acquire("live", anytime);
    await expect(permit).rejects.toThrow(
      "6 replicas would start 6 x (1 + floor(0.9 x 1000 ms / (260 ms x 6))) = 6 calls in 1000 ms, the quota is 5",
    );
    await expect(gate.acquire("live", anytime)).rejects.toMatchObject({ code: "OUTAGE_SHARE", retriable: false });
  });

  it("is said to be in use", async () => {
    const { clock, gate, limiter, said } = aGate();
    limiter.answer = () => ({ granted: true, incarnation: "local" });
    for (let n = 0; n < 3; n++, clock.advance(600)) await gate.acquire("live", anytime);
    const cause = "ECONNREFUSED";
    const away = { address: "redis://redis:6379", cause, sends: "its share" };
    expect(said).toContainEqual({ name: "redis-unreachable", fields: away });
    expect((await gate.peek()).mode).toBe("local");
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
            await gate.tell({ hintMs: step.ms, source: "body" }, aPermit(clock));
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
    await gate.tell({ hintMs: 2_000, source: "body" }, aPermit(clock));
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
