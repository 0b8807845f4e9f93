/**
 * Hands out permits, one call each, in order of asking within a lane.
 *
 * Per lane one pump runs while somebody waits: it sleeps until the turn it was promised, asks the limiter, and only then a
 * waiter is chosen. The gate is *open* while the limiter answers. When it does not, the gate is *closed*: nothing is granted,
 * and every question is asked again until an answer comes. Each question repeats the cool-down this process knows of, so a
 * limiter that lost its memory hears of it before it can grant anything; and no permit leaves before that cool-down ends,
 * whatever the limiter says.
 */
import { ConnectorError } from "../domain/errors.ts";
import type { Lane } from "../domain/mutation.ts";
import type { Throttle } from "../domain/receipt.ts";
import type { Gate, GateState, Permit } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import { type Deferred, deferred } from "../lib/deferred.ts";
import type { RedisConnection } from "../lib/redis.ts";
import { Wakeup } from "../lib/wakeup.ts";
import type { Emit } from "../telemetry/events.ts";
import type { QuotaConfig } from "./config.ts";
import { Cooldown } from "./cooldown.ts";
import { DefaultWait } from "./default-wait.ts";
import { answered, COOLDOWN_BEAT_MS, type KnownCooldown, type QuotaLimiter, type QuotaReply } from "./limiter.ts";
import { LocalLimiter } from "./local-limiter.ts";
import { Outage } from "./outage.ts";
import { permitsPerSecond, type Quota, quotaOf } from "./quota.ts";
import { RedisLimiter } from "./redis-limiter.ts";

export interface GateOptions {
  readonly quota: QuotaConfig;
  /** Null: this process is the only one that uses the quota. */
  readonly redis: RedisConnection | null;
  /** Names what shares the quota: the account, or the account and the token. Only a hash of it leaves the process. */
  readonly scopeText: string;
  /** Unique among living replicas. */
  readonly replicaId: string;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** Never waits and never throws for a Redis that is away: such a gate is closed until Redis answers. */
export const createGate = ({ redis, scopeText, replicaId, clock, emit, ...options }: GateOptions): Gate => {
  const quota = quotaOf(options.quota);
  const limiter =
    redis === null
      ? new LocalLimiter(quota, clock)
      : new RedisLimiter({ client: redis.client, quota, scopeText, replicaId });
  return new QuotaGate({ quota, limiter, redis, clock, emit });
};

/** How often a replica shows that it lives; it counts as gone after six misses. */
const BEAT_MS = 5_000;
const PROBE_MS = 250;

interface Waiter extends Deferred<Permit> {
  readonly sinceMs: number;
}

/** Bounded by the callers: each waits for its permit before it asks for the next. */
interface Queue {
  readonly waiters: Waiter[];
  /** Asking before this is in vain. */
  turnMs: number;
  pump: Promise<void> | null;
}

interface Parts {
  readonly quota: Quota;
  readonly limiter: QuotaLimiter;
  readonly redis: Pick<RedisConnection, "address" | "lastError" | "onIncarnation"> | null;
  readonly clock: Clock;
  readonly emit: Emit;
}

export class QuotaGate implements Gate {
  readonly #parts: Parts;
  readonly #queues: Record<Lane, Queue> = { live: emptyQueue(), backfill: emptyQueue() };
  readonly #stop = new AbortController();
  readonly #defaultWait = new DefaultWait();
  readonly #beatNow: Wakeup;
  readonly #beat: Promise<void>;
  readonly #stopListening: () => void;
  readonly #cooldown: Cooldown;
  /** Null without Redis: memory always answers. */
  readonly #outage: Outage | null;
  #incarnation: string | null = null;
  #replicas = 1;

  constructor(parts: Parts) {
    const { redis, clock, emit } = parts;
    this.#parts = parts;
    this.#cooldown = new Cooldown(clock);
    this.#outage = redis === null ? null : new Outage(redis, clock, emit);
    this.#beatNow = new Wakeup(clock);
    this.#stopListening = redis?.onIncarnation(() => this.#beatNow.notify()) ?? (() => {});
    this.#beat = redis === null ? Promise.resolve() : this.#runBeat(this.#stop.signal);
  }

  async acquire(lane: Lane, signal: AbortSignal): Promise<Permit> {
    signal.throwIfAborted();
    if (this.#stop.signal.aborted) throw gateClosed();
    const queue = this.#queues[lane];
    const waiter: Waiter = { ...deferred<Permit>(), sinceMs: this.#now() };
    const giveUp = (): void => {
      const at = queue.waiters.indexOf(waiter);
      if (at >= 0) queue.waiters.splice(at, 1);
      waiter.reject(signal.reason);
    };
    signal.addEventListener("abort", giveUp, { once: true });
    queue.waiters.push(waiter);
    queue.pump ??= this.#runPump(lane, queue, this.#stop.signal);
    return waiter.promise.finally(() => signal.removeEventListener("abort", giveUp));
  }

  async tell({ hintMs, source }: Throttle): Promise<void> {
    await this.#impose(hintMs !== null && hintMs > 0 ? hintMs : this.#defaultWait.nextMs(this.#now()), source);
  }

  async adopt(cooldownLeftMs: number): Promise<void> {
    if (cooldownLeftMs > 0) await this.#impose(cooldownLeftMs, "commit");
  }

  cooldownLeftMs(): number {
    return this.#cooldown.leftMs();
  }

  async peek(): Promise<GateState> {
    const { limiter, quota } = this.#parts;
    const state = await limiter.get("all").catch(() => null);
    const open = this.#outage === null ? "local" : "redis";
    return {
      mode: state === null || this.#outage?.isOn ? "closed" : open,
      windows: quota.windows.map(({ limit, perMs }, at) => ({ limit, perMs, used: state?.used[at] ?? 0 })),
      cooldownLeftMs: Math.max(this.cooldownLeftMs(), state?.msBeforeNext ?? 0),
      permitsPerSecond: permitsPerSecond(quota),
      replicas: state?.replicas ?? this.#replicas,
    };
  }

  /** Whoever still waits is rejected. */
  async close(): Promise<void> {
    this.#stop.abort(gateClosed());
    this.#stopListening();
    const { live, backfill } = this.#queues;
    for (const waiter of [...live.waiters.splice(0), ...backfill.waiters.splice(0)]) waiter.reject(gateClosed());
    await Promise.all([this.#beat, live.pump, backfill.pump]);
  }

  async #runPump(lane: Lane, queue: Queue, signal: AbortSignal): Promise<void> {
    while (queue.waiters.length > 0 && !signal.aborted) {
      const waitMs = Math.max(queue.turnMs, this.#cooldown.deadlineMs) - this.#now();
      if (waitMs > 0) {
        await this.#parts.clock.sleep(waitMs, signal).catch(() => {});
        continue; // a cool-down may have come meanwhile
      }
      const more = queue.waiters.length > 1;
      const reply = await this.#ask((cooldown) => this.#parts.limiter.consume(lane, 1, { more, cooldown }));
      queue.turnMs = this.#now() + (reply?.msBeforeNext ?? PROBE_MS);
      if (reply?.granted) this.#hand(lane, queue);
    }
    queue.pump = null;
  }

  /** The permit counts from now. It is dropped when nobody waits any more or a cool-down came while it was on its way. */
  #hand(lane: Lane, queue: Queue): void {
    const grantedAtMs = this.#now();
    const waiter = grantedAtMs < this.#cooldown.deadlineMs ? undefined : queue.waiters.shift();
    if (waiter === undefined) return this.#parts.emit("permit-unused", { lane });
    waiter.resolve({ lane, grantedAtMs });
    this.#parts.emit("permit-granted", { lane, waitedMs: grantedAtMs - waiter.sinceMs });
  }

  async #runBeat(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const open = this.#cooldown.leftMs() > 0 ? COOLDOWN_BEAT_MS : BEAT_MS;
      await this.#beatNow.wait(this.#outage?.isOn ? PROBE_MS : open, signal).catch(() => {});
      if (!signal.aborted) await this.#repeat();
    }
  }

  async #impose(waitMs: number, source: string): Promise<void> {
    this.#learn({ endsAt: "0", leftMs: waitMs }, this.#now(), source);
    await this.#repeat();
  }

  /** Tells the limiter the cool-down known here, and that this replica lives. While Redis is away the beat makes up for it. */
  #repeat(): Promise<QuotaReply | null> {
    return this.#ask(({ endsAt, leftMs }) => this.#parts.limiter.block("all", leftMs / 1_000, { endsAt }));
  }

  /** One question, with what is known of a cool-down; null when no answer came. */
  async #ask(question: (known: KnownCooldown) => Promise<QuotaReply>): Promise<QuotaReply | null> {
    const sentMs = this.#now();
    try {
      const reply = await answered(question(this.#cooldown.known()));
      this.#heard(reply, sentMs);
      return reply;
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#outage?.missed(error);
      return null;
    }
  }

  #heard(reply: QuotaReply, sentMs: number): void {
    const { emit } = this.#parts;
    this.#outage?.answered();
    const forgot = this.#incarnation !== null && reply.incarnation !== this.#incarnation;
    if (reply.cold || forgot) emit("gate-cold-start", { cause: forgot ? "Redis lost its state" : "no state in Redis" });
    this.#incarnation = reply.incarnation;
    this.#replicas = reply.replicas;
    // Counted from the question, never from the answer: repeated exchanges must not make a cool-down grow.
    if (reply.cooldown.leftMs > 0) this.#learn(reply.cooldown, sentMs, "shared");
  }

  #learn(known: KnownCooldown, atMs: number, source: string): void {
    if (!this.#cooldown.learn(known, atMs)) return;
    this.#beatNow.notify();
    this.#parts.emit("cooldown-started", { waitMs: Math.round(this.#cooldown.leftMs()), source });
  }

  #now(): number {
    return this.#parts.clock.monotonicMs();
  }
}

const emptyQueue = (): Queue => ({ waiters: [], turnMs: Number.NEGATIVE_INFINITY, pump: null });

const gateClosed = (): ConnectorError =>
  new ConnectorError("GATE_CLOSED", "the quota gate is closed because the connector stops", { retriable: false });
