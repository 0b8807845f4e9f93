/** Virtual time: what is due next happens next, and no time passes while anybody still computes. */
import { setImmediate } from "node:timers/promises";
import TinyQueue from "tinyqueue";
import type { Clock } from "../../src/lib/clock.ts";

interface Event {
  readonly atMs: number;
  readonly serial: number;
  /** Null: called off. */
  act: (() => void) | null;
}

export const EPOCH_MS = 1_700_000_000_000;

export class Time {
  nowMs = 1_000_000;
  readonly #events = new TinyQueue<Event>([], (a, b) => a.atMs - b.atMs || a.serial - b.serial);
  #serial = 0;

  /** Returns what calls it off. */
  after(ms: number, act: () => void): () => void {
    const event: Event = { atMs: this.nowMs + Math.max(0, ms || 0), serial: this.#serial++, act };
    this.#events.push(event);
    return () => {
      event.act = null;
    };
  }

  /** Until `isDone` holds (true) or the deadline is reached (false). */
  async run(isDone: () => boolean, deadlineMs: number): Promise<boolean> {
    for (;;) {
      await computed();
      if (isDone()) return true;
      while (this.#events.peek()?.act === null) this.#events.pop();
      const next = this.#events.peek();
      if (next === undefined || next.atMs > deadlineMs) {
        this.nowMs = Math.max(this.nowMs, Math.min(deadlineMs, next?.atMs ?? deadlineMs));
        return false;
      }
      this.#events.pop();
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.act?.();
    }
  }
}

/**
 * Whoever was woken computes until it waits again. A turn of the event loop costs more than all else in a step: it is taken
 * only for those who asked for one. What is queued from a microtask has its turn when no other is left.
 */
const computed = (): Promise<void> =>
  process.getActiveResourcesInfo().includes("Immediate")
    ? setImmediate()
    : new Promise((done) => process.nextTick(done));

/**
 * A process: everything that reaches it, timers included, goes through `deliver`. Frozen it finds it all waiting when it
 * goes on; dead it never notices.
 */
export class Process {
  readonly name: string;
  readonly time: Time;
  state: "running" | "frozen" | "dead" = "running";
  #backlog: (() => void)[] = [];
  /** What this process listens for: Node keeps a combined signal alive as long as somebody does. */
  readonly #deafen = new Set<() => void>();

  constructor(name: string, time: Time) {
    this.name = name;
    this.time = time;
  }

  deliver(act: () => void): void {
    if (this.state === "running") act();
    else if (this.state === "frozen") this.#backlog.push(act);
  }

  freeze(): void {
    if (this.state === "running") this.state = "frozen";
  }

  thaw(): void {
    if (this.state !== "frozen") return;
    this.state = "running";
    for (const act of this.#backlog.splice(0)) this.time.after(0, () => this.deliver(act));
  }

  kill(): void {
    this.state = "dead";
    this.#backlog = [];
    for (const deafen of this.#deafen) deafen();
  }

  /** Returns what ends the listening; so does the death of the process. */
  onAbort(signal: AbortSignal, act: () => void): () => void {
    const deafen = (): void => {
      this.#deafen.delete(deafen);
      signal.removeEventListener("abort", abort);
    };
    const abort = (): void => {
      this.#deafen.delete(deafen);
      act();
    };
    this.#deafen.add(deafen);
    signal.addEventListener("abort", abort, { once: true });
    return deafen;
  }

  /** A call to another machine: `serve` happens there half way, whatever became of us; its answer or error comes back. */
  call<T>(ms: number, serve: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.time.after(ms / 2, () => {
        let answer: () => void;
        try {
          const value = serve();
          answer = () => resolve(value);
        } catch (error) {
          answer = () => reject(error);
        }
        this.time.after(ms / 2, () => this.deliver(answer));
      });
    });
  }

  readonly clock: Clock = {
    now: () => EPOCH_MS + this.time.nowMs,
    monotonicMs: () => this.time.nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const wake = (): void => {
          deafen?.();
          resolve();
        };
        const callOff = ms === Number.POSITIVE_INFINITY ? () => {} : this.time.after(ms, () => this.deliver(wake));
        const deafen =
          signal &&
          this.onAbort(signal, () => {
            callOff();
            reject(signal.reason);
          });
      }),
  };
}
