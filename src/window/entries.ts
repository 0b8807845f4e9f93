/**
 * The entries of the window, and what becomes of each next: `evaluate` decides where an entry waits, from what is known of its
 * record and its parents. An entry is forgotten when nothing waits for it and its lock has passed.
 */
import type { Entity, Lane } from "../domain/mutation.ts";
import type { EntityId, Remembered } from "../domain/stages.ts";
import { Batches } from "./batches.ts";
import { decide } from "./decide.ts";
import type { WindowDeps, WindowOptions } from "./deps.ts";
import { Entry, entryId } from "./entry.ts";
import { Guard } from "./guard.ts";
import { References } from "./references.ts";
import { Timers } from "./timers.ts";

export class Entries {
  readonly batches: Batches;
  readonly references: References;
  readonly #deps: WindowDeps;
  readonly #byId = new Map<string, Entry>();
  readonly #fresh = new Set<Entry>();
  readonly #timers = new Timers();
  readonly #guard = new Guard();

  constructor(options: WindowOptions, deps: WindowDeps) {
    this.#deps = deps;
    this.batches = new Batches(options, deps);
    this.references = new References({
      find: (id) => this.find(id),
      findOrOpen: (entity, key, lane) => this.findOrOpen(entity, key, lane),
      abandon: (parent) => this.#forgetIdle(parent),
      askAgain: (parent) => this.#lookUpAgain(parent),
      reconsider: (child) => this.evaluate(child),
    });
  }

  get size(): number {
    return this.#byId.size;
  }

  all(): Iterable<Entry> {
    return this.#byId.values();
  }

  find(id: string): Entry | undefined {
    return this.#byId.get(id);
  }

  findOrOpen(entity: Entity, key: string, lane: Lane): Entry {
    const id = entryId(entity, key);
    let entry = this.#byId.get(id);
    if (entry === undefined) {
      entry = new Entry(entity, key);
      entry.lane = lane;
      entry.arrivedMs = this.#now();
      this.#byId.set(id, entry);
      this.#makeFresh(entry);
    }
    return entry;
  }

  /** Up to `limit` entries whose memory, or whose parents' memory, must be read. */
  takeFresh(limit: number): readonly Entry[] {
    const entries: Entry[] = [];
    for (const entry of this.#fresh) {
      if (entries.length === limit) break;
      this.#fresh.delete(entry);
      entries.push(entry);
    }
    return entries;
  }

  /** Settles what needs no call, and puts the entry where it waits for what it needs next. */
  evaluate(entry: Entry): void {
    for (;;) {
      if (entry.lockedUntilMs > this.#now()) return this.wait(entry, entry.lockedUntilMs);
      entry.lateApply = false;
      const mutation = entry.candidate;
      if (mutation === undefined) return this.#serveChildren(entry);
      if (entry.known === undefined || this.references.unasked(entry).length > 0) return this.#makeFresh(entry);
      // What was deleted as far as anybody remembers may have come back since.
      const known = entry.isDoubtful && entry.known?.deleted === true ? null : entry.known;
      const verdict = this.#guard.judge(entry, mutation, known);
      if (verdict !== "apply") {
        this.#deps.emit("stale-skipped", { entity: entry.entity, reason: verdict });
        // What is deleted already ends a whole run; a re-delivered change says nothing about those before it.
        this.#deps.settle(verdict === "already-deleted" ? entry.shift(entry.standsFor) : entry.dropCandidate());
        continue;
      }
      const { lookedUp, parents, isDoubtful } = entry;
      const decision = decide(mutation, { known, lookedUp, parents, trusted: !isDoubtful });
      // Nor is it parked: else it would be asked for again and again that a parent cannot be found.
      if (decision.kind !== "done" && this.#deps.isStopped(mutation)) {
        entry.state = "stopped";
        return;
      }
      switch (decision.kind) {
        case "send":
          return this.batches.add(entry, decision.plan);
        case "park":
          return this.#park(entry, decision.missing);
        case "done":
          if (decision.reason === "no-op") this.#deps.emit("no-op", { entity: entry.entity });
          this.#deps.settle(entry.shift(entry.standsFor));
      }
    }
  }

  /** Nothing is left of what it was to be sent with, as when its changes were lost with their partition. */
  decideAnew(entry: Entry): void {
    entry.unpin();
    this.evaluate(entry);
  }

  /** What was found by a lookup, null for nothing, for the entry and all that waits for it. */
  lookedUp(entry: Entry, memory: Remembered | null): void {
    entry.known = memory;
    entry.found = memory;
    entry.lookedUp = memory === null;
    entry.unpin();
    this.references.release(entry);
    this.evaluate(entry);
  }

  retryAt(entry: Entry, waitMs: number): void {
    if (entry.plan === null) return this.decideAnew(entry);
    // A body that may have been applied stays; otherwise a newer change may take its place.
    if (entry.unknowns === 0 && !entry.completesCreation) entry.pinned = 0;
    if (waitMs > 0) return this.wait(entry, this.#now() + waitMs);
    this.resume(entry);
  }

  /** The same body again where it is pinned, else whatever is right now. */
  resume(entry: Entry): void {
    if (entry.pinned > 0 && entry.plan !== null) this.batches.add(entry, entry.plan);
    else this.evaluate(entry);
  }

  wait(entry: Entry, dueMs: number): void {
    this.#timers.set(entry, dueMs);
    this.#deps.changed();
  }

  /** Milliseconds until the next timer rings, once those that have rung are done with. */
  nextTimerInMs(): number {
    for (const entry of this.#timers.ring(this.#now())) this.resume(entry);
    return this.#timers.nextMs - this.#now();
  }

  /** Takes the entry out of whatever it waits in; its state is then to be decided anew. */
  unplace(entry: Entry): void {
    this.batches.delete(entry);
    this.references.leave(entry);
  }

  /** Nothing of its own waits: find the record for its children, or forget the entry. */
  #serveChildren(entry: Entry): void {
    this.references.release(entry);
    if (entry.children.size === 0) {
      this.#forget(entry);
    } else if (entry.known === undefined) {
      this.#makeFresh(entry);
    } else if (!entry.lookedUp) {
      this.batches.add(entry, { verb: "lookup", id: null, body: {}, fingerprint: null });
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
    this.batches.delete(entry);
    this.#forget(entry);
  }

  /** Told twice of one entry, as by a timer or an answer of the store on its way, it must not take its successor along. */
  #forget(entry: Entry): void {
    this.#fresh.delete(entry);
    if (this.#byId.get(entry.id) === entry) this.#byId.delete(entry.id);
  }

  #park(entry: Entry, missing: readonly EntityId[]): void {
    this.references.park(entry, missing);
    this.#deps.emit("reference-parked", { entity: entry.entity });
  }

  #makeFresh(entry: Entry): void {
    entry.state = "fresh";
    this.#fresh.add(entry);
    if (this.#fresh.size === 1) this.#deps.arrived();
  }

  #now(): number {
    return this.#deps.clock.monotonicMs();
  }
}
