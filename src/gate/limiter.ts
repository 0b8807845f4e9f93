/**
 * What the gate asks of a limiter. It is the contract of rate-limiter-flexible, so its words are used: `consume` takes one
 * permit (a refusal *rejects* with the reply, a failure with an Error), `block` imposes a cool-down, `get` looks.
 * None of its stock limiters is used as such: their windows are fixed or their durations whole seconds, a block can be
 * shortened by a later one, replicas race for each permit, and the one in memory runs on the wall clock.
 */
import { RateLimiterCompatibleAbstract, RateLimiterRes } from "rate-limiter-flexible";
import type { Lane } from "../domain/mutation.ts";
import type { Announced, Throttle } from "../domain/receipt.ts";
import type { GateState, Incident } from "../domain/stages.ts";
import type { Quota } from "./quota.ts";

/** While a cool-down runs, each replica that knows of it repeats it this often: a state that was lost learns it again. */
export const COOLDOWN_BEAT_MS = 500;

/** A cool-down as a replica remembers it; repeated with every question, so that no limiter can forget it for long. */
export type KnownCooldown = {
  /** Its end on the limiter's own clock, word for word as an earlier reply had it; "0" when no reply did yet. */
  readonly endsAt: string;
  readonly leftMs: number;
};

/** A refused call, or one whose answer announced something; its permit was granted so long ago. */
interface OfACall {
  readonly grantedAgoMs: number;
}
export type Refused = OfACall & Throttle;
export type Seen = OfACall & Announced;

/** What a replica tells with every question. Repeating it is harmless. */
export type News = {
  readonly cooldown: KnownCooldown;
  readonly refused: Refused | null;
  readonly seen: Seen | null;
  /** It made calls while it could not reach the limiter. */
  readonly returns?: true;
};

export type Ask = {
  /** More calls of this lane wait in this replica: keep a place for the next one. */
  readonly more: boolean;
  readonly news: News;
};

/**
 * What most of a wait for a permit is for: the even pace, a window that is full, calls of ours that come first, calls that
 * headers say are not left, a cool-down.
 */
export const HELD_BY = ["pace", "window", "queue", "announced", "cool-down"] as const;
export type HeldBy = (typeof HELD_BY)[number];

type Reply = Pick<
  QuotaReply,
  "granted" | "cooldown" | "replicas" | "incarnation" | "cold" | "slotMs" | "incident" | "heldBy"
>;

/** `msBeforeNext` is the time until this replica's own turn in that lane. */
export class QuotaReply extends RateLimiterRes {
  readonly granted: boolean;
  readonly cooldown: KnownCooldown;
  readonly replicas: number;
  /** Id of the limiter's memory. Another one than before: it forgot what was granted. */
  readonly incarnation: string;
  /** This very question found no memory. */
  readonly cold: boolean;
  /** Time between two calls of an even pace, now. */
  readonly slotMs: number;
  /** The refusal that was told was the first of this incident. */
  readonly incident: Incident | null;
  /** What `msBeforeNext` is for; null: there is nothing to wait for. */
  readonly heldBy: HeldBy | null;

  constructor(reply: Reply, waitMs: number) {
    super(0, waitMs, reply.granted ? 1 : 0, false);
    this.granted = reply.granted;
    this.cooldown = reply.cooldown;
    this.replicas = reply.replicas;
    this.incarnation = reply.incarnation;
    this.cold = reply.cold;
    this.slotMs = reply.slotMs;
    this.incident = reply.incident;
    this.heldBy = reply.heldBy;
  }
}

/** As GateState has it; `used` are the calls granted within each window of the quota, in its order. */
export type Look = Pick<
  GateState,
  "cooldownLeftMs" | "cooldownTotalMs" | "slotMs" | "share" | "announced" | "replicas" | "lostTurns" | "incidents"
> & { readonly used: readonly number[] };

export class QuotaState extends RateLimiterRes {
  readonly look: Look;

  constructor(look: Look) {
    super(0, look.cooldownLeftMs, look.used[0] ?? 0, false);
    this.look = look;
  }
}

export abstract class QuotaLimiter extends RateLimiterCompatibleAbstract {
  override readonly keyPrefix: string = "";
  override blockDuration = 0;
  override execEvenly = false;

  /** One permit for one call, now; the points are always one. Rejects with the QuotaReply when it is not yet time. */
  abstract override consume(lane: Lane, points: 1, ask: Ask): Promise<QuotaReply>;
  /** Tells the news, a cool-down of `seconds` among them (0: none), and that this replica lives. Never shortens one. */
  abstract override block(key: "all", seconds: number, news: News): Promise<QuotaReply>;
  /** No effect. */
  abstract override get(key: "all"): Promise<QuotaState>;
  /** Other limits from the next question on. */
  abstract adjust(quota: Quota): void;
}

/** Incarnation of a memory in this process. */
export const LOCAL = "local";

/** The library rejects with its answer when it refuses; here "not yet" is an answer like any other. */
export const answered = (question: Promise<QuotaReply>): Promise<QuotaReply> =>
  question.catch((refusal: unknown) => {
    if (refusal instanceof QuotaReply) return refusal;
    throw refusal;
  });

/** As the library wants it: resolves for a grant, rejects otherwise. */
export const granted = (reply: QuotaReply): Promise<QuotaReply> =>
  reply.granted ? Promise.resolve(reply) : Promise.reject(reply);
