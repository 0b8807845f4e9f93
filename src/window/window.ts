/**
 * Pending work, one entry a record of the CRM: all key locks of the process are here.
 *
 * A change is added; its entry is `fresh` until the store was read (`takeFresh`, `inform`); then it is decided: settled
 * without a call, parked until its parent exists, or ready. `take` cuts a batch; the receipt then says `accepted`,
 * `rejected`, `again` or `unknown` of each entry, or `split` of the whole batch, and the entry moves on. An entry is
 * forgotten when nothing waits for it and its lock has passed.
 *
 * The window does no I/O and never waits; its size is bounded by the budget of the records in it.
 */
import { LRUCache } from "lru-cache";
import type { Entity, Lane, Mutation } from "../domain/mutation.ts";
import type { Outcome } from "../domain/receipt.ts";
import type { TopicPartition } from "../domain/record.ts";
import type { EntityId, Remembered } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import type { Emit } from "../telemetry/events.ts";
import { type ClosedBy, type Cut, cut } from "./cut.ts";
import { decide } from "./decide.ts";
import { Entry, entryId, idOf, type Plan } from "./entry.ts";
import { hasPassed, judge, type Verdict } from "./guard.ts";
import { Halves } from "./halves.ts";
import { memoryAfter } from "./memory.ts";
import { type Group, ReadyQueue } from "./ready-queue.ts";
import { References } from "./references.ts";
import { Timers } from "./timers.ts";

export interface WindowOptions {
  readonly maxItems: number;
  readonly lingerMs: number;
  /** How long a created record is locked: an upsert by key within Sell's index lag would make a twin. */
  readonly indexLagMs: number;
  /** How long Sell may still apply a request whose outcome nobody knows. */
  readonly lateApplyMaxMs: number;
  readonly parkTimeoutMs: number;
}

export interface WindowDeps {
  readonly clock: Clock;
  readonly emit: Emit;
  /** These changes are settled: accepted, superseded by an accepted one, or without effect. */
  readonly settle: (mutations: readonly Mutation[]) => void;
  /** False: what was accepted of this change's key shortly before a crash may not have been remembered. */
  readonly trusts: (mutation: Mutation) => boolean;
  /** Whether requests for this entity may leave now. */
  readonly maySendOf: (entity: Entity) => boolean;
  /** Nothing of this change's topic may be sent: most of its records fail, or a person has to look first, or has paused it. */
  readonly isStopped: (mutation: Mutation) => boolean;
  /** A batch may be due now, or earlier than `dueInMs` last said. */
  readonly changed: () => void;
  /** There are entries for `takeFresh`. */
  readonly arrived: () => void;
}

const SKIPPED_MAX = 10_000;

/** One change of a record that a person takes away. */
export interface Withheld {
  readonly entry: Entry;
  readonly mutation: Mutation;
}

export class Window {
  readonly #options: WindowOptions;
  readonly #deps: WindowDeps;
  readonly #entries = new Map<string, Entry>();
  readonly #fresh = new Set<Entry>();
  readonly #ready = new ReadyQueue();
  readonly #timers = new Timers();
  readonly #halves = new Halves();
  readonly #references: References;
  /**
   * Entries whose last change was a delete that the guard skipped; its tombstone follows at once or never. Made for the first
   * one: the cache allocates all of its slots at once.
   */
  #skippedDeletes: LRUCache<string, true> | null = null;

  constructor(options: WindowOptions, deps: WindowDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#references = new References({
      find: (id) => this.#entries.get(id),
      findOrOpen: (entity, key, lane) => this.#entry(entity, key, lane),
      abandon: (parent) => this.#forgetIdle(parent),
      askAgain: (parent) => this.#lookUpAgain(parent),
      reconsider: (child) => this.#evaluate(child),
    });
  }

  parked(): ReadonlyMap<Entity, number> {
    return this.#references.parked();
  }

  get size(): number {
    return this.#entries.size;
  }

  add(mutation: Mutation): void {
    const entry = this.#entry(mutation.entity, mutation.key, mutation.lane);
    if (entry.queue.length === 0) entry.arrivedMs = this.#now();
    entry.append(mutation);
    // A resync comes because somebody changed the record in Sell.
    if (mutation.replayOf?.kind === "resync" || !this.#deps.trusts(mutation)) entry.isDoubtful = true;
    const { state } = entry;
    if (state === "parked") this.#references.leave(entry);
    if (mutation.lane === "live") entry.lane = "live"; // merging a backfill change with a live one makes it live
    if (state === "ready" || state === "parked") this.#resume(entry);
    // A key that changes all the time keeps its place in the queue; otherwise it would never come to the front.
    if (state === "ready" && (entry.state !== "ready" || entry.plan === null)) this.#ready.delete(entry);
  }

  // --- what is remembered of the records --------------------------------------------------------------------------------

  /** Up to `limit` entries whose own or whose parents' memory must be read, with the ids to ask for. */
  takeFresh(limit: number): { readonly entries: readonly Entry[]; readonly ids: readonly EntityId[] } {
    const entries: Entry[] = [];
    const ids = new Map<string, EntityId>();
    for (const entry of this.#fresh) {
      if (entries.length === limit) break;
      this.#fresh.delete(entry);
      entries.push(entry);
      if (entry.known === undefined) ids.set(entry.id, { entity: entry.entity, key: entry.key });
      for (const ref of this.#references.unasked(entry)) ids.set(entryId(ref.entity, ref.key), ref);
    }
    return { entries, ids: [...ids.values()] };
  }

  inform(entries: readonly Entry[], memory: ReadonlyMap<string, Remembered | null>): void {
    for (const entry of entries) {
      if (entry.known === undefined) entry.known = memory.get(entry.id) ?? null;
      for (const ref of this.#references.unasked(entry)) {
        const id = entryId(ref.entity, ref.key);
        entry.knowParent(id, idOf(memory.get(id)));
      }
      if (entry.state === "fresh") this.#evaluate(entry);
    }
  }

  /** Parents that children wait for and that are not here: another replica may have created them meanwhile. */
  awaitedParents(limit: number): readonly EntityId[] {
    const ids: EntityId[] = [];
    for (const entry of this.#entries.values()) {
      if (ids.length === limit) break;
      const isHere = entry.queue.length > 0 || entry.state === "in-flight" || entry.state === "fresh";
      if (entry.children.size > 0 && !isHere) ids.push(entry);
    }
    return ids;
  }

  informParent(id: EntityId, remembered: Remembered | null): void {
    const entry = this.#entries.get(entryId(id.entity, id.key));
    if (entry === undefined || idOf(remembered) === null || entry.queue.length > 0) return;
    if (entry.state === "in-flight" || entry.state === "fresh") return; // its own answer is on the way
    this.#unplace(entry); // the lookup is no longer needed
    entry.plan = null;
    entry.known = remembered;
    this.#evaluate(entry);
  }

  // --- batches ------------------------------------------------------------------------------------------------------------

  /** Milliseconds until a batch of this lane is due; <= 0 now, Infinity when nothing waits. */
  dueInMs(lane: Lane): number {
    this.#tick();
    const now = this.#now();
    // A timer may make an entry ready; whether it does is seen when it has rung.
    const { maySendOf } = this.#deps;
    let due = Math.min(this.#halves.dueMs(lane, maySendOf) - now, Math.max(this.#timers.nextMs - now, 1));
    for (const group of this.#ready.groups()) due = Math.min(due, this.#groupDueInMs(group, lane, now));
    return due;
  }

  /** Cuts the next batch: oldest first, one entity, one verb, a key once. Null: nothing of that lane is due any more. */
  take(lane: Lane): Cut | null {
    const now = this.#now();
    const half = this.#halves.take(lane, now, this.#deps.maySendOf);
    if (half !== null) return this.#cut(half, lane, "retry");
    const group = this.#ready.oldest(lane, (candidate) => this.#groupDueInMs(candidate, lane, now) <= 0);
    if (group === null) return null;
    const most = this.#most(group);
    const closedBy = group.size >= most ? "count" : "age";
    return this.#cut(group.take(lane, most), lane, closedBy);
  }

  #cut(entries: readonly Entry[], lane: Lane, closedBy: ClosedBy): Cut {
    for (const entry of entries) entry.firstSentMs ??= this.#deps.clock.now();
    return cut(entries, lane, closedBy);
  }

  /** The batch was not sent, or surely not looked at: it goes first when requests go out again, after `waitMs`. */
  giveBack(entries: readonly Entry[], waitMs = 0): void {
    for (const entry of entries) {
      entry.returned = true;
      this.#retryAt(entry, waitMs);
    }
  }

  // --- outcomes -----------------------------------------------------------------------------------------------------------

  /** What the store shall remember once Sell accepted the entry's plan; null when that is nothing new. */
  memoryOf(entry: Entry, outcome: Outcome & { status: "accepted" }): Remembered | null {
    return memoryAfter(entry, outcome, this.#deps.clock.now());
  }

  /** Call after the store remembers `memory`: only then may the positions settle. */
  accepted(entry: Entry, outcome: Outcome & { status: "accepted" }, memory: Remembered | null): void {
    const { plan, candidate } = entry;
    if (plan?.verb === "lookup")
      return memory?.deleted === true ? this.#gone(entry, memory) : this.#lookedUp(entry, memory);
    if (plan === null || candidate === undefined) return this.#abandoned(entry);
    entry.isDoubtful = false;
    if (memory === null) return this.#vanished(entry, candidate);
    entry.known = memory;
    this.#lockAfterAcceptance(entry, outcome.result === "created" || outcome.lags === true);
    if (outcome.result === "created" && !entry.completesCreation && Object.keys(candidate.onCreate).length > 0) {
      entry.completesCreation = true;
      entry.plan = { verb: "upsert", id: memory.id, body: candidate.onCreate, fingerprint: plan.fingerprint };
      this.#references.release(entry);
      return this.#wait(entry, entry.lockedUntilMs);
    }
    this.#reset(entry);
    this.#deps.settle(entry.shift(entry.standsFor));
    this.#references.release(entry);
    this.#evaluate(entry);
  }

  /** Its dead letter is being written; the key stays locked. */
  hold(entry: Entry): void {
    entry.state = "held";
  }

  /** Call after the dead letter of its candidate is stored: the change before it, if any, goes next. */
  rejected(entry: Entry, mutation: Mutation): void {
    this.#reset(entry);
    if (entry.candidate === mutation) this.#deps.settle(entry.dropCandidate());
    this.#evaluate(entry);
  }

  /** It may not be sent now, or again: it stays as it is, unsettled. */
  stop(entry: Entry): void {
    this.#unpin(entry);
    this.#evaluate(entry);
  }

  /**
   * Topics stopped, or go on: takes what is ready of those back, and what stood still of these out again, in its order. What
   * may have been applied already is repeated until its outcome is known.
   */
  stopsChanged(): void {
    for (const entry of this.#entries.values()) {
      const { state, candidate } = entry;
      if (candidate === undefined || (state !== "stopped" && (state !== "ready" || entry.pinned > 0))) continue;
      if ((state === "stopped") === this.#deps.isStopped(candidate)) continue;
      this.#unplace(entry);
      entry.plan = null;
      this.#evaluate(entry);
    }
  }

  /** A lookup of a parent cannot be answered: its children go on waiting. */
  unanswerable(entry: Entry): void {
    this.#lookedUp(entry, null);
  }

  /** A step is done. The next goes on, with the newest change unless the outcome of an earlier try is not known. */
  progressed(entry: Entry, { alone, created }: Outcome & { status: "progress" }): void {
    entry.returned = true;
    entry.alone ||= alone;
    entry.foundFromMs = this.#now() + this.#options.indexLagMs;
    this.#lockAfterAcceptance(entry, created);
    this.#retryAt(entry, created ? this.#options.indexLagMs : 0);
  }

  /** Surely not applied: the newest change goes, after `waitMs`. */
  again(entry: Entry, waitMs: number): void {
    entry.attempts += 1;
    this.#retryAt(entry, waitMs);
  }

  /**
   * These may have been applied: the same bodies again after `waitMs`, and nothing else of their keys before
   * `lateApplyMaxMs` has passed since. A body that may create waits until the one before is applied or never will be, and
   * is found: two of them within the index lag make a twin, and asking Sell in between would not tell of one still to come.
   * A batch that twice got no answer at all goes in halves, so that a record that breaks the server ends up alone.
   */
  unknown(entries: readonly Entry[], waitMs: number): void {
    const { lateApplyMaxMs, indexLagMs } = this.#options;
    const waitOf = ({ plan }: Entry): number =>
      plan?.verb === "upsert" && plan.id === null ? Math.max(waitMs, lateApplyMaxMs + indexLagMs) : waitMs;
    for (const entry of entries) {
      entry.attempts += 1;
      if (entry.plan?.verb === "lookup") continue;
      entry.unknowns += 1;
      entry.lateApply = true;
      entry.from = originOf(entry.candidate);
      entry.lockedUntilMs = this.#now() + lateApplyMaxMs;
    }
    if (entries.length > 1 && entries.every(({ unknowns }) => unknowns > 1))
      return this.split(entries, Math.max(...entries.map(waitOf)));
    for (const entry of entries) this.#retryAt(entry, waitOf(entry));
  }

  /** The batch was refused for one of its records: its halves go on their own after `waitMs`. */
  split(entries: readonly Entry[], waitMs: number): void {
    const [left, lost] = [entries.filter(({ plan }) => plan !== null), entries.filter(({ plan }) => plan === null)];
    for (const entry of lost) this.#abandoned(entry);
    this.#halves.split(left, this.#now() + waitMs);
    this.#deps.changed();
  }

  // --- a record that a person takes away ----------------------------------------------------------------------------------

  /**
   * Every change that the record gave, its keys locked from now on until each was told by `takenAway`. Null: one of them is on
   * the wire or on its way to the dead letters, and nothing was done.
   */
  withhold({ topic, partition, offset }: TopicPartition & { readonly offset: bigint }): readonly Withheld[] | null {
    const found: Withheld[] = [];
    for (const entry of this.#entries.values()) {
      for (const mutation of entry.queue) {
        const { position } = mutation.record;
        if (position.offset !== offset || position.partition !== partition || position.topic !== topic) continue;
        if (entry.state === "in-flight" || entry.state === "held") return null;
        found.push({ entry, mutation });
      }
    }
    for (const { entry } of found) {
      this.#unplace(entry);
      this.#halves.delete(entry);
      entry.state = "held";
    }
    return found;
  }

  /**
   * What the store shall remember of them once the dead letter is stored, and before `takenAway`: where a request left with one,
   * Sell may hold it in spite of everything.
   */
  doubtsOf(withheld: readonly Withheld[]): readonly (readonly [EntityId, Remembered])[] {
    return withheld.flatMap(({ entry, mutation }): (readonly [EntityId, Remembered])[] => {
      const { entity, key, known } = entry;
      if (!isTried(entry, mutation) || known == null) return [];
      return [
        [
          { entity, key },
          { ...known, fingerprint: null, deleted: false },
        ],
      ];
    });
  }

  /**
   * Call after the dead letter is stored. Of a candidate that may have been applied the key stays locked as long as it may still
   * be, and nothing remembered of it is trusted; the change before it, if any, goes next. Without another change only that
   * one is gone.
   */
  takenAway({ entry, mutation }: Withheld): void {
    const { indexLagMs } = this.#options;
    const foundMs = entry.lockedUntilMs + indexLagMs;
    if (entry.candidate === mutation) {
      if (entry.unknowns > 0) entry.lockedUntilMs = foundMs;
      if (isTried(entry, mutation)) {
        entry.isDoubtful = true;
        entry.lookedUp = false;
      }
      this.#reset(entry);
      this.#deps.settle(entry.dropCandidate());
      return this.#evaluate(entry);
    }
    this.#deps.settle(entry.drop(mutation));
    const dueMs = Number.isFinite(entry.dueMs) ? entry.dueMs : foundMs; // it was in half a batch, which had its own time
    if (dueMs > this.#now()) this.#wait(entry, dueMs);
    else this.#resume(entry);
  }

  // --- parked children ----------------------------------------------------------------------------------------------------

  /** Adds time during which Sell accepted; returns the children that have waited long enough, now held for their dead letter. */
  expireParked(elapsedMs: number): readonly Entry[] {
    return this.#held(this.#references.expire(elapsedMs, this.#options.parkTimeoutMs));
  }

  /** Several records answer to the key of a parent that was looked up: returns its children, now held for their dead letter. */
  ambiguous(parent: Entry): readonly Entry[] {
    const children = this.#held(this.#references.dismiss(parent));
    this.#lookedUp(parent, null);
    return children;
  }

  #held(children: readonly Entry[]): readonly Entry[] {
    for (const child of children) {
      child.pinned = child.standsFor;
      child.state = "held";
    }
    return children;
  }

  // --- ownership ----------------------------------------------------------------------------------------------------------

  /** Forgets every change of partitions that are lost; requests on the wire are left to end, their outcome is ignored. */
  drop(isLost: (partition: TopicPartition) => boolean): void {
    for (const entry of [...this.#entries.values()]) {
      if (!entry.queue.some((mutation) => isLost(mutation.record.position))) continue;
      const onTheWire = entry.state === "in-flight" || entry.state === "held";
      if (!onTheWire) this.#unplace(entry);
      entry.removeWhere((mutation) => isLost(mutation.record.position));
      this.#halves.delete(entry);
      entry.known = undefined; // the new owner may write it before it comes back
      entry.lookedUp = false;
      this.#reset(entry);
      if (!onTheWire) this.#evaluate(entry);
    }
  }

  /** Partitions that must not be handed over as clean: something is on the wire, of unknown outcome, or may yet be applied. */
  unsettledPartitions(): readonly TopicPartition[] {
    const now = this.#now();
    const partitions: TopicPartition[] = [];
    for (const entry of this.#entries.values()) {
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
    for (const entry of this.#entries.values())
      if (!entry.lateApply) left = Math.max(left, entry.lockedUntilMs - now, entry.foundFromMs - now);
    return left;
  }

  // --- the state machine ----------------------------------------------------------------------------------------------------

  #now(): number {
    return this.#deps.clock.monotonicMs();
  }

  #entry(entity: Entity, key: string, lane: Lane): Entry {
    const id = entryId(entity, key);
    let entry = this.#entries.get(id);
    if (entry === undefined) {
      entry = new Entry(entity, key);
      entry.lane = lane;
      entry.arrivedMs = this.#now();
      this.#entries.set(id, entry);
      this.#makeFresh(entry);
    }
    return entry;
  }

  #makeFresh(entry: Entry): void {
    entry.state = "fresh";
    this.#fresh.add(entry);
    if (this.#fresh.size === 1) this.#deps.arrived();
  }

  #evaluate(entry: Entry): void {
    for (;;) {
      if (entry.lockedUntilMs > this.#now()) return this.#wait(entry, entry.lockedUntilMs);
      entry.lateApply = false;
      const mutation = entry.candidate;
      if (mutation === undefined) return this.#serveChildren(entry);
      if (entry.known === undefined || this.#references.unasked(entry).length > 0) return this.#makeFresh(entry);
      // What was deleted as far as anybody remembers may have come back since.
      const known = entry.isDoubtful && entry.known?.deleted === true ? null : entry.known;
      const verdict = this.#judge(entry, mutation, known);
      if (verdict !== "apply") {
        this.#deps.emit("stale-skipped", { entity: entry.entity, reason: verdict });
        // What is deleted already ends a whole run; a re-delivered change says nothing about those before it.
        this.#deps.settle(verdict === "already-deleted" ? entry.shift(entry.standsFor) : entry.dropCandidate());
        continue;
      }
      const { lookedUp, parents, isDoubtful } = entry;
      const decision = decide(mutation, { known, lookedUp, parents, trusted: !isDoubtful });
      switch (decision.kind) {
        case "send":
          if (this.#deps.isStopped(mutation)) {
            entry.state = "stopped";
            return;
          }
          return this.#place(entry, decision.plan);
        case "park":
          // Otherwise it would be asked for again and again that a parent cannot be found.
          if (this.#deps.isStopped(mutation)) {
            entry.state = "stopped";
            return;
          }
          return this.#park(entry, decision.missing);
        case "done":
          if (decision.reason === "no-op") this.#deps.emit("no-op", { entity: entry.entity });
          this.#deps.settle(entry.shift(entry.standsFor));
      }
    }
  }

  /** The tombstone of a delete that was skipped has no position to be judged by: it is skipped with it. */
  #judge(entry: Entry, mutation: Mutation, known: Remembered | null): Verdict {
    // Also where the memory is doubtful: that a newer record was accepted is true for ever.
    if (mutation.replayOf !== undefined && hasPassed(mutation.replayOf, entry.known ?? null)) return "passed";
    if (mutation.tombstone && this.#skippedDeletes?.has(entry.id) === true) return "stale";
    const verdict = judge(mutation, known);
    const isSkipped = mutation.isDelete && (verdict === "stale" || verdict === "duplicate");
    if (isSkipped) (this.#skippedDeletes ??= new LRUCache({ max: SKIPPED_MAX })).set(entry.id, true);
    else this.#skippedDeletes?.delete(entry.id);
    return verdict;
  }

  #place(entry: Entry, plan: Plan): void {
    entry.plan = plan;
    entry.state = "ready";
    const group = this.#ready.add(entry, plan.verb);
    // Only the first of a lane, one that comes back and the one that fills a batch alter what is due.
    const isFirst = group.sizeOf(entry.lane) === 1;
    if (isFirst || entry.comesBack || group.size === this.#most(group)) this.#deps.changed();
  }

  /** Nothing of its own waits: find the record for its children, or forget the entry. */
  #serveChildren(entry: Entry): void {
    this.#references.release(entry);
    if (entry.children.size === 0) {
      this.#forget(entry);
    } else if (entry.known === undefined) {
      this.#makeFresh(entry);
    } else if (!entry.lookedUp) {
      this.#place(entry, { verb: "lookup", id: null, body: {}, fingerprint: null });
    } else {
      entry.state = "parked"; // until the record appears
    }
  }

  #lookUpAgain(parent: Entry): void {
    if (parent.state !== "parked" || parent.queue.length > 0) return;
    parent.lookedUp = false;
    this.#serveChildren(parent);
  }

  /** On the wire or locked it has to stay a while; otherwise the lookup it was kept for is pointless now. */
  #forgetIdle(entry: Entry): void {
    if (entry.state === "in-flight" || entry.state === "waiting") return;
    this.#ready.delete(entry);
    this.#forget(entry);
  }

  /** Told twice of one entry, as by a timer or an answer of the store on its way, it must not take its successor along. */
  #forget(entry: Entry): void {
    this.#fresh.delete(entry);
    if (this.#entries.get(entry.id) === entry) this.#entries.delete(entry.id);
  }

  #park(entry: Entry, missing: readonly EntityId[]): void {
    this.#references.park(entry, missing);
    this.#deps.emit("reference-parked", { entity: entry.entity });
  }

  #lookedUp(entry: Entry, memory: Remembered | null): void {
    entry.known = memory;
    entry.lookedUp = memory === null;
    this.#unpin(entry);
    this.#references.release(entry);
    this.#evaluate(entry);
  }

  /** A deletion found nothing to delete: all that it stands for is done. */
  #gone(entry: Entry, memory: Remembered): void {
    entry.known = memory;
    entry.lookedUp = true;
    this.#reset(entry);
    this.#deps.settle(entry.shift(entry.standsFor));
    this.#evaluate(entry);
  }

  /** The remembered record is gone in Sell: the route's `onMissing` says what now. A change that never creates is done with it. */
  #vanished(entry: Entry, { onMissing }: Mutation): void {
    if (onMissing !== "skip") {
      entry.known = null; // otherwise what comes after it is skipped by the same question
      entry.lookedUp = true;
    }
    const standsFor = entry.standsFor;
    this.#unpin(entry);
    if (onMissing === "skip") this.#deps.settle(entry.shift(standsFor));
    this.#evaluate(entry);
  }

  /** Its changes were lost with their partition while the request was on the wire. */
  #abandoned(entry: Entry): void {
    this.#unpin(entry);
    this.#evaluate(entry);
  }

  #lockAfterAcceptance(entry: Entry, created: boolean): void {
    const { indexLagMs } = this.#options;
    entry.from = originOf(entry.candidate);
    if (created) entry.lockedUntilMs = Math.max(entry.lockedUntilMs, this.#now() + indexLagMs);
  }

  #reset(entry: Entry): void {
    entry.firstSentMs = null;
    entry.attempts = 0;
    entry.unknowns = 0;
    entry.parkedMs = 0;
    entry.returned = false;
    entry.alone = false;
    entry.completesCreation = false;
  }

  #unpin(entry: Entry): void {
    this.#reset(entry);
    entry.pinned = 0;
    entry.plan = null;
  }

  #retryAt(entry: Entry, waitMs: number): void {
    if (entry.plan === null) return this.#abandoned(entry);
    // A body that may have been applied stays; otherwise a newer change may take its place.
    if (entry.unknowns === 0 && !entry.completesCreation) entry.pinned = 0;
    if (waitMs > 0) return this.#wait(entry, this.#now() + waitMs);
    this.#resume(entry);
  }

  /** The same body again where it is pinned, else whatever is right now. */
  #resume(entry: Entry): void {
    if (entry.pinned > 0 && entry.plan !== null) this.#place(entry, entry.plan);
    else this.#evaluate(entry);
  }

  #wait(entry: Entry, dueMs: number): void {
    this.#timers.set(entry, dueMs);
    this.#deps.changed();
  }

  #tick(): void {
    for (const entry of this.#timers.ring(this.#now())) this.#resume(entry);
  }

  /** Takes the entry out of whatever it waits in; its state is then to be decided anew. */
  #unplace(entry: Entry): void {
    this.#ready.delete(entry);
    this.#references.leave(entry);
  }

  #most({ verb, alone }: Group): number {
    return verb === "lookup" || alone ? 1 : this.#options.maxItems;
  }

  #groupDueInMs(group: Group, lane: Lane, now: number): number {
    const head = group.head(lane);
    if (head === undefined || !this.#deps.maySendOf(group.entity)) return Number.POSITIVE_INFINITY;
    if (head.comesBack) return 0;
    // A parent usually comes by itself, just behind its child: give it some time before a request is spent on it.
    if (group.verb === "lookup" && head.queue.length === 0) return head.arrivedMs + 5 * this.#options.lingerMs - now;
    return group.size >= this.#most(group) ? 0 : head.arrivedMs + this.#options.lingerMs - now;
  }
}

/** A request left with it. */
const isTried = ({ candidate, firstSentMs }: Entry, mutation: Mutation): boolean =>
  candidate === mutation && firstSentMs !== null;

/** Of a replay the partition of its record: newer ones of its key come from there. */
const originOf = (mutation: Mutation | undefined): TopicPartition | null =>
  mutation === undefined ? null : (mutation.replayOf ?? mutation.record.position);

const partitionsOf = ({ record, replayOf }: Mutation): readonly TopicPartition[] =>
  replayOf === undefined ? [record.position] : [record.position, replayOf];
