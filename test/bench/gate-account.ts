/** The account of the benchmark: nine ways in which servers count 200 calls a minute, and others who call it too. */
import type { WindowOptions } from "../../src/sandbox/config.ts";
import { createLimiter, type Limiter } from "../../src/sandbox/limiters.ts";
import { Dice } from "../sim/dice.ts";

const MINUTE_MS = 60_000;

/** By the name they have in the tables. */
export const SERVERS: Readonly<Record<string, (limit: number) => readonly WindowOptions[]>> = {
  "clock minute": (limit) => [{ type: "clock-window", limit, perMs: MINUTE_MS }],
  "from first": (limit) => [{ type: "window-from-first", limit, perMs: MINUTE_MS }],
  "sliding log": (limit) => [{ type: "sliding-log", limit, perMs: MINUTE_MS }],
  "log+refused": (limit) => [{ type: "sliding-log-counting-refused", limit, perMs: MINUTE_MS }],
  counter: (limit) => [{ type: "sliding-counter", limit, perMs: MINUTE_MS }],
  bucket: (limit) => [{ type: "token-bucket", limit, perMs: MINUTE_MS }],
  "bucket 20": (limit) => [{ type: "token-bucket", limit, perMs: MINUTE_MS, burst: 20 }],
  "GCRA 3": (limit) => [{ type: "gcra", limit, perMs: MINUTE_MS, burst: 3 }],
  "+ 10/s": (limit) => [
    { type: "sliding-log", limit, perMs: MINUTE_MS },
    { type: "clock-window", limit: 10, perMs: 1_000 },
  ],
};

export interface Scenario {
  readonly title: string;
  /** What the server really allows a minute; the clients believe in 200. */
  readonly limit: number;
  /** A hundred foreign calls in ten seconds after a third of the time, then 30 a minute. */
  readonly others: boolean;
  /** What every 429 asks for; null: as long as it takes. */
  readonly hintMs: number | null;
  /** The server announces what is left. */
  readonly headers: boolean;
}

export interface Reply {
  /** Null: accepted. */
  readonly hintMs: number | null;
  readonly announced: { readonly limit: number; readonly remaining: number; readonly resetMs: number } | null;
}

/** Times are milliseconds since the start and never fall. Counting begins after the first minute; 429s always count. */
export class Account {
  refused = 0;
  #accepted = 0;
  readonly #limiters: readonly Limiter[];
  readonly #scenario: Scenario;
  /** Calls of others, next first. */
  readonly #othersMs: number[];
  readonly #untilMs: number;

  constructor(server: string, scenario: Scenario, untilMs: number) {
    this.#limiters = (SERVERS[server]?.(scenario.limit) ?? []).map((window) => createLimiter(window, 17_000));
    this.#scenario = scenario;
    this.#untilMs = untilMs;
    this.#othersMs = scenario.others ? othersUntil(untilMs) : [];
  }

  call(nowMs: number): Reply {
    for (let next = this.#othersMs[0]; next !== undefined && next <= nowMs; next = this.#othersMs[0]) {
      this.#othersMs.shift();
      if (this.#take(next) === 0) this.#count(next);
    }
    const waitMs = this.#take(nowMs);
    if (waitMs === 0) this.#count(nowMs);
    else this.refused += 1;
    const hintMs = waitMs === 0 ? null : (this.#scenario.hintMs ?? 1_000 * Math.ceil(waitMs / 1_000));
    return { hintMs, announced: this.#announced(nowMs) };
  }

  /** Part of the account's quota that was used, by whomever. */
  get used(): number {
    return this.#accepted / ((this.#scenario.limit * (this.#untilMs - MINUTE_MS)) / MINUTE_MS);
  }

  #take(nowMs: number): number {
    const waitMs = Math.max(...this.#limiters.map((limiter) => limiter.waitMs(nowMs, 1)));
    for (const limiter of this.#limiters) {
      if (waitMs > 0) limiter.refuse(nowMs, 1);
      else limiter.take(nowMs, 1);
    }
    return waitMs;
  }

  #count(nowMs: number): void {
    if (nowMs >= MINUTE_MS && nowMs < this.#untilMs) this.#accepted += 1;
  }

  #announced(nowMs: number): Reply["announced"] {
    const [limiter] = this.#limiters;
    if (!this.#scenario.headers || limiter === undefined) return null;
    // Headers tell of whole seconds.
    const resetMs = 1_000 * Math.ceil(limiter.resetMs(nowMs) / 1_000);
    return { limit: this.#scenario.limit, remaining: limiter.remaining(nowMs), resetMs };
  }
}

const othersUntil = (untilMs: number): number[] => {
  const startMs = untilMs / 3;
  const burst = Array.from({ length: 100 }, (_, at) => startMs + 100 * at);
  const later = Array.from(
    { length: Math.max(0, (untilMs - startMs) / 2_000 - 5) },
    (_, at) => startMs + 10_000 + 2_000 * at,
  );
  return [...burst, ...later];
};

/** Milliseconds on the way to the server or back: mostly about 70, now and then up to half a second. */
export const delays = (seed: number): (() => number) => {
  const dice = new Dice(seed);
  return () => LEAST_DELAY_MS + Math.min(460, -30 * Math.log(1 - dice.random()));
};
export const LEAST_DELAY_MS = 40;
