/**
 * The arithmetic of the quota. A limiter that starts at most `limit` calls in any `spanMs` (the window plus its guard), one
 * each `slotMs`, also satisfies servers that count by clock minute, sliding log, sliding counter, token bucket or GCRA.
 */
import { type QuotaConfig, quotaGuardMs, quotaWindows } from "./config.ts";

/** Also what the scripts in Redis get to read, as JSON. */
export interface Quota {
  /** All kept at once, in every sliding span; empty: only cool-downs and `spacingMs` hold. `full` is the limit with the reserve. */
  readonly windows: readonly {
    readonly limit: number;
    readonly full: number;
    readonly perMs: number;
    readonly spanMs: number;
  }[];
  /** Too long to keep every call's time: counted, see long-windows.ts. Only those that the pace could exceed. */
  readonly counted: readonly { readonly limit: number; readonly perMs: number }[];
  /** Even pace: the time between two calls under load. */
  readonly slotMs: number;
  /** Slots that may be made up at once after they went by unused. */
  readonly catchUp: number;
  /** Calls that may leave together after a quiet time. */
  readonly burst: number;
  readonly spacingMs: number;
  /** Live permits in a row before a waiting backfill gets one. */
  readonly liveRun: number;
  /** Nothing is granted for this long by a limiter that knows nothing of the past. */
  readonly coldMs: number;
  /** A promised turn is kept this long for its owner. */
  readonly graceMs: number;
  readonly learns: boolean;
  /** Neither 429s nor headers lower the limits below this part of them. */
  readonly floor: number;
  readonly plateauMs: number;
}

const LONG_MS = 600_000;
/** Of a counted window: calls on their way are not counted yet. */
const COUNTED_PART = 0.99;

export const quotaOf = (config: QuotaConfig): Quota => {
  const all = quotaWindows(config).map((window) => ({
    limit: window.limit - config.reserve,
    full: window.limit,
    perMs: window.perMs,
    spanMs: window.perMs + quotaGuardMs(config, window),
  }));
  // The shortest one always sets a pace, so that a day's calls never leave at once.
  const shortestMs = Math.min(...all.map(({ perMs }) => perMs));
  const windows = all.filter(({ perMs }) => perMs === shortestMs || perMs <= LONG_MS);
  const slotMs = Math.max(0, ...windows.map(({ limit, spanMs }) => spanMs / limit));
  const counted = all
    .filter((window) => !windows.includes(window))
    .map(({ limit, perMs }) => ({ limit: Math.floor(COUNTED_PART * limit), perMs }))
    .filter(({ limit, perMs }) => perMs / slotMs > limit);
  const { lanes, learn, catchUp, spacingMs, graceMs } = config;
  const burst = Math.min(config.burst, ...windows.map(({ limit }) => limit));
  return {
    ...{ windows, counted, slotMs, catchUp, burst, spacingMs, graceMs },
    liveRun: lanes.backfillFloor === 0 ? Number.MAX_SAFE_INTEGER : Math.ceil(1 / lanes.backfillFloor) - 1,
    coldMs: Math.max(coldSlots(catchUp, burst) * slotMs, spacingMs),
    learns: learn.enabled,
    floor: learn.floor,
    plateauMs: learn.plateauMs,
  };
};

/**
 * Before a loss of memory a window held at most 1 + catchUp calls more than its even pace, or a whole burst, after it at most one
 * more: a pause of one slot beyond these keeps the sum across the loss within the limit.
 */
const coldSlots = (catchUp: number, burst: number): number => Math.max(catchUp + 1, burst) + 1;

/** Calls a second under a long backlog, one each `slotMs`; 0 when nothing limits them. */
export const permitsPerSecond = ({ spacingMs }: Quota, slotMs: number): number => {
  const paceMs = Math.max(slotMs, spacingMs);
  return paceMs === 0 ? 0 : 1_000 / paceMs;
};

/** How much of the quota `replicas` that cannot see each other may use, so that together they stay within it. */
export interface Outage {
  readonly share: number;
  readonly replicas: number;
}

/**
 * The part of one replica, at the pace that was in force. It begins one of its own slots later, without credit, and after the
 * calls that may just have left together would have been due.
 */
export const shareOf = (quota: Quota, { share, replicas }: Outage, slotMs: number): Quota => {
  const ownSlotMs = (Math.max(slotMs, quota.slotMs) * replicas) / share;
  return {
    ...quota,
    windows: quota.windows.map((window) => ({
      ...window,
      limit: Math.max(1, Math.floor((share * window.limit) / replicas)),
    })),
    slotMs: ownSlotMs,
    spacingMs: quota.spacingMs * replicas,
    coldMs: Math.max(ownSlotMs + Math.max(quota.catchUp, quota.burst - 1) * quota.slotMs, quota.spacingMs * replicas),
    catchUp: 0,
    burst: 1,
  };
};

/** Why that many replicas cannot have a share each, with the arithmetic; null: they can. */
export const shareProblem = (quota: Quota, { share, replicas }: Outage): string | null => {
  for (const { limit, perMs } of quota.windows) {
    const each = 1 + Math.floor((share * perMs) / (quota.slotMs * replicas));
    if (replicas * each <= limit) continue;
    return (
      `${replicas} replicas would start ${replicas} x (1 + floor(${share} x ${perMs} ms / (${round(quota.slotMs)} ms x ${replicas}))) = ` +
      `${replicas * each} calls in ${perMs} ms, the quota is ${limit}: run fewer replicas, lower quota.share, or set quota.outage: stop`
    );
  }
  return null;
};

/** The limits in words: `200 calls per 60 s, one each 303 ms`. */
export const quotaText = ({ windows, counted, slotMs }: Quota): string => {
  if (windows.length === 0) return "no limit";
  const limits = [...windows, ...counted].map(({ limit, perMs }) => `${limit} calls per ${perMs / 1_000} s`);
  return `${limits.join(", ")}, one each ${round(slotMs)} ms`;
};

const round = (ms: number): number => Math.round(10 * ms) / 10;
