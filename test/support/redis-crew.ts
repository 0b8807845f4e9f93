/** Replicas that share a quota through Redis and always want the next permit, as far as Redis sees them: gates on the real clock. */
import { randomUUID } from "node:crypto";
import type { z } from "zod";
import type { Gate } from "../../src/domain/stages.ts";
import { quotaConfig } from "../../src/gate/config.ts";
import { createGate } from "../../src/gate/gate.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { connectRedis } from "../../src/lib/redis.ts";
import type { RedisConfig } from "../../src/lib/redis-config.ts";
import type { Events } from "../../src/telemetry/events.ts";
import { until } from "./until.ts";

export interface Said {
  readonly name: keyof Events;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Mate {
  readonly gate: Gate;
  /** When it got its permits, on the clock of this process. */
  readonly grantsMs: number[];
  readonly said: Said[];
  /** It asks no more, as if it had died. */
  stop(): Promise<void>;
}

export class RedisCrew implements AsyncDisposable {
  readonly mates: Mate[] = [];
  readonly #scopeText: string;

  constructor(scopeText: string = randomUUID()) {
    this.#scopeText = scopeText;
  }

  join(redisAt: RedisConfig, quota: z.input<typeof quotaConfig>): Mate {
    const redis = connectRedis(redisAt);
    const said: Said[] = [];
    const gate = createGate({
      quota: quotaConfig.parse(quota),
      redis,
      scopeText: this.#scopeText,
      replicaId: randomUUID(),
      clock: systemClock,
      emit: (name, fields) => void said.push({ name, fields: { ...fields } }),
    });
    const grantsMs: number[] = [];
    const stopping = new AbortController();
    const working = (async () => {
      while (!stopping.signal.aborted) grantsMs.push((await gate.acquire("live", stopping.signal)).grantedAtMs);
    })().catch((error: unknown) => {
      if (!stopping.signal.aborted) throw error;
    });
    const stop = async (): Promise<void> => {
      stopping.abort();
      await working;
      await gate.close();
      redis.close();
    };
    const mate = { gate, grantsMs, said, stop };
    this.mates.push(mate);
    return mate;
  }

  /** Of all, oldest first. */
  get grantsMs(): readonly number[] {
    return this.mates.flatMap(({ grantsMs }) => grantsMs).sort((a, b) => a - b);
  }

  /** Most permits in any window of `ms`. */
  fullest(ms: number): number {
    const all = this.grantsMs;
    return Math.max(0, ...all.map((atMs, first) => all.slice(first).filter((later) => later < atMs + ms).length));
  }

  /** Each gets so many more permits. */
  async goesOn(permits: number): Promise<void> {
    const before = this.mates.map(({ grantsMs }) => grantsMs.length);
    const isDone = (): boolean =>
      this.mates.every(({ grantsMs }, at) => grantsMs.length >= (before[at] ?? 0) + permits);
    await until(isDone, `${permits} more permits for each of ${this.mates.length}`);
  }

  /** So much time goes by, whatever they do. */
  async lasts(ms: number): Promise<void> {
    const untilMs = systemClock.monotonicMs() + ms;
    await until(() => systemClock.monotonicMs() >= untilMs, "time goes by");
  }

  /** All of them have said it. */
  async says(name: keyof Events): Promise<void> {
    await until(
      () => this.mates.every(({ said }) => said.some((line) => line.name === name)),
      `everybody says ${name}`,
    );
  }

  count(name: keyof Events): number {
    return this.mates.flatMap(({ said }) => said).filter((line) => line.name === name).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.mates.map(({ stop }) => stop()));
  }
}
