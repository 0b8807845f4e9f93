import fc from "fast-check";
import { expect, test } from "vitest";
import type { WindowOptions } from "../../../src/sandbox/config.ts";
import { createLimiter, type Limiter } from "../../../src/sandbox/limiters.ts";

const TYPES = [
  "clock-window",
  "window-from-first",
  "sliding-log",
  "sliding-log-counting-refused",
  "sliding-counter",
  "token-bucket",
  "gcra",
] as const;

const PER_MS = 1_000;
const EPOCH_OFFSET_MS = 123_456_789;
const aLimiter = (type: WindowOptions["type"], limit: number): Limiter =>
  createLimiter({ type, limit, perMs: PER_MS }, EPOCH_OFFSET_MS);

/** Distances between requests: bursts, the edges of the window, anything. */
const gaps = fc.array(fc.oneof(fc.constantFrom(0, 1, 999, 1_000, 1_001), fc.integer({ min: 0, max: 1_500 })), {
  minLength: 1,
  maxLength: 120,
});

/** Fires at every instant; gives the instants that were granted. */
const grants = (limiter: Limiter, distances: readonly number[]): number[] => {
  const granted: number[] = [];
  let nowMs = 50_000;
  for (const distance of distances) {
    nowMs += distance;
    if (limiter.waitMs(nowMs, 1) > 0) limiter.refuse(nowMs, 1);
    else {
      limiter.take(nowMs, 1);
      granted.push(nowMs);
    }
  }
  return granted;
};

const countIn = (instants: readonly number[], fromMs: number, toMs: number): number =>
  instants.filter((ms) => ms >= fromMs && ms < toMs).length;

/** What each type promises at most, for any window [from, from + PER_MS) that starts with a granted request. */
const bound: { readonly [type in WindowOptions["type"]]: (limit: number) => number } = {
  "clock-window": (limit) => 2 * limit,
  "window-from-first": (limit) => 2 * limit,
  "sliding-log": (limit) => limit,
  "sliding-log-counting-refused": (limit) => limit,
  "sliding-counter": (limit) => 2 * limit,
  "token-bucket": (limit) => 2 * limit,
  gcra: (limit) => limit + 3,
};

test.each(TYPES)("%s never grants more in a sliding window than its kind allows", (type) => {
  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 8 }), (distances, limit) => {
      const granted = grants(aLimiter(type, limit), distances);
      for (const from of granted) expect(countIn(granted, from, from + PER_MS)).toBeLessThanOrEqual(bound[type](limit));
    }),
  );
});

test("a clock window grants the limit in each full window of the wall clock", () => {
  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 8 }), (distances, limit) => {
      const perWindow = new Map<number, number>();
      for (const ms of grants(aLimiter("clock-window", limit), distances)) {
        const window = Math.floor((ms + EPOCH_OFFSET_MS) / PER_MS);
        perWindow.set(window, (perWindow.get(window) ?? 0) + 1);
      }
      for (const count of perWindow.values()) expect(count).toBeLessThanOrEqual(limit);
    }),
  );
});

test.each(TYPES)("%s tells exactly how long to wait", (type) => {
  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 3 }), (distances, limit, wanted) => {
      const cost = Math.min(wanted, limit);
      const limiter = aLimiter(type, limit);
      grants(limiter, distances);
      const nowMs = 50_000 + distances.reduce((sum, distance) => sum + distance, 0);
      const waitMs = limiter.waitMs(nowMs, cost);
      expect(waitMs).toBeGreaterThanOrEqual(0);
      expect(waitMs).toBeLessThanOrEqual(2 * PER_MS);
      if (waitMs > 1) expect(limiter.waitMs(nowMs + waitMs - 1, cost)).toBeGreaterThan(0);
      expect(limiter.waitMs(nowMs + waitMs + 0.001, cost)).toBe(0);
    }),
  );
});

test.each(TYPES)("%s grants as many at once as it says remain", (type) => {
  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 8 }), (distances, limit) => {
      const limiter = aLimiter(type, limit);
      grants(limiter, distances);
      const nowMs = 50_000 + distances.reduce((sum, distance) => sum + distance, 0);
      const remaining = limiter.remaining(nowMs);
      expect(grants(limiter, [nowMs - 50_000, ...Array.from({ length: 20 }, () => 0)])).toHaveLength(remaining);
    }),
  );
});

test("who keeps asking too fast is never served where refused requests count", () => {
  const distances = Array.from({ length: 100 }, () => 50);
  expect(grants(aLimiter("sliding-log-counting-refused", 5), distances)).toHaveLength(5);
  expect(grants(aLimiter("sliding-log", 5), distances)).toHaveLength(25);
});

test.each(TYPES)("%s takes another limit at once", (type) => {
  const limiter = aLimiter(type, 4);
  expect(
    grants(
      limiter,
      Array.from({ length: 10 }, () => 0),
    ).length,
  ).toBe(type === "gcra" ? 3 : 4);
  limiter.setLimit(2);
  const later = grants(limiter, [10_000, ...Array.from({ length: 10 }, () => 0)]);
  expect(later).toHaveLength(type === "gcra" ? 3 : 2);
});
