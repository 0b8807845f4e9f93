/**
 * Pending work, one entry a record of the CRM: all key locks of the process are here.
 *
 * A change is added; its entry is `fresh` until the store was read (`takeFresh`, `inform`); then it is decided: settled
 * without a call, parked until its parent exists, or ready. `take` cuts a batch; the receipt then says `accepted`,
 * `rejected`, `again` or `unknown` of each entry, or `split` of the whole batch (`outcomes`), and the entry moves on.
 *
 * The window does no I/O and never waits; its size is bounded by the budget of the records in it.
 */
import type { Entity, Lane, Mutation } from "../domain/mutation.ts";
import type { TopicPartition } from "../domain/record.ts";
import type { EntityId, Remembered } from "../domain/stages.ts";
import type { Cut } from "./cut.ts";
import type { WindowDeps, WindowOptions } from "./deps.ts";
import { Entries } from "./entries.ts";
import { type Entry, entryId, idOf } from "./entry.ts";
import { Outcomes } from "./outcomes.ts";
import { Withholding } from "./withholding.ts";

export class Window {
  /** What the receipt of a batch said of each entry. */
  readonly outcomes: Outcomes;
  /** What a person takes away. */
  readonly withholding: Withholding;
  readonly #deps: WindowDeps;
  readonly #entries: Entries;

  constructor(options: WindowOptions, deps: WindowDeps) {
    this.#deps = deps;
    this.#entries = new Entries(options, deps);
    this.outcomes = new Outcomes(this.#entries, options, deps);
    this.withholding = new Withholding(this.#entries, options, deps);
  }

  /** The entry with the oldest live record, looked for among all of them. */
  oldestLive(): Entry | null {
    let oldest: Entry | null = null;
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const entry of this.#entries.all()) {
      const [first] = entry.queue;
      if (first === undefined || entry.lane !== "live" || first.record.timestampMs >= oldestMs) continue;
      [oldest, oldestMs] = [entry, first.record.timestampMs];
    }
    return oldest;
  }

  parked(): ReadonlyMap<Entity, number> {
    return this.#entries.references.parked();
  }

  get size(): number {
    return this.#entries.size;
  }

  add(mutation: Mutation): void {
    const entry = this.#entries.findOrOpen(mutation.entity, mutation.key, mutation.lane);
    if (entry.queue.length === 0) entry.arrivedMs = this.#now();
    entry.append(mutation);
    // A resync comes because somebody changed the record in Sell.
    if (mutation.replayOf?.kind === "resync" || !this.#deps.trusts(mutation)) entry.isDoubtful = true;
    const { state } = entry;
    if (state === "parked") this.#entries.references.leave(entry);
    if (mutation.lane === "live") entry.lane = "live"; // merging a backfill change with a live one makes it live
    if (state === "ready" || state === "parked") this.#entries.resume(entry);
    // A key that changes all the time keeps its place in the queue; otherwise it would never come to the front.
    if (state === "ready" && (entry.state !== "ready" || entry.plan === null)) this.#entries.batches.delete(entry);
  }

  // --- what is remembered of the records --------------------------------------------------------------------------------

  /** Up to `limit` entries whose own or whose parents' memory must be read, with the ids to ask for. */
  takeFresh(limit: number): { readonly entries: readonly Entry[]; readonly ids: readonly EntityId[] } {
    const entries = this.#entries.takeFresh(limit);
    const ids = new Map<string, EntityId>();
    for (const entry of entries) {
      if (entry.known === undefined) ids.set(entry.id, { entity: entry.entity, key: entry.key });
      for (const ref of this.#entries.references.unasked(entry)) ids.set(entryId(ref.entity, ref.key), ref);
    }
    return { entries, ids: [...ids.values()] };
  }

  inform(entries: readonly Entry[], memory: ReadonlyMap<string, Remembered | null>): void {
    for (const entry of entries) {
      if (entry.known === undefined) entry.known = memory.get(entry.id) ?? null;
      for (const ref of this.#entries.references.unasked(entry)) {
        const id = entryId(ref.entity, ref.key);
        entry.knowParent(id, idOf(memory.get(id)));
      }
      if (entry.state === "fresh") this.#entries.evaluate(entry);
    }
  }

  /** Parents that children wait for and that are not here: another replica may have created them meanwhile. */
  awaitedParents(limit: number): readonly EntityId[] {
    const ids: EntityId[] = [];
    for (const entry of this.#entries.all()) {
      if (ids.length === limit) break;
      const isHere = entry.queue.length > 0 || entry.state === "in-flight" || entry.state === "fresh";
      if (entry.children.size > 0 && !isHere) ids.push(entry);
    }
    return ids;
  }

  informParent(id: EntityId, remembered: Remembered | null): void {
    const entry = this.#entries.find(entryId(id.entity, id.key));
    if (entry === undefined || idOf(remembered) === null || entry.queue.length > 0) return;
    if (entry.state === "in-flight" || entry.state === "fresh") return; // its own answer is on the way
    this.#entries.unplace(entry); // the lookup is no longer needed
    entry.plan = null;
    entry.known = remembered;
    this.#entries.evaluate(entry);
  }

  // --- batches ------------------------------------------------------------------------------------------------------------

  /** Milliseconds until a batch of this lane is due; <= 0 now, Infinity when nothing waits. */
  dueInMs(lane: Lane): number {
    // A timer may make an entry ready; whether it does is seen when it has rung.
    const timerMs = Math.max(this.#entries.nextTimerInMs(), 1);
    return Math.min(this.#entries.batches.dueInMs(lane), timerMs);
  }

  /** Cuts the next batch: oldest first, one entity, one verb, a key once. Null: nothing of that lane is due any more. */
  take(lane: Lane): Cut | null {
    return this.#entries.batches.take(lane);
  }

  /**
   * Topics stopped, or go on: takes what is ready of those back, and what stood still of these out again, in its order. What
   * may have been applied already is repeated until its outcome is known.
   */
  stopsChanged(): void {
    for (const entry of this.#entries.all()) {
      const { state, candidate } = entry;
      if (candidate === undefined || (state !== "stopped" && (state !== "ready" || entry.pinned > 0))) continue;
      if ((state === "stopped") === this.#deps.isStopped(candidate)) continue;
      this.#entries.unplace(entry);
      entry.plan = null;
      this.#entries.evaluate(entry);
    }
  }

  // --- ownership ----------------------------------------------------------------------------------------------------------

  /** Forgets every change of partitions that are lost; requests on the wire are left to end, their outcome is ignored. */
  drop(isLost: (partition: TopicPartition) => boolean): void {
    for (const entry of [...this.#entries.all()]) {
      if (!entry.queue.some((mutation) => isLost(mutation.record.position))) continue;
      const onTheWire = entry.state === "in-flight" || entry.state === "held";
      if (!onTheWire) this.#entries.unplace(entry);
      entry.removeWhere((mutation) => isLost(mutation.record.position));
      this.#entries.batches.deleteFromHalf(entry);
      entry.known = undefined; // the new owner may write it before it comes back
      entry.lookedUp = false;
      entry.reset();
      if (!onTheWire) this.#entries.evaluate(entry);
    }
  }

  /** Partitions that must not be handed over as clean: something is on the wire, of unknown outcome, or may yet be applied. */
  unsettledPartitions(): readonly TopicPartition[] {
    const now = this.#now();
    const partitions: TopicPartition[] = [];
    for (const entry of this.#entries.all()) {
      const busy = entry.state === "in-flight" || entry.state === "held" || entry.unknowns > 0;
      if (busy) partitions.push(...entry.queue.slice(0, entry.standsFor).flatMap(partitionsOf));
      if (entry.lockedUntilMs > now && entry.from !== null) partitions.push(entry.from);
    }
    return partitions;
  }

  /** Milliseconds until no record is young enough to be twinned by another owner's upsert. */
  indexLagLeftMs(): number {
    const now = this.#now();
    let left = 0;
    for (const entry of this.#entries.all())
      if (!entry.lateApply) left = Math.max(left, entry.lockedUntilMs - now, entry.foundFromMs - now);
    return left;
  }

  #now(): number {
    return this.#deps.clock.monotonicMs();
  }
}

const partitionsOf = ({ record, replayOf }: Mutation): readonly TopicPartition[] =>
  replayOf === undefined ? [record.position] : [record.position, replayOf];
