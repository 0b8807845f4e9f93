/**
 * The quota of a single process, for an installation without Redis: the same even pace, windows, lanes and cool-down as the
 * scripts in Redis have, kept in memory on the monotonic clock, which no one can set.
 */
import type { Lane } from "../domain/mutation.ts";
import type { Clock } from "../lib/clock.ts";
import {
  type Ask,
  granted,
  type HeldBy,
  type KnownCooldown,
  LOCAL,
  type News,
  QuotaLimiter,
  QuotaReply,
  QuotaState,
} from "./limiter.ts";
import type { Quota } from "./quota.ts";
import { ServerWord } from "./server-word.ts";

type Answer = Pick<QuotaReply, "granted" | "heldBy">;

const NO_COOLDOWN: KnownCooldown = { endsAt: "0", leftMs: 0 };
const NEVER = Number.NEGATIVE_INFINITY;

export class LocalLimiter extends QuotaLimiter {
  readonly #clock: Clock;
  readonly #server = new ServerWord();
  readonly #startedMs: number;
  #quota: Quota;
  /** When the next call of an even pace is due. */
  #slotMs: number;
  #lastMs = NEVER;
  #coolMs = NEVER;
  #cooledMs = 0;
  /** Live permits in a row while backfill waited. */
  #liveRun = 0;
  /** Until when a waiting lane's turn is kept for it. */
  readonly #turnKeptUntilMs: Record<Lane, number> = { live: NEVER, backfill: NEVER };
  /** Times of the newest grants, oldest first; at most twice the largest limit. */
  #grantsMs: number[] = [];

  constructor(quota: Quota, clock: Clock) {
    super();
    this.#quota = quota;
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
    // A process before this one may have used the quota up to a moment ago.
    this.#slotMs = this.#startedMs + quota.coldMs;
  }

  override async consume(lane: Lane, _points: 1, { more, news }: Ask): Promise<QuotaReply> {
    const nowMs = this.#clock.monotonicMs();
    const tell = this.#hear(news, nowMs);
    const { graceMs } = this.#quota;
    const opens = this.#opens(nowMs);
    const behindMs = this.#yields(lane, nowMs) ? Math.max(1, this.#paceMs(nowMs)) : 0;
    const turnMs = Math.max(opens.atMs, nowMs) + behindMs;
    if (turnMs > nowMs) {
      this.#turnKeptUntilMs[lane] = turnMs + graceMs;
      const heldBy = behindMs > 0 && behindMs >= opens.atMs - nowMs ? "queue" : opens.heldBy;
      return granted(tell({ granted: false, heldBy }, turnMs - nowMs));
    }
    this.#grant(lane, nowMs);
    const next = this.#opens(nowMs);
    this.#turnKeptUntilMs[lane] = more ? next.atMs + graceMs : NEVER;
    return granted(tell({ granted: true, heldBy: more ? next.heldBy : null }, more ? next.atMs - nowMs : 0));
  }

  override async block(_key: "all", seconds: number, news: News): Promise<QuotaReply> {
    const cooldown = { ...news.cooldown, leftMs: seconds * 1_000 };
    return this.#hear({ ...news, cooldown }, this.#clock.monotonicMs())({ granted: false, heldBy: null }, 0);
  }

  override async get(_key: "all"): Promise<QuotaState> {
    const nowMs = this.#clock.monotonicMs();
    const leftMs = Math.max(0, this.#coolMs - nowMs);
    return new QuotaState({
      cooldownLeftMs: leftMs,
      cooldownTotalMs: this.#cooledMs - leftMs,
      slotMs: this.#paceMs(nowMs),
      share: this.#quota.slotMs > 0 ? Math.min(1, this.#quota.slotMs / this.#paceMs(nowMs)) : 1,
      announced: this.#server.announced(nowMs),
      incidents: this.#server.incidents,
      replicas: 1,
      lostTurns: 0,
      used: this.#quota.windows.map(({ perMs }) => this.#grantedSince(nowMs - perMs)),
    });
  }

  override adjust(quota: Quota): void {
    this.#quota = quota;
  }

  /** Takes in the news; the result makes the reply. */
  #hear({ cooldown, refused, seen }: News, nowMs: number): (answer: Answer, waitMs: number) => QuotaReply {
    const grantedSince = (ms: number): number => this.#grantedSince(ms);
    const share = this.#server.share(this.#quota, nowMs, this.#coolMs);
    const at = { nowMs, wallMs: this.#clock.now(), share };
    const incident = refused && this.#server.learn(refused, this.#quota, grantedSince, at);
    if (seen) this.#server.see(seen, this.#quota, grantedSince, nowMs);
    this.#holdBack(cooldown.leftMs, nowMs);
    return (answer, waitMs) => {
      const known = { cooldown: NO_COOLDOWN, replicas: 1, incarnation: LOCAL, cold: false };
      return new QuotaReply({ ...known, ...answer, slotMs: this.#paceMs(nowMs), incident }, waitMs);
    };
  }

  /** The gate above keeps the cool-down; here it only moves the pace, so that calls resume evenly and without credit. */
  #holdBack(leftMs: number, nowMs: number): void {
    const endsMs = nowMs + leftMs;
    if (leftMs <= 0 || endsMs <= this.#coolMs) return;
    this.#cooledMs += endsMs - Math.max(this.#coolMs, nowMs);
    this.#coolMs = endsMs;
    this.#slotMs = Math.max(this.#slotMs, endsMs);
  }

  /** When the next call may start, and what holds it until then. */
  #opens(nowMs: number): { readonly atMs: number; readonly heldBy: HeldBy } {
    const { windows, spacingMs } = this.#quota;
    const share = this.#server.share(this.#quota, nowMs, this.#coolMs);
    const full = windows.map(
      ({ limit, spanMs }) => (this.#grantsMs.at(-Math.max(1, Math.floor(limit * share))) ?? NEVER) + spanMs,
    );
    const pacedMs = this.#mayBurst(share, nowMs) ? NEVER : this.#slotMs;
    const holds: readonly { readonly atMs: number; readonly heldBy: HeldBy }[] = [
      { atMs: this.#coolMs, heldBy: "cool-down" },
      { atMs: Math.max(pacedMs, this.#lastMs + spacingMs), heldBy: "pace" },
      { atMs: Math.max(NEVER, ...full), heldBy: "window" },
      { atMs: this.#server.opensMs(nowMs), heldBy: "announced" },
    ];
    return holds.reduce((longest, { atMs, heldBy }) => ({
      atMs: Math.max(longest.atMs, atMs),
      // At an even pace a full window opens with the slot.
      heldBy: atMs > longest.atMs + 1 ? heldBy : longest.heldBy,
    }));
  }

  /** After a quiet time a few calls may leave together; the slots they did not wait for pass after them. */
  #mayBurst(share: number, nowMs: number): boolean {
    const { burst, windows, coldMs } = this.#quota;
    const quietMs = Math.max(1_000, coldMs, ...windows.map(({ spanMs }) => spanMs));
    if (burst === 1 || share < 1 || nowMs < Math.max(this.#startedMs, this.#coolMs) + quietMs) return false;
    return (this.#grantsMs.at(-burst) ?? NEVER) + quietMs <= nowMs;
  }

  /** Live goes first, unless a waiting backfill has earned a turn. */
  #yields(lane: Lane, nowMs: number): boolean {
    const other = lane === "live" ? "backfill" : "live";
    const otherWaits = nowMs <= this.#turnKeptUntilMs[other];
    const backfillsTurn = this.#liveRun >= this.#quota.liveRun;
    return otherWaits && (lane === "live" ? backfillsTurn : !backfillsTurn);
  }

  #grant(lane: Lane, nowMs: number): void {
    const { catchUp, windows } = this.#quota;
    const paceMs = this.#paceMs(nowMs);
    if (lane === "backfill") this.#liveRun = 0;
    else if (nowMs <= this.#turnKeptUntilMs.backfill) this.#liveRun++;
    this.#slotMs = Math.max(this.#slotMs, nowMs - catchUp * paceMs) + paceMs;
    this.#lastMs = nowMs;
    this.#server.granted();
    this.#grantsMs.push(nowMs);
    const kept = Math.max(0, ...windows.map(({ limit }) => limit));
    if (this.#grantsMs.length > 2 * kept) this.#grantsMs = kept === 0 ? [] : this.#grantsMs.slice(-kept);
  }

  #paceMs(nowMs: number): number {
    return this.#server.paceMs(this.#quota, nowMs, this.#coolMs);
  }

  #grantedSince(ms: number): number {
    return this.#grantsMs.length - 1 - this.#grantsMs.findLastIndex((atMs) => atMs <= ms);
  }
}
