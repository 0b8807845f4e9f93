/**
 * Children that wait for their parents. A child is parked at its parents' entries and released at once when the last of them
 * is known; its time runs only while Sell accepts.
 */
import { ENTITIES, type Entity, type Lane } from "../domain/mutation.ts";
import type { EntityId } from "../domain/stages.ts";
import { type Entry, entryId, idOf } from "./entry.ts";

export interface Relatives {
  readonly find: (id: string) => Entry | undefined;
  readonly findOrOpen: (entity: Entity, key: string, lane: Lane) => Entry;
  /** Nothing of its own waits in the parent's entry, and no child any more. */
  readonly abandon: (parent: Entry) => void;
  /** A store that forgot never tells of a parent that another replica created: only Sell itself does. */
  readonly askAgain: (parent: Entry) => void;
  /** The child may have all its parents now. */
  readonly reconsider: (child: Entry) => void;
}

/** Whether all that the topics of an entity held at that monotonic time is worked off. */
export type IsWorkedOff = (entity: Entity, sinceMs: number) => boolean;

export class References {
  readonly #relatives: Relatives;
  readonly #parked = new Set<Entry>();

  constructor(relatives: Relatives) {
    this.#relatives = relatives;
  }

  /** Children that wait, by their own entity. */
  parked(): ReadonlyMap<Entity, number> {
    const counts = new Map<Entity, number>(ENTITIES.map((entity) => [entity, 0]));
    for (const { entity } of this.#parked) counts.set(entity, (counts.get(entity) ?? 0) + 1);
    return counts;
  }

  /** Parents of the candidate whose id neither the store nor the window was asked for yet. */
  unasked(child: Entry): readonly EntityId[] {
    const refs = child.candidate?.refs ?? [];
    if (refs.length === 0) return refs;
    return refs.filter((ref) => {
      const id = entryId(ref.entity, ref.key);
      const here = idOf(this.#relatives.find(id)?.known);
      if (here !== null) child.knowParent(id, here);
      return !child.parents.has(id);
    });
  }

  park(child: Entry, missing: readonly EntityId[]): void {
    child.state = "parked";
    this.#parked.add(child);
    for (const { entity, key } of missing) this.#relatives.findOrOpen(entity, key, child.lane).addChild(child);
  }

  release(parent: Entry): void {
    const id = idOf(parent.known);
    if (id === null) return;
    for (const child of parent.takeChildren()) {
      child.knowParent(parent.id, id);
      if (child.state !== "parked") continue;
      this.leave(child);
      this.#relatives.reconsider(child);
    }
  }

  /** The parent's id can never be told: the children that wait for it leave and are returned. */
  dismiss(parent: Entry): readonly Entry[] {
    const children = [...parent.children].filter(({ state }) => state === "parked");
    for (const child of children) this.leave(child);
    return children;
  }

  /** The child no longer waits here, whatever becomes of it. */
  leave(child: Entry): void {
    if (!this.#parked.delete(child)) return;
    for (const id of child.parents.keys()) {
      const parent = this.#relatives.find(id);
      if (parent?.removeChild(child) === true && parent.isIdle) this.#relatives.abandon(parent);
    }
  }

  /**
   * Adds to the parked time of all whose parent is not on its way, asking again at half time; those beyond `timeoutMs` leave
   * and are returned.
   */
  expire(elapsedMs: number, timeoutMs: number, isWorkedOff: IsWorkedOff): readonly Entry[] {
    const expired: Entry[] = [];
    for (const child of this.#parked) {
      if (this.#isParentComing(child, isWorkedOff)) continue;
      const wasEarly = child.parkedMs < timeoutMs / 2;
      child.parkedMs += elapsedMs;
      if (child.parkedMs >= timeoutMs) expired.push(child);
      else if (wasEarly && child.parkedMs >= timeoutMs / 2) this.#askAgain(child);
    }
    for (const child of expired) this.leave(child);
    return expired;
  }

  /** It may yet be read; or it waits here, for Sell or for a person, but not for a parent of its own: that might be the child. */
  #isParentComing(child: Entry, isWorkedOff: IsWorkedOff): boolean {
    return this.#parentsOf(child).some(
      ({ entity, queue, state }) => (queue.length > 0 && state !== "parked") || !isWorkedOff(entity, child.arrivedMs),
    );
  }

  #askAgain(child: Entry): void {
    for (const parent of this.#parentsOf(child)) this.#relatives.askAgain(parent);
  }

  /** Those it still waits for. */
  #parentsOf(child: Entry): readonly Entry[] {
    return [...child.parents.keys()].flatMap((id) => {
      const parent = this.#relatives.find(id);
      return parent?.children.has(child) === true ? [parent] : [];
    });
  }
}
