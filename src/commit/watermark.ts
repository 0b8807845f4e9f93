/**
 * The settled prefix of one partition in one assignment: what may be committed, and what is settled above it.
 * Memory is proportional to the records between the watermark and the newest one, which `window.maxSpan` bounds.
 */
import type { Lane } from "../domain/mutation.ts";

interface Slot {
  readonly offset: bigint;
  readonly timestampMs: number;
  lane: Lane;
  /** Mutations that still have to settle; 0: settled. */
  owed: number;
  /** Some of its mutations settled, not all. */
  isPartly: boolean;
}

export class Watermark {
  readonly #slots: Slot[] = [];
  readonly #byOffset = new Map<bigint, Slot>();
  /** Index of the first slot that is not settled. */
  #head = 0;
  #committable: bigint;
  #next: bigint;
  /** Settled by an earlier owner, above its watermark; emptied as the offsets come by. */
  readonly #settledBefore: Set<bigint>;

  /** `start` is the next offset to read; `settledBefore` are offsets above it that need not be delivered again. */
  constructor(start: bigint, settledBefore: Iterable<bigint> = []) {
    this.#committable = start;
    this.#next = start;
    this.#settledBefore = new Set(settledBefore);
  }

  /** Next offset to commit: everything below it is settled. */
  get committable(): bigint {
    return this.#committable;
  }

  /** The offset expected next: below it everything was tracked. */
  get next(): bigint {
    return this.#next;
  }

  /** Offsets between the watermark and the newest tracked record. */
  get span(): number {
    return Number(this.#next - this.#committable);
  }

  /** Tracked records that are not settled. */
  get unsettled(): number {
    return this.#byOffset.size;
  }

  /**
   * Takes note of a record before anything is done with it, owing one settlement. False: it was tracked before
   * (fetched again after a rejoin) or settled by an earlier owner; then it must not be delivered. `lane` is that of the topic,
   * until the record itself is known.
   */
  track(offset: bigint, timestampMs: number, lane: Lane = "live"): boolean {
    if (offset < this.#next) return false;
    this.#next = offset + 1n;
    const settled = this.#settledBefore.delete(offset);
    const slot: Slot = { offset, timestampMs, lane, owed: settled ? 0 : 1, isPartly: false };
    this.#slots.push(slot);
    if (settled) this.#advance();
    else this.#byOffset.set(offset, slot);
    return !settled;
  }

  /** There is no record from the newest tracked one up to `next`, which is therefore read next. */
  pass(next: bigint): void {
    if (next <= this.#next) return;
    this.#next = next;
    this.#advance();
  }

  /** The record turned out to hold `mutations` changes (at least one), each of which settles on its own. */
  expect(offset: bigint, mutations: number, lane: Lane): void {
    const slot = this.#byOffset.get(offset);
    if (slot === undefined) return;
    slot.owed += mutations - 1;
    slot.lane = lane;
  }

  /** One mutation of the record settled. True once that settled the record; an unknown offset changes nothing. */
  settle(offset: bigint): boolean {
    const slot = this.#byOffset.get(offset);
    if (slot === undefined) return false;
    slot.owed -= 1;
    slot.isPartly = slot.owed > 0;
    if (slot.isPartly) return false;
    this.#byOffset.delete(offset);
    this.#advance();
    return true;
  }

  /** How many records above the watermark are settled: changes whenever the bitmap of a commit would. */
  get settledAbove(): number {
    return this.#slots.length - this.#head - this.#byOffset.size;
  }

  /**
   * Settled offsets above the watermark that need not be delivered again, ascending. A record of which one part is settled and
   * another waits comes again as a whole, and so must all that follows it: of the settled part a newer one may stand there.
   */
  *settledOffsets(): Generator<bigint> {
    for (let i = this.#head; i < this.#slots.length; i++) {
      const slot = this.#slots[i];
      if (slot?.isPartly === true) return;
      if (slot?.owed === 0) yield slot.offset;
    }
    // What an earlier owner settled and this one has not met yet.
    for (const offset of this.#settledBefore) if (offset >= this.#next) yield offset;
  }

  /** A tracked record that is not settled. */
  isPending(offset: bigint): boolean {
    return this.#byOffset.has(offset);
  }

  /** Timestamp of the oldest unsettled record of a lane; null when there is none. */
  oldestPendingMs(lane: Lane): number | null {
    for (const slot of this.#byOffset.values()) if (slot.lane === lane) return slot.timestampMs;
    return null;
  }

  #advance(): void {
    for (let slot = this.#slots[this.#head]; slot?.owed === 0; slot = this.#slots[this.#head]) {
      this.#head += 1;
      this.#committable = slot.offset + 1n;
    }
    // Gaps (compaction, transaction markers) settle by themselves: with nothing left the next offset is the watermark.
    if (this.#head === this.#slots.length) {
      // The next one may be settled, too: a mark can only name offsets above the committed one.
      while (this.#settledBefore.delete(this.#next)) this.#next += 1n;
      this.#committable = this.#next;
    }
    if (this.#head > 1_024 && this.#head * 2 > this.#slots.length) {
      this.#slots.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
