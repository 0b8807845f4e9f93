/** Lets one loop sleep until something changed or a time came, whichever is first. */
import type { Clock } from "./clock.ts";

/** Never seen by anybody; without it each wake would make a DOMException with its stack. */
const WOKEN = "woken";

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
    this.#sleeper?.abort(WOKEN);
  }

  /** Resolves after `ms` (Infinity: never) or at `notify`; rejects with `signal.reason`. One waiter at a time. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#notified) {
      const sleeper = new AbortController();
      const wake = (): void => sleeper.abort(WOKEN);
      this.#sleeper = sleeper;
      signal.addEventListener("abort", wake, { once: true });
      await this.#clock.sleep(ms, sleeper.signal).catch(() => {});
      signal.removeEventListener("abort", wake);
      this.#sleeper = null;
    }
    this.#notified = false;
    signal.throwIfAborted();
  }
}
