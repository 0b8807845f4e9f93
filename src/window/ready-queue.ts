/**
 * Entries that may leave, by what can share a request: one entity, one verb, or nothing at all. Oldest first within a group, and entries
 * that come back after a retry before those that were never sent.
 */
import { ENTITIES, type Entity, type Lane } from "../domain/mutation.ts";
import type { Verb } from "../domain/receipt.ts";
import type { Entry } from "./entry.ts";

export class ReadyQueue {
  readonly #groups = new Map<string, Group>();

  /** One that is in the group already keeps its place. */
  add(entry: Entry, verb: Verb): Group {
    const name = `${entry.entity}/${verb}/${entry.alone}`;
    let group = this.#groups.get(name);
    if (group === undefined) this.#groups.set(name, (group = new Group(entry.entity, verb, entry.alone)));
    for (const other of this.#groups.values()) if (other !== group) other.delete(entry);
    group.add(entry);
    return group;
  }

  delete(entry: Entry): void {
    for (const group of this.#groups.values()) group.delete(entry);
  }

  /** Of the groups that are due, the one whose oldest entry of that lane has waited longest; of equals the parents'. */
  oldest(lane: Lane, isDue: (group: Group) => boolean): Group | null {
    let best: Group | null = null;
    for (const group of this.#groups.values()) {
      const head = group.head(lane);
      if (head === undefined || !isDue(group)) continue;
      const bestHead = best?.head(lane);
      if (best === null || bestHead === undefined || precedes(group, head, best, bestHead)) best = group;
    }
    return best;
  }

  groups(): Iterable<Group> {
    return this.#groups.values();
  }
}

const precedes = (a: Group, headA: Entry, b: Group, headB: Entry): boolean =>
  headA.arrivedMs < headB.arrivedMs || (headA.arrivedMs === headB.arrivedMs && a.rank < b.rank);

export class Group {
  readonly entity: Entity;
  readonly verb: Verb;
  /** Each of them takes a request of its own. */
  readonly alone: boolean;
  readonly rank: number;
  readonly #lanes = { live: new Fifo(), backfill: new Fifo() };

  constructor(entity: Entity, verb: Verb, alone: boolean) {
    this.entity = entity;
    this.verb = verb;
    this.alone = alone;
    this.rank = ENTITIES.indexOf(entity);
  }

  get size(): number {
    return this.#lanes.live.size + this.#lanes.backfill.size;
  }

  sizeOf(lane: Lane): number {
    return this.#lanes[lane].size;
  }

  head(lane: Lane): Entry | undefined {
    return this.#lanes[lane].head();
  }

  add(entry: Entry): void {
    this.#lanes[entry.lane === "live" ? "backfill" : "live"].delete(entry);
    this.#lanes[entry.lane].add(entry);
  }

  delete(entry: Entry): void {
    this.#lanes.live.delete(entry);
    this.#lanes.backfill.delete(entry);
  }

  /** Up to `count` entries of the lane, filled up from the other lane: a request that leaves anyway carries them for nothing. */
  take(lane: Lane, count: number): Entry[] {
    const taken = this.#lanes[lane].take(count);
    const other = lane === "live" ? "backfill" : "live";
    return taken.length < count ? taken.concat(this.#lanes[other].take(count - taken.length)) : taken;
  }
}

class Fifo {
  /** Sets keep their order of insertion and forget in constant time. */
  readonly #again = new Set<Entry>();
  readonly #first = new Set<Entry>();

  get size(): number {
    return this.#again.size + this.#first.size;
  }

  head(): Entry | undefined {
    for (const entry of this.#again) return entry;
    for (const entry of this.#first) return entry;
    return undefined;
  }

  add(entry: Entry): void {
    (entry.comesBack ? this.#first : this.#again).delete(entry);
    (entry.comesBack ? this.#again : this.#first).add(entry);
  }

  delete(entry: Entry): void {
    this.#again.delete(entry);
    this.#first.delete(entry);
  }

  take(count: number): Entry[] {
    const taken: Entry[] = [];
    for (const queue of [this.#again, this.#first]) {
      for (const entry of queue) {
        if (taken.length === count) return taken;
        taken.push(entry);
        queue.delete(entry);
      }
    }
    return taken;
  }
}
