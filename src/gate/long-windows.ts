/**
 * Windows of hours or a day, which are too long to remember every call of. They are counted from their first call, as most
 * servers do, after each grant: the pace keeps the shorter windows, and once a long one is spent everybody waits for its end.
 */
import { RateLimiterMemory, RateLimiterRedis } from "rate-limiter-flexible";
import type { RedisConnection } from "../lib/redis.ts";
import type { Quota } from "./quota.ts";

/** Counts calls under a key for so many seconds; the points are never asked for, since a permit was granted already. */
const UNUSED = { points: 1, duration: 1 };

export interface Spent {
  readonly limit: number;
  readonly perMs: number;
  readonly waitMs: number;
}

export class LongWindows {
  readonly #limiter: RateLimiterRedis | RateLimiterMemory;
  #windows: Quota["counted"];

  /** `client` null: the counters are in memory, of this process alone. */
  constructor(windows: Quota["counted"], client: RedisConnection["client"] | null, keyPrefix: string) {
    this.#windows = windows;
    this.#limiter =
      client === null
        ? new RateLimiterMemory(UNUSED)
        : new RateLimiterRedis({
            ...UNUSED,
            storeClient: client,
            keyPrefix: `${keyPrefix}:w`,
            rejectIfRedisNotReady: true,
          });
  }

  adjust(windows: Quota["counted"]): void {
    this.#windows = windows;
  }

  /** Counts one call. The window that is spent now and ends last; null: none is. Rejects while Redis is away. */
  async count(): Promise<Spent | null> {
    const spent = await Promise.all(
      this.#windows.map(async ({ limit, perMs }): Promise<Spent | null> => {
        const options = { customDuration: Math.ceil(perMs / 1_000) };
        const { consumedPoints, msBeforeNext } = await this.#limiter.penalty(String(perMs), 1, options);
        return consumedPoints < limit ? null : { limit, perMs, waitMs: msBeforeNext };
      }),
    );
    return spent.reduce((longest, one) => ((one?.waitMs ?? 0) > (longest?.waitMs ?? 0) ? one : longest), null);
  }

  /** Calls counted in each window; 0 while Redis is away. */
  async used(): Promise<readonly { readonly limit: number; readonly perMs: number; readonly used: number }[]> {
    return Promise.all(
      this.#windows.map(async (window) => {
        const counted = await this.#limiter.get(String(window.perMs)).catch(() => null);
        return { ...window, used: counted?.consumedPoints ?? 0 };
      }),
    );
  }
}
