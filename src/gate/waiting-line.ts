/**
 * Who waits for a permit in one lane, served in order of asking. While somebody waits, one pump sleeps until the turn it was
 * promised, asks the limiter, and only then chooses the waiter: whoever waits longest by then.
 */
import type { Lane } from "../domain/mutation.ts";
import type { Permit } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import { type Deferred, deferred } from "../lib/deferred.ts";
import type { Emit } from "../telemetry/events.ts";
import { type HeldBy, LOCAL, type QuotaReply } from "./limiter.ts";

interface Waiter extends Deferred<Permit> {
  readonly sinceMs: number;
}

interface Parts {
  readonly clock: Clock;
  readonly emit: Emit;
  /** Monotonic end of the cool-down: no permit leaves before. */
  readonly coolUntilMs: () => number;
  /** Null: no answer. `more`: others wait behind. */
  readonly ask: (lane: Lane, more: boolean) => Promise<QuotaReply | null>;
}

/** Where no answer came. */
const ASK_AGAIN_MS = 250;

export class WaitingLine {
  readonly #lane: Lane;
  readonly #parts: Parts;
  /** Bounded by the callers: each waits for its permit before it asks for the next. */
  readonly #waiters: Waiter[] = [];
  readonly #closed = new AbortController();
  /** Asking before this is in vain, for that reason. */
  #turnMs = Number.NEGATIVE_INFINITY;
  #heldBy: HeldBy | "no-answer" = "pace";
  #pump: Promise<void> | null = null;

  constructor(lane: Lane, parts: Parts) {
    this.#lane = lane;
    this.#parts = parts;
  }

  async acquire(signal: AbortSignal): Promise<Permit> {
    signal.throwIfAborted();
    this.#closed.signal.throwIfAborted();
    const waiter: Waiter = { ...deferred<Permit>(), sinceMs: this.#now() };
    const giveUp = (): void => {
      const at = this.#waiters.indexOf(waiter);
      if (at >= 0) this.#waiters.splice(at, 1);
      waiter.reject(signal.reason);
    };
    signal.addEventListener("abort", giveUp, { once: true });
    this.#waiters.push(waiter);
    this.#pump ??= this.#run(this.#closed.signal);
    return waiter.promise.finally(() => signal.removeEventListener("abort", giveUp));
  }

  /** Whoever waits, and whoever comes later, is rejected. */
  async close(reason: Error): Promise<void> {
    this.#closed.abort(reason);
    for (const waiter of this.#waiters.splice(0)) waiter.reject(reason);
    await this.#pump;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, emit, coolUntilMs, ask } = this.#parts;
    while (this.#waiters.length > 0 && !signal.aborted) {
      const sinceMs = this.#now();
      const untilMs = Math.max(this.#turnMs, coolUntilMs());
      if (untilMs > sinceMs) {
        await clock.sleep(untilMs - sinceMs, signal).catch(() => {});
        const reason = coolUntilMs() >= this.#turnMs ? "cool-down" : this.#heldBy;
        emit("permit-held", { lane: this.#lane, reason, heldMs: this.#now() - sinceMs });
        continue; // a cool-down may have come meanwhile
      }
      const reply = await ask(this.#lane, this.#waiters.length > 1);
      this.#turnMs = this.#now() + (reply?.msBeforeNext ?? ASK_AGAIN_MS);
      this.#heldBy = reply === null ? "no-answer" : (reply.heldBy ?? "pace");
      if (reply?.granted) this.#hand(reply.incarnation === LOCAL ? "local" : "redis");
    }
    this.#pump = null;
  }

  /** The permit counts from now. It is dropped when nobody waits any more or a cool-down came while it was on its way. */
  #hand(by: "redis" | "local"): void {
    const { coolUntilMs, emit } = this.#parts;
    const [lane, grantedAtMs] = [this.#lane, this.#now()];
    const waiter = grantedAtMs < coolUntilMs() ? undefined : this.#waiters.shift();
    if (waiter === undefined) return emit("permit-unused", { lane });
    waiter.resolve({ lane, grantedAtMs });
    emit("permit-granted", { lane, by, waitedMs: grantedAtMs - waiter.sinceMs });
  }

  #now(): number {
    return this.#parts.clock.monotonicMs();
  }
}
