/**
 * One record of the CRM with changes waiting for it: the unit that is locked, batched and retried.
 *
 * States: `fresh` its memory in the store was not read yet · `ready` in a ready queue · `parked` waits for a parent's id ·
 * `waiting` for a time (backoff, lock) · `held` its dead letter is being written · `in-flight` in a request ·
 * `stopped` nothing of its topic is sent: most of it fails, or a person has stopped it or has to look first.
 * Whatever the state, an entry owns its key: no second request for it can be on the wire.
 */
import assert from "node:assert";
import type { Entity, Fields, Lane, Mutation, ReplayOf } from "../domain/mutation.ts";
import type { Verb } from "../domain/receipt.ts";
import type { TopicPartition } from "../domain/record.ts";
import type { Remembered } from "../domain/stages.ts";

export type EntryState = "fresh" | "ready" | "parked" | "waiting" | "held" | "in-flight" | "stopped";

/** What would be sent for the entry's candidate; computed once and kept as it is while its outcome is unknown. */
export interface Plan {
  readonly verb: Verb;
  readonly id: number | null;
  readonly body: Fields;
  /** Of the body: the same body right after this one alters nothing. */
  readonly fingerprint: string | null;
}

/** The id by which the CRM knows a remembered record; null when it is not known to exist. */
export const idOf = (remembered: Remembered | null | undefined): number | null =>
  remembered === null || remembered === undefined || remembered.deleted ? null : remembered.id;

export const entryId = (entity: Entity, key: string): string => `${entity}/${key}`;

const NO_PARENTS: ReadonlyMap<string, number | null> = new Map();
const NO_CHILDREN: ReadonlySet<Entry> = new Set();

export class Entry {
  readonly id: string;
  readonly entity: Entity;
  readonly key: string;
  /** Changes in source order, oldest first; each stays until it is settled. */
  readonly queue: Mutation[] = [];
  /** How many of the oldest changes the newest of them stands for. */
  #run = 0;
  state: EntryState = "fresh";
  lane: Lane = "backfill";
  /** Undefined: not read yet. Null: nothing is remembered. */
  known: Remembered | null | undefined = undefined;
  /** Sell may hold something newer than what is remembered, until it accepts the next write. */
  isDoubtful = false;
  // Made when they are needed: most entries never have either, and empty ones took a sixth of the window's memory.
  #parents: Map<string, number | null> | null = null;
  #children: Set<Entry> | null = null;
  /** What a search of ours has told; it holds as long as it is what is known. */
  found: Remembered | null = null;
  /** Sell was asked by key and had no such record. */
  lookedUp = false;
  plan: Plan | null = null;
  /** How many changes the plan stands for while it may not change (on the wire, or its outcome unknown). 0: free. */
  pinned = 0;
  /** The plan writes the fields that only a new record gets. */
  completesCreation = false;
  /** Monotonic time of the oldest waiting change. */
  arrivedMs = 0;
  /** Monotonic time before which the entry is not looked at again. */
  dueMs = 0;
  /** Monotonic time before which no *other* body of this key may leave. */
  lockedUntilMs = 0;
  /** It is locked for a late apply: too long to wait for at a hand-over, unlike the index. */
  lateApply = false;
  /** The partition whose change was accepted or tried last. */
  from: TopicPartition | null = null;
  /** When the first request with the candidate left, milliseconds since 1970; null: none did. */
  firstSentMs: number | null = null;
  /** Requests in a row that did not settle the candidate. */
  attempts = 0;
  /** How many of them may have been applied. */
  unknowns = 0;
  static #seriesBegun = 0;
  /** Names its requests up to a verdict, or up to when it was taken from us. */
  series = ++Entry.#seriesBegun;
  /** It was cut into a batch that could not be sent, or has steps left to do. */
  returned = false;
  /** Its next step takes a request of its own. */
  alone = false;
  /** Monotonic time from which searches find what its last step wrote. */
  foundFromMs = 0;
  /** Time spent parked while Sell was accepting. */
  parkedMs = 0;

  constructor(entity: Entity, key: string) {
    this.id = entryId(entity, key);
    this.entity = entity;
    this.key = key;
  }

  /** Ids of the parents asked for so far, by entry id; null: not known to exist. */
  get parents(): ReadonlyMap<string, number | null> {
    return this.#parents ?? NO_PARENTS;
  }

  knowParent(id: string, parent: number | null): void {
    this.#parents ??= new Map();
    this.#parents.set(id, parent);
  }

  /** Children that wait for this entry's id. */
  get children(): ReadonlySet<Entry> {
    return this.#children ?? NO_CHILDREN;
  }

  addChild(child: Entry): void {
    this.#children ??= new Set();
    this.#children.add(child);
  }

  /** False: it did not wait here. */
  removeChild(child: Entry): boolean {
    return this.#children?.delete(child) === true;
  }

  takeChildren(): Iterable<Entry> {
    const children = this.children;
    this.#children = null;
    return children;
  }

  /** How many of the oldest changes the next write stands for; 0 when none waits. */
  get standsFor(): number {
    return this.pinned > 0 ? this.pinned : this.#run;
  }

  /** It was in a batch before and goes ahead of those that were not. */
  get comesBack(): boolean {
    return this.attempts > 0 || this.returned;
  }

  /** The change that is sent: the newest it stands for. A tombstone only repeats the delete before it, without its position. */
  get candidate(): Mutation | undefined {
    return this.queue[this.#candidateAt];
  }

  get #candidateAt(): number {
    let at = this.standsFor - 1;
    while (at > 0 && this.queue[at]?.tombstone === true && this.queue[at - 1]?.action === "delete") at -= 1;
    return at;
  }

  /** Nothing waits and nobody asks: the entry can be forgotten. */
  get isIdle(): boolean {
    return this.queue.length === 0 && this.children.size === 0;
  }

  /** A replay goes where its record stood: what came after it then comes after it now. */
  append(mutation: Mutation): void {
    const { replayOf } = mutation;
    const at = replayOf === undefined ? -1 : this.queue.findIndex((other) => isAfter(other, replayOf));
    if (at < 0) this.queue.push(mutation);
    else {
      this.queue.splice(at, 0, mutation);
      // What is on the wire is newer: once it is accepted, the replay is done with.
      if (at < this.pinned) this.pinned += 1;
      this.#run = 0;
    }
    this.#extendRun();
  }

  /** Takes the settled changes off the front. */
  shift(count: number): readonly Mutation[] {
    assert.ok(count <= this.queue.length, "an entry cannot settle more than it holds");
    return this.#without(this.queue.splice(0, count));
  }

  /** Takes the candidate and the tombstones that repeat it; the change before it, if any, is the next candidate. */
  dropCandidate(): readonly Mutation[] {
    const at = this.#candidateAt;
    // What stood before it was looked at: re-delivered changes of one key come by the thousand, and each leaves this way.
    return this.#without(this.queue.splice(at, this.standsFor - at), Math.min(this.#run, at));
  }

  /** Takes one change that is not the candidate; a body that may not change stays as it is. */
  drop(mutation: Mutation): readonly Mutation[] {
    const at = this.queue.indexOf(mutation);
    if (at < 0) return [];
    this.queue.splice(at, 1);
    if (at < this.pinned) this.pinned -= 1;
    this.#run = 0;
    this.#extendRun();
    return [mutation];
  }

  /** Takes every change that `belongs` names. */
  removeWhere(belongs: (mutation: Mutation) => boolean): readonly Mutation[] {
    const removed = this.queue.filter(belongs);
    if (removed.length > 0) {
      const left = this.queue.filter((mutation) => !belongs(mutation));
      this.queue.splice(0, this.queue.length, ...left);
      this.#without(removed);
    }
    return removed;
  }

  /** The next try is a first one again. */
  reset(): void {
    this.series = ++Entry.#seriesBegun;
    this.firstSentMs = null;
    this.attempts = 0;
    this.unknowns = 0;
    this.parkedMs = 0;
    this.returned = false;
    this.alone = false;
    this.completesCreation = false;
  }

  /** Whatever it was to be sent with is to be decided anew. */
  unpin(): void {
    this.reset();
    this.pinned = 0;
    this.plan = null;
  }

  /** `run`: how many of the oldest changes are left that the newest of them stands for, as far as is known. */
  #without(removed: readonly Mutation[], run = 0): readonly Mutation[] {
    this.pinned = 0;
    this.plan = null;
    this.#run = run;
    this.#extendRun();
    return removed;
  }

  #extendRun(): void {
    for (; this.#run < this.queue.length; this.#run++) {
      const newer = this.queue[this.#run];
      const older = this.queue[this.#run - 1];
      if (newer === undefined || (older !== undefined && !supersedes(newer, older))) return;
    }
  }
}

/** Of two replays from different partitions nobody knows the order; whatever was read just now is newer than any replay. */
const isAfter = ({ replayOf, record }: Mutation, replay: ReplayOf): boolean => {
  const { topic, partition, offset } = replayOf ?? record.position;
  if (topic === replay.topic && partition === replay.partition) return offset > replay.offset;
  return replayOf === undefined;
};

/**
 * A newer change stands for an older one only if Sell would end the same without the older: a delete stands for all
 * before it, a full image for an older write of the same action. A partial image or another action starts a new run.
 */
const supersedes = (newer: Mutation, older: Mutation): boolean =>
  newer.action === "delete" ||
  (newer.complete && newer.action === older.action && newer.action !== "create" && newer.route === older.route);
