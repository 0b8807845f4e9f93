/** Parts of a batch that was refused, or never answered, as a whole: each leaves as it is, to find the record at fault. */
import type { Lane } from "../domain/mutation.ts";
import type { Entry } from "./entry.ts";

interface Half {
  readonly entries: readonly Entry[];
  readonly dueMs: number;
}

export class Halves {
  #halves: readonly Half[] = [];

  split(entries: readonly Entry[], dueMs: number): void {
    const middle = Math.ceil(entries.length / 2);
    for (const half of [entries.slice(0, middle), entries.slice(middle)]) {
      for (const entry of half) {
        entry.state = "waiting";
        entry.dueMs = Number.POSITIVE_INFINITY; // no timer: `take` hands out the half
      }
      if (half.length > 0) this.#halves = [...this.#halves, { entries: half, dueMs }];
    }
  }

  dueMs(lane: Lane): number {
    return Math.min(
      ...this.#halves.filter((half) => laneOf(half) === lane).map(({ dueMs }) => dueMs),
      Number.POSITIVE_INFINITY,
    );
  }

  take(lane: Lane, nowMs: number): readonly Entry[] | null {
    const half = this.#halves.find((candidate) => candidate.dueMs <= nowMs && laneOf(candidate) === lane);
    this.#halves = this.#halves.filter((other) => other !== half);
    return half?.entries ?? null;
  }

  delete(entry: Entry): void {
    this.#halves = this.#halves
      .map(({ entries, dueMs }) => ({ entries: entries.filter((other) => other !== entry), dueMs }))
      .filter(({ entries }) => entries.length > 0);
  }
}

const laneOf = ({ entries }: Half): Lane => (entries.some(({ lane }) => lane === "live") ? "live" : "backfill");
