/** Lets one loop sleep until something changed or a time came, whichever is first. */
import type { Clock } from "./clock.ts";

/** Never seen by anybody; without it each wake would make a DOMException with its stack. */
const WOKEN = "woken";

export class Wakeup {
  readonly #clock: Clock;
  #wake: (() => void) | null = null;
  #notified = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Wakes the waiter; with nobody waiting the next `wait` returns at once. */
  notify(): void {
    this.#notified = true;
    this.#wake?.();
  }

  /** Resolves after `ms` (Infinity: never) or at `notify`; rejects with `signal.reason`. One waiter at a time. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#notified) {
      const { slept, wake } = ms === Number.POSITIVE_INFINITY ? untilWoken() : this.#asleep(ms);
      this.#wake = wake;
      signal.addEventListener("abort", wake, { once: true });
      await slept;
      signal.removeEventListener("abort", wake);
      this.#wake = null;
    }
    this.#notified = false;
    signal.throwIfAborted();
  }

  #asleep(ms: number): Sleep {
    const sleeper = new AbortController();
    return {
      slept: this.#clock.sleep(ms, sleeper.signal).catch(() => {}),
      wake: () => sleeper.abort(WOKEN),
    };
  }
}

interface Sleep {
  readonly slept: Promise<void>;
  readonly wake: () => void;
}

/** Most waits of an idle loop: they need no timer. */
const untilWoken = (): Sleep => {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { slept: promise, wake: resolve };
};
