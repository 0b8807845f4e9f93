/**
 * What else people put before a quota. The clients are written once: in the benchmark they run on a virtual clock and a
 * model of the limiter, and for the comparison of the model with its original on the real ones.
 */
import TinyQueue from "tinyqueue";
import type { Clock } from "../../src/lib/clock.ts";

/** As RateLimiterRedis has it: rejects with `msBeforeNext` when the points are used up. */
export interface StockLimiter {
  consume(key: string): Promise<unknown>;
}
/** As RateLimiterQueue has it. */
export interface StockQueue {
  removeTokens(tokens: number): Promise<unknown>;
}

/** One call; the wait that was asked for, null when it was accepted. */
export type Call = () => Promise<number | null>;

export interface Parts {
  readonly clock: Clock;
  readonly call: Call;
  readonly signal: AbortSignal;
}

const WORKERS = 8;

/** Eight workers of one process, each with its own permit; after a 429 the process waits as long as it was told. */
export const stockProcess = (limiter: StockLimiter, parts: Parts): Promise<void> =>
  workers(parts, async () => {
    for (;;) {
      const refusedForMs = await limiter.consume("sell").then(
        () => null,
        (refusal: { readonly msBeforeNext: number }) => refusal.msBeforeNext,
      );
      if (refusedForMs === null) return;
      await parts.clock.sleep(refusedForMs, parts.signal);
    }
  });

/** The same with the library's queue in the process. */
export const queueProcess = (queue: StockQueue, parts: Parts): Promise<void> =>
  workers(parts, async () => void (await queue.removeTokens(1)));

const workers = async ({ clock, call, signal }: Parts, admit: () => Promise<void>): Promise<void> => {
  let resumeMs = 0;
  const work = async (): Promise<void> => {
    while (!signal.aborted) {
      await clock.sleep(resumeMs - clock.monotonicMs(), signal);
      await admit();
      const hintMs = await call();
      if (hintMs !== null) resumeMs = Math.max(resumeMs, clock.monotonicMs() + hintMs);
    }
  };
  await Promise.allSettled(Array.from({ length: WORKERS }, work));
};

/** The rule of thumb: fifty calls one after the other, five seconds of pause. One process, as the script of old. */
export const fiftyThenPause = async ({ clock, call, signal }: Parts): Promise<void> => {
  while (!signal.aborted) {
    for (let at = 0; at < 50; at++) {
      const hintMs = await call();
      if (hintMs !== null) await clock.sleep(hintMs, signal);
    }
    await clock.sleep(5_000, signal);
  }
};

/** RateLimiterRedis, seen from its callers: a window begins with the first call after the last one's end. */
export class StockModel implements StockLimiter {
  readonly #clock: Clock;
  readonly #points: number;
  readonly #durationMs: number;
  #endMs = 0;
  #used = 0;

  constructor(clock: Clock, points: number, durationMs: number) {
    this.#clock = clock;
    this.#points = points;
    this.#durationMs = durationMs;
  }

  async consume(): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs >= this.#endMs) [this.#endMs, this.#used] = [nowMs + this.#durationMs, 0];
    this.#used += 1;
    if (this.#used > this.#points) throw { msBeforeNext: Math.ceil(this.#endMs - nowMs) };
  }
}

/** RateLimiterQueue: whoever is first asks, and all behind it wait with it. */
export class QueueModel implements StockQueue {
  readonly #limiter: StockLimiter;
  readonly #clock: Clock;
  #last: Promise<void> = Promise.resolve();

  constructor(limiter: StockLimiter, clock: Clock) {
    this.#limiter = limiter;
    this.#clock = clock;
  }

  removeTokens(): Promise<void> {
    this.#last = this.#last.then(() => this.#first());
    return this.#last;
  }

  async #first(): Promise<void> {
    for (;;) {
      const refusal = await this.#limiter.consume("sell").then(
        () => null,
        (error: { readonly msBeforeNext: number }) => error,
      );
      if (refusal === null) return;
      await this.#clock.sleep(refusal.msBeforeNext);
    }
  }
}

/** Time that passes only while everybody sleeps. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  readonly #sleepers = new TinyQueue<{ readonly atMs: number; readonly wake: () => void }>(
    [],
    (a, b) => a.atMs - b.atMs,
  );

  now(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  async sleep(ms: number): Promise<void> {
    if (ms > 0) await new Promise<void>((wake) => this.#sleepers.push({ atMs: this.#nowMs + ms, wake }));
  }

  /** Whoever sleeps beyond that never wakes. */
  async run(untilMs: number): Promise<void> {
    await new Promise(setImmediate); // whoever has just begun
    for (let next = this.#sleepers.pop(); next !== undefined && next.atMs <= untilMs; next = this.#sleepers.pop()) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.wake();
      await new Promise(setImmediate); // all that follows from it
    }
  }
}
