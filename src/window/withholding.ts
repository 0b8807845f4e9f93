/** A record that a person takes away: what its changes leave behind once they are dead letters. */
import type { Mutation } from "../domain/mutation.ts";
import type { TopicPartition } from "../domain/record.ts";
import type { EntityId, Remembered } from "../domain/stages.ts";
import type { WindowDeps, WindowOptions } from "./deps.ts";
import type { Entries } from "./entries.ts";
import type { Entry } from "./entry.ts";

/** One change of a record that a person takes away. */
export interface Withheld {
  readonly entry: Entry;
  readonly mutation: Mutation;
}

export class Withholding {
  readonly #entries: Entries;
  readonly #options: Pick<WindowOptions, "indexLagMs">;
  readonly #deps: Pick<WindowDeps, "clock" | "settle">;

  constructor(
    entries: Entries,
    options: Pick<WindowOptions, "indexLagMs">,
    deps: Pick<WindowDeps, "clock" | "settle">,
  ) {
    this.#entries = entries;
    this.#options = options;
    this.#deps = deps;
  }

  /**
   * Every change that the record gave, its keys locked from now on until each was told by `takenAway`. Null: one of them is on
   * the wire or on its way to the dead letters, or its memory is not read yet, and nothing was done.
   */
  withhold({ topic, partition, offset }: TopicPartition & { readonly offset: bigint }): readonly Withheld[] | null {
    const found: Withheld[] = [];
    for (const entry of this.#entries.all()) {
      for (const mutation of entry.queue) {
        const { position } = mutation.record;
        if (position.offset !== offset || position.partition !== partition || position.topic !== topic) continue;
        const isUnread = entry.isDoubtful && entry.known === undefined; // there would be no memory to doubt
        if (entry.state === "in-flight" || entry.state === "held" || isUnread) return null;
        found.push({ entry, mutation });
      }
    }
    for (const { entry } of found) {
      this.#entries.unplace(entry);
      this.#entries.batches.deleteFromHalf(entry);
      entry.state = "held";
    }
    return found;
  }

  /**
   * What the store shall remember of them once the dead letter is stored, and before `takenAway`: where a request left with one,
   * be it of an owner before, Sell may hold it in spite of everything.
   */
  doubtsOf(withheld: readonly Withheld[]): readonly (readonly [EntityId, Remembered])[] {
    return withheld.flatMap(({ entry, mutation }) =>
      isTried(entry, mutation) || entry.isDoubtful ? this.doubtOf(entry) : [],
    );
  }

  /** The same for an entry that settles without being accepted. */
  doubtOf({ entity, key, known }: Entry): readonly (readonly [EntityId, Remembered])[] {
    return known == null
      ? []
      : [
          [
            { entity, key },
            { ...known, fingerprint: null, deleted: false },
          ],
        ];
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
      entry.reset();
      this.#deps.settle(entry.dropCandidate());
      return this.#entries.evaluate(entry);
    }
    this.#deps.settle(entry.drop(mutation));
    const dueMs = Number.isFinite(entry.dueMs) ? entry.dueMs : foundMs; // it was in half a batch, which had its own time
    if (dueMs > this.#deps.clock.monotonicMs()) this.#entries.wait(entry, dueMs);
    else this.#entries.resume(entry);
  }
}

/** A request left with it. */
const isTried = ({ candidate, firstSentMs }: Entry, mutation: Mutation): boolean =>
  candidate === mutation && firstSentMs !== null;
