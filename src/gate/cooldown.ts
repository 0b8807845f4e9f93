/** The cool-down as this process knows it, on its own monotonic clock: it outlives whatever Redis forgets, and only grows. */
import type { Clock } from "../lib/clock.ts";
import type { KnownCooldown } from "./limiter.ts";

/** Nobody waits longer, whatever a server or a stored mark says. */
const LONGEST_MS = 86_400_000;
/** Deadlines that differ by less are the same incident. */
const NEWS_MS = 250;

export class Cooldown {
  readonly #clock: Clock;
  #endsAt = "0";
  #deadlineMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Monotonic; in the past when none runs. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  leftMs(): number {
    return Math.max(0, this.#deadlineMs - this.#clock.monotonicMs());
  }

  /** What to repeat to the limiter. */
  known(): KnownCooldown {
    return { endsAt: this.#endsAt, leftMs: this.leftMs() };
  }

  /** `leftMs` counts from `atMs`. True when this is news: a cool-down begins, or the one that runs grows. */
  learn({ endsAt, leftMs }: KnownCooldown, atMs: number): boolean {
    const before = Math.max(this.#deadlineMs, this.#clock.monotonicMs());
    const deadlineMs = atMs + Math.min(leftMs, LONGEST_MS);
    if (deadlineMs < this.#deadlineMs) return false;
    this.#endsAt = endsAt;
    this.#deadlineMs = deadlineMs;
    return deadlineMs >= before + NEWS_MS;
  }
}
