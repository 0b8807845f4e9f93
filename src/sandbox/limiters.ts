/**
 * The ways real servers count requests. Every limiter answers "how long until this would be granted" without changing
 * anything, so that several can be asked before any of them is charged. Times are monotonic milliseconds that never fall.
 */
import type { WindowOptions } from "./config.ts";

export interface Limiter {
  /** Milliseconds until `cost` requests would be granted if nobody else came; 0: now. `cost` is at most the limit. */
  waitMs(nowMs: number, cost: number): number;
  /** Charges a granted request: only after `waitMs` gave 0. */
  take(nowMs: number, cost: number): void;
  /** Only the type that counts refused requests too does anything here. */
  refuse(nowMs: number, cost: number): void;
  remaining(nowMs: number): number;
  /** What a reset header tells: milliseconds to the end of the window, or until the log forgets, or until the bucket is full. */
  resetMs(nowMs: number): number;
  setLimit(limit: number): void;
}

/** `epochOffsetMs`: wall clock minus monotonic clock, for the types whose windows start at full minutes of the clock. */
export const createLimiter = (options: WindowOptions, epochOffsetMs: number): Limiter => {
  const { type, limit, perMs } = options;
  switch (type) {
    case "clock-window":
      return fixedWindow(limit, perMs, (nowMs) => clockStart(nowMs, perMs, epochOffsetMs));
    case "window-from-first":
      return fixedWindow(limit, perMs, (nowMs) => nowMs);
    case "sliding-log":
      return slidingLog(limit, perMs, false);
    case "sliding-log-counting-refused":
      return slidingLog(limit, perMs, true);
    case "sliding-counter":
      return slidingCounter(limit, perMs, epochOffsetMs);
    case "token-bucket":
      return bucket(limit, perMs, options.burst ?? null);
    case "gcra":
      return bucket(limit, perMs, options.burst ?? 3);
  }
};

const clockStart = (nowMs: number, perMs: number, epochOffsetMs: number): number =>
  Math.floor((nowMs + epochOffsetMs) / perMs) * perMs - epochOffsetMs;

/** At most `limit` in each window; up to twice that around a boundary. `startOf` tells when the window of a request began. */
const fixedWindow = (initial: number, perMs: number, startOf: (nowMs: number) => number): Limiter => {
  let limit = initial;
  let start = Number.NEGATIVE_INFINITY;
  let used = 0;
  const usedAt = (nowMs: number): number => (nowMs - start >= perMs ? 0 : used);
  return {
    waitMs: (nowMs, cost) => (usedAt(nowMs) + cost <= limit ? 0 : start + perMs - nowMs),
    take(nowMs, cost) {
      if (nowMs - start >= perMs) {
        start = startOf(nowMs);
        used = 0;
      }
      used += cost;
    },
    refuse: () => {},
    remaining: (nowMs) => Math.max(0, limit - usedAt(nowMs)),
    resetMs: (nowMs) => (nowMs - start >= perMs ? startOf(nowMs) + perMs - nowMs : start + perMs - nowMs),
    setLimit(next) {
      limit = next;
    },
  };
};

/** At most `limit` in any window of `perMs`, wherever it starts. */
const slidingLog = (initial: number, perMs: number, countsRefused: boolean): Limiter => {
  let limit = initial;
  // Bound: the newest `limit` times decide, so a flood of refused requests is no leak.
  let times: number[] = [];
  let head = 0;
  const expire = (nowMs: number): number => {
    while (head < times.length && nowMs - (times[head] ?? 0) >= perMs) head += 1;
    if (head > 1_024 && head * 2 > times.length) {
      times = times.slice(head);
      head = 0;
    }
    return times.length - head;
  };
  const add = (nowMs: number, cost: number): void => {
    for (let i = 0; i < cost; i += 1) times.push(nowMs);
    head = Math.max(head, times.length - limit);
  };
  return {
    waitMs(nowMs, cost) {
      const excess = expire(nowMs) + cost - limit;
      return excess <= 0 ? 0 : (times[head + excess - 1] ?? nowMs) + perMs - nowMs;
    },
    take: add,
    refuse(nowMs, cost) {
      if (countsRefused) add(nowMs, cost);
    },
    remaining: (nowMs) => Math.max(0, limit - expire(nowMs)),
    resetMs: (nowMs) => (expire(nowMs) === 0 ? 0 : (times[head] ?? nowMs) + perMs - nowMs),
    setLimit(next) {
      limit = next;
    },
  };
};

/** This clock window's count plus what of the last one still overlaps: the estimate of proxies that keep two numbers. */
const slidingCounter = (initial: number, perMs: number, epochOffsetMs: number): Limiter => {
  let limit = initial;
  let start = Number.NEGATIVE_INFINITY;
  let previous = 0;
  let current = 0;
  const roll = (nowMs: number): number => {
    const begin = clockStart(nowMs, perMs, epochOffsetMs);
    if (begin !== start) {
      previous = begin - start === perMs ? current : 0;
      current = 0;
      start = begin;
    }
    return nowMs - start;
  };
  /** Milliseconds into a window at which `room` is left of a `before` that fades to nothing. */
  const fadedAt = (before: number, room: number): number => (before <= room ? 0 : perMs * (1 - room / before));
  return {
    waitMs(nowMs, cost) {
      const elapsed = roll(nowMs);
      const room = limit - cost - current;
      if (room < 0) return perMs - elapsed + fadedAt(current, limit - cost);
      return previous * (1 - elapsed / perMs) <= room + EPSILON ? 0 : fadedAt(previous, room) - elapsed;
    },
    take(nowMs, cost) {
      roll(nowMs);
      current += cost;
    },
    refuse: () => {},
    remaining(nowMs) {
      const elapsed = roll(nowMs);
      return Math.max(0, Math.floor(limit - current - previous * (1 - elapsed / perMs) + EPSILON));
    },
    resetMs: (nowMs) => perMs - roll(nowMs),
    setLimit(next) {
      limit = next;
    },
  };
};

/** Refills evenly up to `burst` (null: the limit). GCRA is the same arithmetic, usually with a small burst. */
const bucket = (initial: number, perMs: number, burst: number | null): Limiter => {
  let limit = initial;
  let tokens = burst ?? limit;
  let filledAt = Number.NEGATIVE_INFINITY;
  const capacity = (): number => burst ?? limit;
  const refill = (nowMs: number): number => {
    tokens = Math.min(
      capacity(),
      filledAt === Number.NEGATIVE_INFINITY ? capacity() : tokens + ((nowMs - filledAt) * limit) / perMs,
    );
    filledAt = nowMs;
    return tokens;
  };
  return {
    waitMs(nowMs, cost) {
      const lacking = Math.min(cost, capacity()) - refill(nowMs);
      return lacking <= EPSILON ? 0 : (lacking * perMs) / limit;
    },
    take(nowMs, cost) {
      tokens = refill(nowMs) - cost;
    },
    refuse: () => {},
    remaining: (nowMs) => Math.max(0, Math.floor(refill(nowMs) + EPSILON)),
    resetMs(nowMs) {
      const full = capacity() - refill(nowMs);
      return (full * perMs) / limit;
    },
    setLimit(next) {
      limit = next;
    },
  };
};

/** Floating-point dust that must not refuse a request that came exactly in time. */
const EPSILON = 1e-6;
