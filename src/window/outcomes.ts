/** What becomes of the entries of a batch, by what was said of each of them. */
import type { Mutation } from "../domain/mutation.ts";
import type { Outcome } from "../domain/receipt.ts";
import type { TopicPartition } from "../domain/record.ts";
import type { Remembered } from "../domain/stages.ts";
import type { WindowDeps, WindowOptions } from "./deps.ts";
import type { Entries } from "./entries.ts";
import type { Entry } from "./entry.ts";
import { memoryAfter } from "./memory.ts";
import type { IsWorkedOff } from "./references.ts";

export class Outcomes {
  readonly #entries: Entries;
  readonly #options: WindowOptions;
  readonly #deps: Pick<WindowDeps, "clock" | "settle">;

  constructor(entries: Entries, options: WindowOptions, deps: Pick<WindowDeps, "clock" | "settle">) {
    this.#entries = entries;
    this.#options = options;
    this.#deps = deps;
  }

  /** The batch was not sent, or surely not looked at: it goes first when requests go out again, after `waitMs`. */
  giveBack(entries: readonly Entry[], waitMs = 0): void {
    for (const entry of entries) {
      entry.returned = true;
      this.#entries.retryAt(entry, waitMs);
    }
  }

  /** What the store shall remember once Sell accepted the entry's plan; null when that is nothing new. */
  memoryOf(entry: Entry, outcome: Outcome & { status: "accepted" }): Remembered | null {
    return memoryAfter(entry, outcome, this.#deps.clock.now());
  }

  /** Call after the store remembers `memory`: only then may the positions settle. */
  accepted(entry: Entry, outcome: Outcome & { status: "accepted" }, memory: Remembered | null): void {
    const { plan, candidate } = entry;
    if (plan?.verb === "lookup")
      return memory?.deleted === true ? this.#gone(entry, memory) : this.#entries.lookedUp(entry, memory);
    if (plan === null || candidate === undefined) return this.#entries.decideAnew(entry);
    entry.isDoubtful = false;
    if (memory === null) return plan.verb === "delete" ? this.#searchedFor(entry) : this.#vanished(entry, candidate);
    entry.known = memory;
    this.#lockAfterAcceptance(entry, outcome.result === "created" || outcome.lags === true);
    if (outcome.result === "created" && !entry.completesCreation && Object.keys(candidate.onCreate).length > 0) {
      entry.completesCreation = true;
      entry.plan = { verb: "upsert", id: memory.id, body: candidate.onCreate, fingerprint: plan.fingerprint };
      this.#entries.references.release(entry);
      return this.#entries.wait(entry, entry.lockedUntilMs);
    }
    entry.reset();
    this.#deps.settle(entry.shift(entry.standsFor));
    this.#entries.references.release(entry);
    this.#entries.evaluate(entry);
  }

  /** Its dead letter is being written; the key stays locked. */
  hold(entry: Entry): void {
    entry.state = "held";
  }

  /** Call after the dead letter of its candidate is stored: the change before it, if any, goes next. */
  rejected(entry: Entry, mutation: Mutation): void {
    entry.reset();
    if (entry.candidate === mutation) this.#deps.settle(entry.dropCandidate());
    this.#entries.evaluate(entry);
  }

  /** It may not be sent now, or again: it stays as it is, unsettled. */
  stop(entry: Entry): void {
    this.#entries.decideAnew(entry);
  }

  /** A lookup of a parent cannot be answered: its children go on waiting. */
  unanswerable(entry: Entry): void {
    this.#entries.lookedUp(entry, null);
  }

  /** A step is done. The next goes on, with the newest change unless the outcome of an earlier try is not known. */
  progressed(entry: Entry, { alone, created }: Outcome & { status: "progress" }): void {
    entry.returned = true;
    entry.alone ||= alone;
    entry.foundFromMs = this.#now() + this.#options.indexLagMs;
    this.#lockAfterAcceptance(entry, created);
    this.#entries.retryAt(entry, created ? this.#options.indexLagMs : 0);
  }

  /** Surely not applied: the newest change goes, after `waitMs`. */
  again(entry: Entry, waitMs: number): void {
    entry.attempts += 1;
    this.#entries.retryAt(entry, waitMs);
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
    for (const entry of entries) this.#entries.retryAt(entry, waitOf(entry));
  }

  /** The batch was refused for one of its records: its halves go on their own after `waitMs`. */
  split(entries: readonly Entry[], waitMs: number): void {
    const [left, lost] = [entries.filter(({ plan }) => plan !== null), entries.filter(({ plan }) => plan === null)];
    for (const entry of lost) this.#entries.decideAnew(entry);
    this.#entries.batches.split(left, waitMs);
  }

  /** Adds time during which Sell accepted; returns the children that have waited long enough, now held for their dead letter. */
  expireParked(elapsedMs: number, isWorkedOff: IsWorkedOff): readonly Entry[] {
    return this.#held(this.#entries.references.expire(elapsedMs, this.#options.parkTimeoutMs, isWorkedOff));
  }

  /** Several records answer to the key of a parent that was looked up: returns its children, now held for their dead letter. */
  ambiguous(parent: Entry): readonly Entry[] {
    const children = this.#held(this.#entries.references.dismiss(parent));
    this.#entries.lookedUp(parent, null);
    return children;
  }

  #held(children: readonly Entry[]): readonly Entry[] {
    for (const child of children) {
      child.pinned = child.standsFor;
      child.state = "held";
    }
    return children;
  }

  /** A deletion found nothing to delete: all that it stands for is done. */
  #gone(entry: Entry, memory: Remembered): void {
    entry.known = memory;
    entry.lookedUp = true;
    entry.reset();
    this.#deps.settle(entry.shift(entry.standsFor));
    this.#entries.evaluate(entry);
  }

  /** It was not there by its id, which may be one of an earlier life: its key tells before the deletion counts as done. */
  #searchedFor(entry: Entry): void {
    entry.known = null;
    entry.lookedUp = false;
    this.#entries.decideAnew(entry);
  }

  /** The remembered record is gone in Sell: the route's `onMissing` says what now. A change that never creates is done with it. */
  #vanished(entry: Entry, { onMissing }: Mutation): void {
    if (onMissing !== "skip") {
      entry.known = null; // otherwise what comes after it is skipped by the same question
      entry.lookedUp = true;
    }
    const standsFor = entry.standsFor;
    entry.unpin();
    if (onMissing === "skip") this.#deps.settle(entry.shift(standsFor));
    this.#entries.evaluate(entry);
  }

  #lockAfterAcceptance(entry: Entry, created: boolean): void {
    const { indexLagMs } = this.#options;
    entry.from = originOf(entry.candidate);
    if (created) entry.lockedUntilMs = Math.max(entry.lockedUntilMs, this.#now() + indexLagMs);
  }

  #now(): number {
    return this.#deps.clock.monotonicMs();
  }
}

/** Of a replay the partition of its record: newer ones of its key come from there. */
const originOf = (mutation: Mutation | undefined): TopicPartition | null =>
  mutation === undefined ? null : (mutation.replayOf ?? mutation.record.position);
