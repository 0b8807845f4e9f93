/** Reads what is remembered of records that came in, and of parents that children wait for. */
import type { EntityId, EntityStore, Remembered } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import { Wakeup } from "../lib/wakeup.ts";
import { entryId } from "../window/entry.ts";
import type { Window } from "../window/window.ts";

const RECALL_MAX = 500;

export interface RecallDeps {
  readonly window: Window;
  readonly store: EntityStore;
  readonly clock: Clock;
}

export class Recall {
  readonly #deps: RecallDeps;
  readonly #wakeup: Wakeup;
  #isRecallingParents = false;

  constructor(deps: RecallDeps) {
    this.#deps = deps;
    this.#wakeup = new Wakeup(deps.clock);
  }

  /** Entries came in whose memory must be read. */
  wake(): void {
    this.#wakeup.notify();
  }

  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      const { entries, ids } = this.#deps.window.takeFresh(RECALL_MAX);
      if (entries.length === 0) await this.#wakeup.wait(Number.POSITIVE_INFINITY, signal);
      else this.#deps.window.inform(entries, await this.#memoryOf(ids, signal));
    }
  }

  /** Asks for parents that another replica may have created meanwhile. */
  async awaitedParents(signal: AbortSignal): Promise<void> {
    const { window } = this.#deps;
    const ids = this.#isRecallingParents ? [] : window.awaitedParents(RECALL_MAX);
    if (ids.length === 0) return;
    this.#isRecallingParents = true;
    const memory = await this.#memoryOf(ids, signal);
    this.#isRecallingParents = false;
    for (const id of ids) window.informParent(id, memory.get(entryId(id.entity, id.key)) ?? null);
  }

  async #memoryOf(ids: readonly EntityId[], signal: AbortSignal): Promise<ReadonlyMap<string, Remembered | null>> {
    const memory = ids.length === 0 ? [] : await this.#deps.store.recall(ids, signal);
    return new Map(ids.map(({ entity, key }, i) => [entryId(entity, key), memory[i] ?? null]));
  }
}
