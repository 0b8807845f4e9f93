/**
 * The quota of a single process, for an installation without Redis: the same even pace, windows, lanes and cool-down as the
 * scripts in Redis have, kept in memory on the monotonic clock, which no one can set.
 */
import type { Lane } from "../domain/mutation.ts";
import type { Clock } from "../lib/clock.ts";
import { type Ask, granted, type KnownCooldown, QuotaLimiter, QuotaReply, QuotaState } from "./limiter.ts";
import type { Quota } from "./quota.ts";

/** A promised turn is kept this long for a lane that does not come. */
const GRACE_MS = 250;
const NO_COOLDOWN: KnownCooldown = { endsAt: "0", leftMs: 0 };

export class LocalLimiter extends QuotaLimiter {
  readonly #quota: Quota;
  readonly #clock: Clock;
  /** When the next call of an even pace is due. */
  #slotMs: number;
  #lastMs = Number.NEGATIVE_INFINITY;
  /** Live permits in a row while backfill waited. */
  #liveRun = 0;
  /** Until when a waiting lane's turn is kept for it. */
  readonly #turnKeptUntilMs: Record<Lane, number> = { live: -1, backfill: -1 };
  /** Times of the newest grants, oldest first; at most twice the largest limit. */
  #grantsMs: number[] = [];

  constructor(quota: Quota, clock: Clock) {
    super();
    this.#quota = quota;
    this.#clock = clock;
    // A process before this one may have used the quota up to a moment ago.
    this.#slotMs = clock.monotonicMs() + quota.coldMs;
  }

  override async consume(lane: Lane, _points: 1, { more, cooldown }: Ask): Promise<QuotaReply> {
    const nowMs = this.#clock.monotonicMs();
    this.#holdBack(cooldown.leftMs);
    const opensMs = this.#opensMs();
    const turnMs = Math.max(opensMs, nowMs) + (this.#yields(lane, nowMs) ? Math.max(1, this.#quota.slotMs) : 0);
    if (turnMs > nowMs) {
      this.#turnKeptUntilMs[lane] = turnMs + GRACE_MS;
      return granted(this.#reply(false, turnMs - nowMs));
    }
    this.#grant(lane, nowMs);
    const nextMs = this.#opensMs();
    this.#turnKeptUntilMs[lane] = more ? nextMs + GRACE_MS : -1;
    return granted(this.#reply(true, more ? nextMs - nowMs : 0));
  }

  override async block(_key: "all", seconds: number): Promise<QuotaReply> {
    this.#holdBack(seconds * 1_000);
    return this.#reply(false, 0);
  }

  override async get(_key: "all"): Promise<QuotaState> {
    const nowMs = this.#clock.monotonicMs();
    const used = this.#quota.windows.map(({ perMs }) => this.#grantsMs.filter((atMs) => atMs > nowMs - perMs).length);
    return new QuotaState(0, 1, used);
  }

  /** The gate above remembers the cool-down; here it only moves the pace, so that calls resume evenly and without credit. */
  #holdBack(cooldownMs: number): void {
    if (cooldownMs > 0) this.#slotMs = Math.max(this.#slotMs, this.#clock.monotonicMs() + cooldownMs);
  }

  #opensMs(): number {
    const { windows, spacingMs } = this.#quota;
    const full = windows.map(({ limit, spanMs }) => (this.#grantsMs.at(-limit) ?? Number.NEGATIVE_INFINITY) + spanMs);
    return Math.max(this.#slotMs, this.#lastMs + spacingMs, ...full);
  }

  /** Live goes first, unless a waiting backfill has earned a turn. */
  #yields(lane: Lane, nowMs: number): boolean {
    const other = lane === "live" ? "backfill" : "live";
    const otherWaits = nowMs <= this.#turnKeptUntilMs[other];
    const backfillsTurn = this.#liveRun >= this.#quota.liveRun;
    return otherWaits && (lane === "live" ? backfillsTurn : !backfillsTurn);
  }

  #grant(lane: Lane, nowMs: number): void {
    const { catchUp, slotMs, windows } = this.#quota;
    if (lane === "backfill") this.#liveRun = 0;
    else if (nowMs <= this.#turnKeptUntilMs.backfill) this.#liveRun++;
    this.#slotMs = Math.max(this.#slotMs, nowMs - catchUp * slotMs) + slotMs;
    this.#lastMs = nowMs;
    this.#grantsMs.push(nowMs);
    const kept = Math.max(0, ...windows.map(({ limit }) => limit));
    if (this.#grantsMs.length > 2 * kept) this.#grantsMs = kept === 0 ? [] : this.#grantsMs.slice(-kept);
  }

  #reply(isGranted: boolean, waitMs: number): QuotaReply {
    const reply = { granted: isGranted, cooldown: NO_COOLDOWN, replicas: 1, incarnation: "local", cold: false };
    return new QuotaReply(reply, waitMs);
  }
}
