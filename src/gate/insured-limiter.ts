/**
 * The limiter of `outage: local-share`. While Redis answers it decides. Once it does not, this replica goes on with its own
 * part of the quota, and returns without credit: the first words to Redis say that calls were made which it did not see.
 * `block` always asks Redis itself, so the gate's beat is what finds out that Redis is back.
 */
import { RLWrapperTimeouts } from "rate-limiter-flexible";
import type { Lane } from "../domain/mutation.ts";
import type { Clock } from "../lib/clock.ts";
import {
  type Ask,
  answered,
  granted,
  LOCAL,
  type News,
  QuotaLimiter,
  type QuotaReply,
  type QuotaState,
} from "./limiter.ts";
import { LocalLimiter } from "./local-limiter.ts";
import { type Quota, shareOf, shareProblem } from "./quota.ts";

/** Longer than a command to Redis may take, so that it only cuts what the client itself does not. */
const TIMEOUT_MS = 300;

export interface InsuredOptions {
  readonly redis: QuotaLimiter;
  readonly quota: Quota;
  readonly share: number;
  readonly clock: Clock;
}

export class InsuredLimiter extends QuotaLimiter {
  readonly #redis: InsuredOptions["redis"];
  readonly #own: OwnShare;
  readonly #wrapper: RLWrapperTimeouts;

  constructor({ redis, quota, share, clock }: InsuredOptions) {
    super();
    this.#redis = redis;
    this.#own = new OwnShare(quota, share, clock);
    this.#wrapper = new RLWrapperTimeouts({ limiter: redis, timeoutMs: TIMEOUT_MS, insuranceLimiter: this.#own });
  }

  override async consume(lane: Lane, _points: 1, ask: Ask): Promise<QuotaReply> {
    // Only the first call pays for finding out that Redis is away.
    if (this.#own.isOn) return this.#own.consume(lane, 1, ask);
    const reply = await answered(this.#wrapper.consume(lane, 1, ask) as Promise<QuotaReply>);
    this.#own.remember(reply);
    return granted(reply);
  }

  override async block(_key: "all", seconds: number, news: News): Promise<QuotaReply> {
    const reply = await this.#redis.block("all", seconds, this.#own.isOn ? { ...news, returns: true } : news);
    this.#own.end();
    this.#own.remember(reply);
    return reply;
  }

  override get(_key: "all"): Promise<QuotaState> {
    return this.#own.isOn ? this.#own.get("all") : this.#redis.get("all");
  }

  override adjust(quota: Quota): void {
    this.#redis.adjust(quota);
    this.#own.adjust(quota);
  }
}

/**
 * Its limiter begins anew with every outage, for as many replicas as Redis knew last. The library's RateLimiterMemory has no
 * part in it: one window by the wall clock knows no lanes, no cool-down, and begins with all of its points.
 */
class OwnShare extends QuotaLimiter {
  readonly #share: number;
  readonly #clock: Clock;
  #quota: Quota;
  #last: QuotaReply | null = null;
  #limiter: LocalLimiter | null = null;

  constructor(quota: Quota, share: number, clock: Clock) {
    super();
    this.#quota = quota;
    this.#share = share;
    this.#clock = clock;
  }

  get isOn(): boolean {
    return this.#limiter !== null;
  }

  remember(reply: QuotaReply): void {
    if (reply.incarnation !== LOCAL) this.#last = reply;
  }

  end(): void {
    this.#limiter = null;
  }

  override async consume(lane: Lane, _points: 1, ask: Ask): Promise<QuotaReply> {
    this.#limiter ??= this.#begin();
    return this.#limiter.consume(lane, 1, ask);
  }

  override async block(_key: "all", seconds: number, news: News): Promise<QuotaReply> {
    this.#limiter ??= this.#begin();
    return this.#limiter.block("all", seconds, news);
  }

  override async get(_key: "all"): Promise<QuotaState> {
    this.#limiter ??= this.#begin();
    return this.#limiter.get("all");
  }

  override adjust(quota: Quota): void {
    this.#quota = quota;
    const part = this.#part();
    if (typeof part !== "string") this.#limiter?.adjust(part);
  }

  #begin(): LocalLimiter {
    const part = this.#part();
    if (typeof part === "string") throw new Error(part);
    return new LocalLimiter(part, this.#clock);
  }

  /** Or why there is none. */
  #part(): Quota | string {
    if (this.#last === null) return "Redis never said how many replicas share the quota";
    const outage = { share: this.#share, replicas: Math.max(1, this.#last.replicas) };
    return shareProblem(this.#quota, outage) ?? shareOf(this.#quota, outage, this.#last.slotMs);
  }
}
