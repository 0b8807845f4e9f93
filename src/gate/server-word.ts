/**
 * What the server's answers taught a limiter in memory: the part of the limits that went well before the last 429, and what
 * headers announced. The same rules as state.lua and news.lua have for all replicas; they may only lower the pace.
 */
import type { GateState, Incident } from "../domain/stages.ts";
import type { Refused, Seen } from "./limiter.ts";
import type { Quota } from "./quota.ts";

/** Calls granted after that time. */
export type GrantedSince = (ms: number) => number;

const INCIDENTS_MAX = 20;
const NEVER = Number.NEGATIVE_INFINITY;

export class ServerWord {
  /** Newest first. */
  incidents: readonly Incident[] = [];
  /** Null: all of them went well. */
  #learned: number | null = null;
  #refusedMs = NEVER;
  /** Of the last answer: when its call was granted, until when it counts, and what it said. */
  #seenMs = NEVER;
  #saidUntilMs = NEVER;
  #cap = 1;
  #left = 0;
  #foreign = 0;
  /** Calls of others per millisecond. */
  #foreignRate = 0;
  #credit = 0;
  #stretch = 1;
  #reset = { atMs: NEVER, sinceMs: 0, untilMs: 0, isFixed: false };

  /** The part of the limits in force; after a 429 it comes back along a cubic curve. */
  share({ floor, plateauMs }: Quota, nowMs: number, coolMs: number): number {
    const passed = Math.max(0, nowMs - Math.max(this.#refusedMs, coolMs)) / plateauMs;
    const learned = this.#learned === null ? 1 : this.#learned * (1 + 0.03 * (passed - 1) ** 3);
    return Math.max(floor, Math.min(1, learned, nowMs < this.#saidUntilMs ? this.#cap : 1));
  }

  /** The time between two calls. In a fixed window that others use too, what they will leave us is spread over its rest. */
  paceMs(quota: Quota, nowMs: number, coolMs: number): number {
    const { slotMs } = quota;
    const stretch = nowMs < this.#saidUntilMs ? this.#stretch : 1;
    const paceMs = Math.max(slotMs / this.share(quota, nowMs, coolMs), slotMs * stretch);
    if (!this.#isInFixedWindow(nowMs) || this.#foreign <= 3) return paceMs;
    const leftMs = this.#reset.atMs - nowMs;
    const spreadMs = leftMs / Math.max(1, this.#credit - this.#foreignRate * leftMs);
    return Math.max(paceMs, Math.min(slotMs / quota.floor, spreadMs));
  }

  /** No call before; in the past when headers allow calls. Another answer may tell of some before the reset comes. */
  opensMs(nowMs: number): number {
    return this.#isInFixedWindow(nowMs) && this.#credit < 1 ? Math.min(this.#reset.atMs, nowMs + 5_000) : NEVER;
  }

  announced(nowMs: number): GateState["announced"] {
    if (nowMs >= this.#saidUntilMs) return null;
    const resetsInMs = this.#isInFixedWindow(nowMs) ? this.#reset.atMs - nowMs : null;
    return { remaining: this.#left, foreign: this.#foreign, resetsInMs };
  }

  granted(): void {
    this.#credit -= 1;
  }

  /** The incident, unless the call was granted before the last one was known: then it belongs to that. */
  learn(
    { grantedAgoMs, hintMs, source }: Refused,
    quota: Quota,
    grantedSince: GrantedSince,
    at: { readonly nowMs: number; readonly wallMs: number; readonly share: number },
  ): Incident | null {
    const { nowMs } = at;
    if (nowMs - grantedAgoMs <= this.#refusedMs) return null;
    const windows = quota.windows.map(({ limit, perMs, spanMs }) => ({
      ...{ perMs, limit: Math.floor(limit * at.share), used: grantedSince(nowMs - perMs) },
      accepted: (grantedSince(nowMs - perMs) - 1) / limit,
      slotMs: spanMs / limit,
    }));
    const paced = windows.find(({ slotMs }) => slotMs === quota.slotMs);
    if (quota.learns && paced) this.#learned = Math.max(quota.floor, Math.min(1, paced.accepted));
    this.#refusedMs = nowMs;
    const incident: Incident = {
      ...{ atMs: at.wallMs, hintMs, source, foreign: this.announced(nowMs)?.foreign ?? null },
      windows: windows.map(({ limit, perMs, used }) => ({ limit, perMs, used })),
    };
    this.incidents = [incident, ...this.incidents].slice(0, INCIDENTS_MAX);
    return incident;
  }

  see(
    { grantedAgoMs, limit, remaining, resetMs }: Seen,
    quota: Quota,
    grantedSince: GrantedSince,
    nowMs: number,
  ): void {
    const window = announcedWindow(limit, quota);
    const seenMs = nowMs - grantedAgoMs;
    if (window === undefined || remaining === null || seenMs < this.#seenMs) return;
    if (nowMs >= this.#saidUntilMs) this.#stretch = 1;
    if (resetMs !== null && resetMs <= window.perMs + 2_000)
      this.#seeReset(nowMs + resetMs, { remaining, limit: limit ?? window.full }, nowMs);
    else this.#reset = { atMs: NEVER, sinceMs: 0, untilMs: 0, isFixed: false };
    const { isFixed, atMs } = this.#reset;
    const all = limit ?? window.full;
    const later = grantedSince(seenMs);
    const sinceMs = (isFixed ? atMs : seenMs) - window.perMs;
    this.#foreign = Math.max(0, all - remaining - (grantedSince(sinceMs) - later));
    this.#foreignRate = this.#foreign / Math.max(window.perMs / 10, seenMs - sinceMs);
    this.#cap = Math.min(1, all / window.full);
    this.#credit = remaining - later;
    // Where no fixed window was seen, the calls left are a level: at its bottom a stop would cost more than a slower pace.
    if (isFixed) this.#stretch = 1;
    else if (remaining === 0) this.#stretch = Math.min(1 / quota.floor, this.#stretch * 1.03);
    else if (remaining >= 2) this.#stretch = Math.max(1, this.#stretch / 1.03);
    this.#seenMs = seenMs;
    this.#left = remaining;
    this.#saidUntilMs = nowMs + window.perMs;
  }

  /** Resets are those of a fixed window once one stood still for a while, came, and gave calls back. */
  #seeReset(
    resetMs: number,
    { remaining, limit }: { readonly remaining: number; readonly limit: number },
    nowMs: number,
  ): void {
    const { atMs, sinceMs, untilMs, isFixed } = this.#reset;
    if (Math.abs(resetMs - atMs) <= 2_000) {
      this.#reset = { atMs, sinceMs, untilMs: nowMs, isFixed };
      return;
    }
    const hasCome = nowMs >= atMs - 2_000;
    const hasStood = untilMs - sinceMs >= 5_000;
    // Half of what was used came back at once: a counter that slides gives back a few at a time.
    const proof = hasStood ? remaining - this.#left > (limit - this.#left) / 2 : isFixed;
    this.#reset = { atMs: resetMs, sinceMs: nowMs, untilMs: nowMs, isFixed: hasCome && proof };
  }

  #isInFixedWindow(nowMs: number): boolean {
    return this.#reset.isFixed && nowMs < this.#saidUntilMs && nowMs < this.#reset.atMs;
  }
}

/** The window that is announced: with a limit near ours, else the only one. Anything else may be about another quota. */
const announcedWindow = (limit: number | null, { windows }: Quota): Quota["windows"][number] | undefined =>
  limit === null
    ? windows.find(() => windows.length === 1)
    : windows.find(({ full }) => Math.abs(limit - full) <= full / 4);
