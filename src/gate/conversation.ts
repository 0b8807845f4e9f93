/**
 * What this replica and the limiter tell each other. Each question repeats the cool-down known here and whatever the server
 * said since the last answer; a beat does so while there is nothing to ask, shows that the replica lives, and finds out when
 * Redis is back. So a limiter that lost its memory hears of a cool-down before it can grant anything.
 */
import type { Lane } from "../domain/mutation.ts";
import type { Clock } from "../lib/clock.ts";
import type { RedisConnection } from "../lib/redis.ts";
import { Tasks } from "../lib/tasks.ts";
import { Wakeup } from "../lib/wakeup.ts";
import type { Emit } from "../telemetry/events.ts";
import { Cooldown } from "./cooldown.ts";
import {
  answered,
  COOLDOWN_BEAT_MS,
  type KnownCooldown,
  LOCAL,
  type News,
  type QuotaLimiter,
  type QuotaReply,
} from "./limiter.ts";
import { Outage } from "./outage.ts";
import { Unsaid } from "./unsaid.ts";

/** How often a replica shows that it lives; it counts as gone after six misses. */
const BEAT_MS = 5_000;
const PROBE_MS = 250;

export interface ConversationParts {
  readonly limiter: QuotaLimiter;
  /** Null: the limiter is in memory and always answers. */
  readonly redis: Pick<RedisConnection, "address" | "lastError" | "onConnect"> | null;
  readonly clock: Clock;
  readonly emit: Emit;
  /** The first answer, from which on the number of replicas is known. */
  readonly onFirstAnswer: (replicas: number) => void;
  /** A cool-down as long as this is an alarm. */
  readonly alarmMs: () => number;
}

export class Conversation {
  readonly cooldown: Cooldown;
  /** What the server said and the limiter has not heard yet. */
  readonly unsaid = new Unsaid();
  readonly #parts: ConversationParts;
  readonly #outage: Outage | null;
  readonly #beatNow: Wakeup;
  readonly #stop = new AbortController();
  readonly #stopListening: () => void;
  readonly #tasks = new Tasks(() => {});
  #incarnation: string | null = null;
  #replicas = 1;

  constructor(parts: ConversationParts) {
    const { redis, clock, emit } = parts;
    this.#parts = parts;
    this.cooldown = new Cooldown(clock);
    this.#outage = redis === null ? null : new Outage(redis, clock, emit);
    this.#beatNow = new Wakeup(clock);
    this.#stopListening = redis?.onConnect(() => this.#beatNow.notify()) ?? (() => {});
    if (redis !== null) this.#tasks.own(this.#beat(this.#stop.signal));
  }

  get replicas(): number {
    return this.#replicas;
  }

  /** Who decides now. */
  get mode(): "redis" | "local" | "closed" {
    if (this.#outage === null) return "local";
    if (this.#outage.isOn) return this.#outage.isBridged ? "local" : "closed";
    return "redis";
  }

  consume(lane: Lane, more: boolean): Promise<QuotaReply | null> {
    return this.#ask((news) => this.#parts.limiter.consume(lane, 1, { more, news }));
  }

  /** A cool-down, for everybody. */
  async impose(waitMs: number, source: string): Promise<void> {
    this.#learn({ endsAt: "0", leftMs: waitMs }, this.#now(), source);
    await this.repeat();
  }

  /** While Redis is away the beat makes up for it. */
  async repeat(): Promise<void> {
    await this.#tell();
  }

  #tell(): Promise<QuotaReply | null> {
    return this.#ask((news) => this.#parts.limiter.block("all", news.cooldown.leftMs / 1_000, news));
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#stopListening();
    await this.#tasks.ended();
  }

  async #beat(signal: AbortSignal): Promise<void> {
    let soonMs = 0;
    while (!signal.aborted) {
      const nextMs = soonMs || (this.cooldown.leftMs() > 0 ? COOLDOWN_BEAT_MS : BEAT_MS);
      await this.#beatNow.wait(this.#outage?.isOn ? PROBE_MS : nextMs, signal).catch(() => {});
      if (!signal.aborted) soonMs = (await this.#tell())?.msBeforeNext ?? 0;
    }
  }

  /** One question, with all that is known; null when no answer came. */
  async #ask(question: (news: News) => Promise<QuotaReply>): Promise<QuotaReply | null> {
    const sentMs = this.#now();
    const { heard, ...told } = this.unsaid.at(sentMs);
    try {
      const reply = await answered(question({ cooldown: this.cooldown.known(), ...told }));
      if (reply.incarnation === LOCAL && this.#outage !== null) this.#missed("bridged");
      else {
        heard();
        if (this.#outage !== null) this.#parts.emit("limiter-answered", { tookMs: this.#now() - sentMs });
        this.#heard(reply, sentMs);
      }
      return reply;
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#missed("closed", error);
      return null;
    }
  }

  #missed(state: "bridged" | "closed", error?: unknown): void {
    if (this.#outage?.isOn === false) this.#beatNow.notify();
    this.#outage?.missed(state, error);
  }

  #heard(reply: QuotaReply, sentMs: number): void {
    const { emit, onFirstAnswer } = this.#parts;
    this.#outage?.answered();
    const isFirst = this.#incarnation === null;
    const forgot = !isFirst && reply.incarnation !== this.#incarnation;
    if (reply.cold || forgot) emit("gate-cold-start", { cause: forgot ? "Redis lost its state" : "no state in Redis" });
    this.#incarnation = reply.incarnation;
    this.#replicas = reply.replicas;
    if (reply.incident !== null) emit("quota-incident", reply.incident);
    // Counted from the question, never from the answer: repeated exchanges must not make a cool-down grow.
    if (reply.cooldown.leftMs > 0) this.#learn(reply.cooldown, sentMs, "shared");
    if (isFirst) onFirstAnswer(reply.replicas);
  }

  #learn(known: KnownCooldown, atMs: number, source: string): void {
    if (!this.cooldown.learn(known, atMs)) return;
    this.#beatNow.notify();
    const waitMs = Math.round(this.cooldown.leftMs());
    this.#parts.emit("cooldown-started", { waitMs, source, isLong: waitMs > this.#parts.alarmMs() });
  }

  #now(): number {
    return this.#parts.clock.monotonicMs();
  }
}
