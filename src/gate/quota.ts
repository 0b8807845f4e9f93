/**
 * The arithmetic of the quota. A limiter that starts at most `limit` calls in any `spanMs` (the window plus its guard), one
 * each `slotMs`, also satisfies servers that count by clock minute, sliding log, sliding counter, token bucket or GCRA.
 */
import { type QuotaConfig, quotaGuardMs, quotaWindows } from "./config.ts";

export interface Quota {
  /** All kept at once; empty: only cool-downs and `spacingMs` hold. */
  readonly windows: readonly { readonly limit: number; readonly perMs: number; readonly spanMs: number }[];
  /** Even pace: the time between two calls under load. */
  readonly slotMs: number;
  /** Slots that may be made up at once after they went by unused. */
  readonly catchUp: number;
  readonly spacingMs: number;
  /** Live permits in a row before a waiting backfill gets one. */
  readonly liveRun: number;
  /** Nothing is granted for this long by a limiter that knows nothing of the past. */
  readonly coldMs: number;
}

export const quotaOf = (config: QuotaConfig): Quota => {
  const windows = quotaWindows(config).map((window) => ({
    limit: window.limit - config.reserve,
    perMs: window.perMs,
    spanMs: window.perMs + quotaGuardMs(config, window),
  }));
  const slotMs = Math.max(0, ...windows.map(({ limit, spanMs }) => spanMs / limit));
  const { backfillFloor } = config.lanes;
  return {
    windows,
    slotMs,
    catchUp: config.catchUp,
    spacingMs: config.spacingMs,
    liveRun: backfillFloor === 0 ? Number.MAX_SAFE_INTEGER : Math.ceil(1 / backfillFloor) - 1,
    // Before the loss a window held at most 1 + catchUp calls more than its even pace, after it at most one more: a pause
    // of two slots beyond the catch-up keeps the sum across the loss within the limit.
    coldMs: Math.max((config.catchUp + 2) * slotMs, config.spacingMs),
  };
};

/** Calls a second under a long backlog; 0 when nothing limits them. */
export const permitsPerSecond = ({ slotMs, spacingMs }: Quota): number => {
  const paceMs = Math.max(slotMs, spacingMs);
  return paceMs === 0 ? 0 : 1_000 / paceMs;
};
