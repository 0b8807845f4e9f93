/** Takes a record out of the window into the dead letters: the letter first, then its changes settle. */
import type { Errant } from "../domain/change.ts";
import type { RequestNames } from "../domain/receipt.ts";
import type { ConsumerRecord, TopicPartition } from "../domain/record.ts";
import type { Attempts, EntityStore, ErrantRecordReporter } from "../domain/stages.ts";
import type { Entry } from "../window/entry.ts";
import type { Window } from "../window/window.ts";

export interface BurialDeps {
  readonly window: Window;
  readonly store: EntityStore;
  readonly deadLetters: ErrantRecordReporter;
  /** False: this record must not become a dead letter, since nearly all of its topic would. */
  readonly admits: (record: ConsumerRecord, errant: Errant) => boolean;
  /** Some of what is in memory may have settled. */
  readonly progressed: () => void;
}

export class Burial {
  readonly #deps: BurialDeps;
  /** A record becomes one dead letter, however many of its mutations fail. */
  readonly #deadLettered = new WeakMap<ConsumerRecord, Promise<void>>();

  constructor(deps: BurialDeps) {
    this.#deps = deps;
  }

  /** The dead letter first; then the change before it gets its chance. `names`: the request that was answered so, if one was. */
  async reject(entry: Entry, errant: Errant, names: RequestNames | null, signal: AbortSignal): Promise<void> {
    const { window, store } = this.#deps;
    const mutation = entry.candidate;
    if (mutation === undefined) return this.#unanswered(entry, errant, names, signal);
    const { record } = mutation;
    const isReported = this.#deadLettered.has(record);
    if (!isReported && !this.#deps.admits(record, errant)) return window.outcomes.stop(entry);
    window.outcomes.hold(entry);
    const { attempts: earlier, firstSentMs: firstMs } = entry;
    const attempts = { count: firstMs === null ? earlier : earlier + 1, firstMs, names };
    await this.#bury(record, errant, attempts, signal);
    // An owner before may have written it all the same, shortly before it crashed.
    if (entry.isDoubtful) await store.remember(window.withholding.doubtOf(entry), signal);
    window.outcomes.rejected(entry, mutation);
  }

  /** A record that gave several changes has one dead letter. */
  async #bury(record: ConsumerRecord, errant: Errant, attempts: Attempts, signal: AbortSignal): Promise<void> {
    const report = this.#deadLettered.get(record) ?? this.#deps.deadLetters.report(record, errant, attempts, signal);
    this.#deadLettered.set(record, report);
    await report;
  }

  /** A parent was looked up in vain: its children go on waiting, but not for one of several. */
  async #unanswered(parent: Entry, errant: Errant, names: RequestNames | null, signal: AbortSignal): Promise<void> {
    const { window } = this.#deps;
    if (errant.reason !== "ambiguous-match") return window.outcomes.unanswerable(parent);
    const message = `It refers to ${parent.entity} ${parent.key}, and several records in Sell carry this key: merge or delete all but one, then replay the dead letter.`;
    const letters = window.outcomes
      .ambiguous(parent)
      .map((child) => this.reject(child, { ...errant, message }, names, signal));
    await Promise.all(letters);
  }

  /**
   * A person takes the record away: its dead letter first, then all its changes settle. What Sell may have taken of it in spite
   * of that is not remembered, so that the next change of its key is sent whatever is in it. `busy`: one of them is on the wire.
   */
  async skip(
    place: TopicPartition & { readonly offset: bigint },
    errant: Errant,
    signal: AbortSignal,
  ): Promise<"done" | "busy"> {
    const { window, store } = this.#deps;
    const withheld = window.withholding.withhold(place);
    const [first] = withheld ?? [];
    if (withheld === null || first === undefined) return "busy";
    const { record } = first.mutation;
    const attempts = {
      count: Math.max(...withheld.map(({ entry }) => entry.attempts)),
      firstMs: first.entry.firstSentMs,
      names: null,
    };
    await this.#bury(record, errant, attempts, signal);
    await store.remember(window.withholding.doubtsOf(withheld), signal);
    for (const each of withheld) window.withholding.takenAway(each);
    this.#deps.progressed();
    return "done";
  }
}
