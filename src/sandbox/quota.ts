/** The account's quota: who may start a request now, what a refusal looks like, and what the headers say. */
import type { RateOptions } from "./config.ts";
import { createLimiter, type Limiter } from "./limiters.ts";
import { type Rate, rateOf } from "./rate-profiles.ts";
import { errorReply, type Reply } from "./reply.ts";

export type Admission =
  | { readonly granted: true; readonly headers: Headers }
  /** `hintMs`: how long the reply asks to wait; null when it does not say. */
  | { readonly granted: false; readonly reply: Reply; readonly hintMs: number | null };

type Headers = { readonly [name: string]: string };

/** One caller's (or the account's) counters. */
interface Meter {
  readonly limiters: readonly Limiter[];
  readonly limits: number[];
  blockedUntilMs: number;
  foreignAtMs: number;
}

export interface QuotaDeps {
  readonly wallMs: () => number;
  readonly monotonicMs: () => number;
  readonly random: () => number;
}

/** Tokens that can have a quota of their own at once; the one that came first goes first. */
const MAX_METERS = 1_000;

export class Quota {
  readonly #deps: QuotaDeps;
  #rate: Rate;
  #meters = new Map<string, Meter>();
  /** Set by `setLimit`; meters that start later get it too. */
  #firstLimit: number | null = null;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(options: RateOptions, deps: QuotaDeps) {
    this.#deps = deps;
    this.#rate = rateOf(options);
  }

  /** Starts all counters afresh. */
  setRate(options: RateOptions): void {
    this.#rate = rateOf(options);
    this.#firstLimit = null;
    this.#meters = new Map();
  }

  /** Another limit for the first window, effective at once; what was counted stays counted. */
  setLimit(limit: number): void {
    this.#firstLimit = limit;
    for (const meter of this.#meters.values()) {
      meter.limiters[0]?.setLimit(limit);
      meter.limits[0] = limit;
    }
  }

  setForeign(perMinute: number): void {
    this.#rate = { ...this.#rate, foreignPerMinute: perMinute };
  }

  reset(): void {
    this.#meters = new Map();
  }

  get bulkCost(): "request" | "items" {
    return this.#rate.bulkCost;
  }

  /** Charges `cost` requests of this token, or refuses them all. A cost beyond a limit counts as the whole limit. */
  admit(token: string, cost: number, logref: string): Admission {
    const nowMs = Math.max(this.#lastMs, this.#deps.monotonicMs());
    this.#lastMs = nowMs;
    const meter = this.#meter(this.#rate.scope === "token" ? token : "", nowMs);
    this.#drawForeign(meter, nowMs);
    const waitMs = Math.max(meter.blockedUntilMs - nowMs, waitOf(meter, nowMs, cost));
    if (waitMs <= 0) {
      charge(meter, nowMs, cost);
      return { granted: true, headers: this.#headers(meter, nowMs) };
    }
    meter.limiters.forEach((limiter, i) => limiter.refuse(nowMs, clamp(meter, i, cost)));
    if (this.#rate.penaltyMs > 0 && meter.blockedUntilMs <= nowMs) meter.blockedUntilMs = nowMs + this.#rate.penaltyMs;
    return this.#refusal(meter, nowMs, Math.max(waitMs, meter.blockedUntilMs - nowMs), logref);
  }

  #meter(scope: string, nowMs: number): Meter {
    let meter = this.#meters.get(scope);
    if (meter === undefined) {
      const epochOffsetMs = this.#deps.wallMs() - this.#deps.monotonicMs();
      const windows = this.#rate.windows.map((window, i) =>
        i === 0 && this.#firstLimit !== null ? { ...window, limit: this.#firstLimit } : window,
      );
      meter = {
        limiters: windows.map((window) => createLimiter(window, epochOffsetMs)),
        limits: windows.map(({ limit }) => limit),
        blockedUntilMs: Number.NEGATIVE_INFINITY,
        foreignAtMs: nowMs,
      };
      const oldest = this.#meters.keys().next();
      if (this.#meters.size >= MAX_METERS && !oldest.done) this.#meters.delete(oldest.value);
      this.#meters.set(scope, meter);
    }
    return meter;
  }

  /** The other integration asks at even distances; its requests since the last time are charged now, at their times. */
  #drawForeign(meter: Meter, nowMs: number): void {
    const { foreignPerMinute, windows } = this.#rate;
    if (foreignPerMinute <= 0) {
      meter.foreignAtMs = nowMs;
      return;
    }
    const stepMs = 60_000 / foreignPerMinute;
    // What left every window long ago changes nothing, and this bounds the loop.
    const longestMs = Math.max(0, ...windows.map(({ perMs }) => 2 * perMs));
    meter.foreignAtMs = Math.max(meter.foreignAtMs, nowMs - longestMs);
    for (; meter.foreignAtMs + stepMs <= nowMs; meter.foreignAtMs += stepMs) {
      const atMs = meter.foreignAtMs + stepMs;
      if (waitOf(meter, atMs, 1) <= 0) charge(meter, atMs, 1);
    }
  }

  #refusal(meter: Meter, nowMs: number, waitMs: number, logref: string): Admission {
    const { body, disguisedShare, retryAfterS } = this.#rate;
    const seconds = retryAfterS ?? Math.max(1, Math.ceil(waitMs / 1_000));
    const saysSo = body === "customer" || this.#rate.headers === "full" || this.#rate.headers === "support";
    const hintMs = saysSo ? seconds * 1_000 : null;
    if (disguisedShare > 0 && this.#deps.random() < disguisedShare) {
      const disguise = { code: "incorrect_path", details: "The path /429.json does not exist" };
      return { granted: false, hintMs: null, reply: errorReply(404, [disguise], logref) };
    }
    const headers: Record<string, string> = { ...this.#headers(meter, nowMs) };
    if (this.#rate.headers === "full" || this.#rate.headers === "support") headers["Retry-After"] = String(seconds);
    switch (body) {
      case "customer": {
        const text = { error: "rate_limit_exceeded", retry_after: seconds, message: "API rate limit reached" };
        return { granted: false, hintMs, reply: { status: 429, headers, body: text } };
      }
      case "sell": {
        const details = "The request rate is above the limit; wait until the request reset time has been reached";
        const reply = errorReply(429, [{ code: "rate_limit_exceeded", details }], logref);
        return { granted: false, hintMs, reply: { ...reply, headers } };
      }
      case "empty":
        return { granted: false, hintMs, reply: { status: 429, headers } };
      case "text":
        headers["Content-Type"] = "text/plain; charset=utf-8";
        return {
          granted: false,
          hintMs,
          reply: { status: 429, headers, body: "Number of allowed API requests exceeded" },
        };
    }
  }

  #headers(meter: Meter, nowMs: number): Headers {
    const { headers, headersMissingShare, resetSkewMs } = this.#rate;
    const [first] = meter.limiters;
    if (headers === "none" || first === undefined) return NO_HEADERS;
    if (headersMissingShare > 0 && this.#deps.random() < headersMissingShare) return NO_HEADERS;
    const blocked = meter.blockedUntilMs > nowMs;
    const limit = String(meter.limits[0]);
    const remaining = String(blocked ? 0 : first.remaining(nowMs));
    const resetMs = (blocked ? meter.blockedUntilMs - nowMs : first.resetMs(nowMs)) + resetSkewMs;
    switch (headers) {
      case "remaining":
        return { "X-RateLimit-Remaining": remaining };
      case "full":
        return {
          "X-RateLimit-Limit": limit,
          "X-RateLimit-Remaining": remaining,
          "X-RateLimit-Reset": String(Math.ceil((this.#deps.wallMs() + resetMs) / 1_000)),
        };
      case "support":
        return {
          "X-Rate-Limit": limit,
          "X-Rate-Limit-Remaining": remaining,
          "ratelimit-limit": limit,
          "ratelimit-remaining": remaining,
          "ratelimit-reset": String(Math.max(0, Math.ceil(resetMs / 1_000))),
        };
    }
  }
}

const NO_HEADERS: Headers = {};

const clamp = (meter: Meter, i: number, cost: number): number => Math.min(cost, meter.limits[i] ?? cost);

const waitOf = (meter: Meter, nowMs: number, cost: number): number => {
  let waitMs = 0;
  for (const [i, limiter] of meter.limiters.entries()) {
    waitMs = Math.max(waitMs, limiter.waitMs(nowMs, clamp(meter, i, cost)));
  }
  return waitMs;
};

const charge = (meter: Meter, nowMs: number, cost: number): void => {
  for (const [i, limiter] of meter.limiters.entries()) limiter.take(nowMs, clamp(meter, i, cost));
};
