/** Records that something keeps from being answered, or that break what should answer: each is tried alone, and rarely. */
import type { Receipt } from "../domain/receipt.ts";
import { positionName } from "../domain/record.ts";
import type { Clock } from "../lib/clock.ts";
import type { Emit } from "../telemetry/events.ts";
import type { Cut } from "../window/cut.ts";
import type { Entry } from "../window/entry.ts";
import { nameOf } from "./verdicts.ts";

/** Unknown outcomes of a record before one that it has alone makes it a suspect, if Sell told of others so recently. */
const SUSPECT_AFTER = 2;
const RECENT_MS = 60_000;
/** What is isolated is tried again after a minute, then two, four, up to ten. */
const ISOLATED_MS = 60_000;
const ISOLATED_MAX_MS = 600_000;

export class Isolation {
  readonly #clock: Clock;
  readonly #emit: Emit;
  /** Monotonic time of the last answer that told what became of a record. */
  #lastVerdictMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, emit: Emit) {
    this.#clock = clock;
    this.#emit = emit;
  }

  /** Sell told what became of a record. */
  verdict(): void {
    this.#lastVerdictMs = this.#clock.monotonicMs();
  }

  /**
   * Something between here and Sell stopped the record; where it stops all of them, this one is not at fault. Returns how long it
   * waits.
   */
  keptOut(entry: Entry, receipt: Receipt): number {
    if (receipt.halt === null) return this.#isolate(entry, entry.attempts, "blocked");
    entry.alone = true;
    return ISOLATED_MAX_MS; // so that the next one that is tried is another
  }

  /**
   * A record that is alone in its request and gets no answer again and again, while others do, is at fault itself. Null: nothing
   * says so; else how long it waits.
   */
  isolated({ entries }: Cut, receipt: Receipt): number | null {
    const [entry, ...more] = entries;
    if (entry === undefined || more.length > 0 || entry.unknowns < SUSPECT_AFTER) return null;
    const isSellWell = this.#clock.monotonicMs() - this.#lastVerdictMs < RECENT_MS;
    if (!isSellWell && !entry.alone) return null;
    return this.#isolate(entry, entry.unknowns - SUSPECT_AFTER, nameOf(receipt));
  }

  /** It no longer shares a request with any other, and is tried rarely: so long it waits, after so many tries before. */
  #isolate(entry: Entry, tries: number, reason: string): number {
    entry.alone = true;
    const waitMs = Math.min(ISOLATED_MS * 2 ** tries, ISOLATED_MAX_MS);
    const { candidate, entity, key, attempts } = entry;
    const position = candidate === undefined ? `the search for ${key}` : positionName(candidate.record.position);
    this.#emit("record-isolated", { position, entity, attempts: attempts + 1, reason, waitMs });
    return waitMs;
  }
}
