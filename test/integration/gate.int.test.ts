import { randomUUID } from "node:crypto";
import { RLWrapperTimeouts } from "rate-limiter-flexible";
import { afterAll, describe, expect, inject, it, onTestFinished } from "vitest";
import type { z } from "zod";
import type { LocalProcess } from "../../src/demo/services/local-process.ts";
import { startRedis } from "../../src/demo/services/redis.ts";
import type { Permit } from "../../src/domain/stages.ts";
import { quotaConfig } from "../../src/gate/config.ts";
import { createGate } from "../../src/gate/gate.ts";
import { quotaOf } from "../../src/gate/quota.ts";
import { RedisLimiter } from "../../src/gate/redis-limiter.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { connectRedis, type RedisConnection } from "../../src/lib/redis.ts";

const connected = async (url: string): Promise<RedisConnection> => {
  const redis = connectRedis({ url });
  await new Promise<void>((resolve) => redis.onConnect(() => resolve()));
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
const aPermit = (): Permit => ({ lane: "live", grantedAtMs: nowMs() });
/** A pace so high that only outages and cool-downs are felt. */
const FAST = { windows: [{ limit: 1_000, perMs: 1_000 }], guardMs: 0 };

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
    await one.gate.tell({ hintMs: 1_500, source: "body" }, aPermit());
    await one.gate.tell({ hintMs: 100, source: "body" }, aPermit());
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

  it("an hour's window spent by all of them together stops all of them", async () => {
    const scopeText = `hour ${randomUUID()}`;
    const quota = { windows: [...FAST.windows, { limit: 7, perMs: 3_600_000 }], guardMs: 0 };
    const [one, two] = await Promise.all([
      aGate(inject("redis"), scopeText, quota),
      aGate(inject("redis"), scopeText, quota),
    ]);
    // 99 % of 7 are 6: a call may be on its way.
    for (const { gate } of [one, two, one, two, one, two]) await gate.acquire("live", anytime);
    await expect
      .poll(() => Math.min(one.gate.cooldownLeftMs(), two.gate.cooldownLeftMs()), PATIENTLY)
      .toBeGreaterThan(3_500_000);
    expect([...one.said, ...two.said]).toContain("window-spent");
    expect((await one.gate.peek()).windows).toMatchObject([{ limit: 1_000 }, { limit: 6, perMs: 3_600_000, used: 6 }]);
  });

  it("another limit in mid-run holds for the others at once, and what happened is told to all", async () => {
    const scopeText = `adjusted ${randomUUID()}`;
    const [one, two] = await Promise.all([
      aGate(inject("redis"), scopeText, FAST),
      aGate(inject("redis"), scopeText, FAST),
    ]);
    await Promise.all([one.gate.acquire("live", anytime), two.gate.acquire("live", anytime)]);
    one.gate.adjust(quotaConfig.parse({ windows: [{ limit: 20, perMs: 1_000 }], guardMs: 0 }));
    await expect.poll(async () => (await two.gate.peek()).slotMs, PATIENTLY).toBe(50);
    await two.gate.tell({ hintMs: 300, source: "body" }, await two.gate.acquire("live", anytime));
    // On a crowded machine an answer of Redis may come too late to count: then it is told again.
    await expect.poll(() => two.said, PATIENTLY).toContain("quota-incident");
    await expect.poll(async () => (await one.gate.peek()).incidents, PATIENTLY).toHaveLength(1);
    const { incidents, share, permitsPerSecond } = await one.gate.peek();
    expect(incidents).toMatchObject([{ hintMs: 300, source: "body", foreign: null, windows: [{ perMs: 1_000 }] }]);
    expect([share, permitsPerSecond]).toEqual([0.5, 10]);
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
    const ask = { more: false, news: { cooldown: { endsAt: "0", leftMs: 0 }, refused: null, seen: null } };
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

  it("goes on with its share if it may, and gives the word back to Redis", async () => {
    const server = await aRedis();
    const quota = { windows: [{ limit: 40, perMs: 1_000 }], outage: "local-share" as const };
    const gates = await Promise.all([1, 2].map(() => aGate(server.address, "share", quota)));
    const all = (): Promise<Permit[]> => Promise.all(gates.map(({ gate }) => gate.acquire("live", anytime)));
    await expect.poll(async () => (await gates[0]?.gate.peek())?.replicas, PATIENTLY).toBe(2);
    await all();
    await server.kill("SIGSTOP");
    for (let n = 0; n < 10; n++) await all();
    expect(await Promise.all(gates.map(async ({ gate }) => (await gate.peek()).mode))).toEqual(["local", "local"]);
    await server.kill("SIGCONT");
    await expect.poll(async () => (await gates[0]?.gate.peek())?.mode, PATIENTLY).toBe("redis");
    await all();
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
    await knowing.gate.tell({ hintMs: 6_000, source: "body" }, aPermit());
    const deadlineMs = nowMs() + knowing.gate.cooldownLeftMs();
    await server.kill("SIGKILL");
    const fresh = await aGate(server.address, "forgot", FAST);
    const permit = fresh.gate.acquire("live", anytime);
    await server.start();
    expect((await permit).grantedAtMs).toBeGreaterThanOrEqual(deadlineMs - 250);
    expect((await knowing.gate.acquire("live", anytime)).grantedAtMs).toBeGreaterThanOrEqual(deadlineMs);
  });
});
