/** Parts of a batch that was refused, or never answered, as a whole: each leaves as it is, to find the record at fault. */
import type { Entity, Lane } from "../domain/mutation.ts";
import type { Entry } from "./entry.ts";

interface Half {
  readonly entries: readonly Entry[];
  readonly dueMs: number;
}

export class Halves {
  #halves: readonly Half[] = [];

  split(entries: readonly Entry[], dueMs: number): void {
    const middle = Math.ceil(entries.length / 2);
    const halves = [entries.slice(0, middle), entries.slice(middle)].filter((half) => half.length > 0);
    for (const entry of entries) {
      entry.state = "waiting";
      entry.dueMs = Number.POSITIVE_INFINITY; // no timer: `take` hands out the half
    }
    // The newest first: the way down to a single record is short, and tells most.
    this.#halves = [...halves.map((half) => ({ entries: half, dueMs })), ...this.#halves];
  }

  dueMs(lane: Lane, maySendOf: MaySendOf): number {
    const halves = this.#halves.filter((half) => laneOf(half) === lane && mayLeave(half, maySendOf));
    return Math.min(...halves.map(({ dueMs }) => dueMs), Number.POSITIVE_INFINITY);
  }

  take(lane: Lane, nowMs: number, maySendOf: MaySendOf): readonly Entry[] | null {
    const half = this.#halves.find(
      (candidate) => candidate.dueMs <= nowMs && laneOf(candidate) === lane && mayLeave(candidate, maySendOf),
    );
    this.#halves = this.#halves.filter((other) => other !== half);
    return half?.entries ?? null;
  }

  delete(entry: Entry): void {
    this.#halves = this.#halves
      .map(({ entries, dueMs }) => ({ entries: entries.filter((other) => other !== entry), dueMs }))
      .filter(({ entries }) => entries.length > 0);
  }
}

type MaySendOf = (entity: Entity) => boolean;

/** All of a half are of one entity. */
const mayLeave = ({ entries: [first] }: Half, maySendOf: MaySendOf): boolean =>
  first !== undefined && maySendOf(first.entity);

const laneOf = ({ entries }: Half): Lane => (entries.some(({ lane }) => lane === "live") ? "live" : "backfill");
