/** Entries that wait for a time: a backoff, or the end of a lock. */
import TinyQueue from "tinyqueue";
import type { Entry } from "./entry.ts";

interface Timer {
  readonly entry: Entry;
  readonly dueMs: number;
  /** Of equal times the one that was set first rings first. */
  readonly serial: number;
}

export class Timers {
  readonly #queue = new TinyQueue<Timer>([], (a, b) => a.dueMs - b.dueMs || a.serial - b.serial);
  #serial = 0;

  /** Replaces the entry's earlier timer, if it has one. */
  set(entry: Entry, dueMs: number): void {
    entry.state = "waiting";
    entry.dueMs = dueMs;
    this.#queue.push({ entry, dueMs, serial: this.#serial++ });
  }

  /** Monotonic time of the next one; Infinity when none is set. */
  get nextMs(): number {
    return this.#queue.peek()?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  /** Those whose time has come, each once; a timer that was replaced, or whose entry moved on, is forgotten. */
  *ring(nowMs: number): Generator<Entry> {
    while (this.nextMs <= nowMs) {
      const timer = this.#queue.pop();
      if (timer?.entry.state === "waiting" && timer.entry.dueMs === timer.dueMs) yield timer.entry;
    }
  }
}
