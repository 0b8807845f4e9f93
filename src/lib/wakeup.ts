/** Lets one loop sleep until something changed or a time came, whichever is first. */
import type { Clock } from "./clock.ts";

export class Wakeup {
  readonly #clock: Clock;
  #sleeper: AbortController | null = null;
  #notified = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Wakes the waiter; with nobody waiting the next `wait` returns at once. */
  notify(): void {
    this.#notified = true;
    this.#sleeper?.abort();
  }

  /** Resolves after `ms` (Infinity: never) or at `notify`; rejects with `signal.reason`. One waiter at a time. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#notified) {
      this.#sleeper = new AbortController();
      const either = AbortSignal.any([signal, this.#sleeper.signal]);
      await this.#clock.sleep(ms, either).catch(() => {});
      this.#sleeper = null;
    }
    this.#notified = false;
    signal.throwIfAborted();
  }
}
