/** A window with a clock to turn and a store to fill, driven step by step. */
import type { Entity, Mutation } from "../../src/domain/mutation.ts";
import type { Outcome } from "../../src/domain/receipt.ts";
import type { Remembered } from "../../src/domain/stages.ts";
import type { Cut } from "../../src/window/cut.ts";
import type { WindowOptions } from "../../src/window/deps.ts";
import { entryId } from "../../src/window/entry.ts";
import { Window } from "../../src/window/window.ts";
import { FakeClock } from "./fake-clock.ts";

export const accepted = (id: number, result: "created" | "updated" | "deleted" | "found" = "updated"): Outcome => ({
  status: "accepted",
  result,
  id,
});
export const missing: Outcome = { status: "accepted", result: "missing", id: null };

export class WindowDriver {
  readonly clock = new FakeClock();
  readonly store = new Map<string, Remembered>();
  readonly settled: Mutation[] = [];
  readonly events: string[] = [];
  readonly stopped = new Set<string>();
  /** Entities that Sell refuses as such. */
  readonly refused = new Set<Entity>();
  readonly window: Window;
  /** False for what an owner before may have written without anybody remembering it. */
  trusts: (mutation: Mutation) => boolean = () => true;

  constructor(options: Partial<WindowOptions> = {}) {
    const defaults = {
      maxItems: 50,
      lingerMs: 1_000,
      indexLagMs: 2_000,
      lateApplyMaxMs: 12_000,
      parkTimeoutMs: 60_000,
    };
    this.window = new Window(
      { ...defaults, ...options },
      {
        clock: this.clock,
        emit: (name) => this.events.push(name),
        settle: (mutations) => this.settled.push(...mutations),
        trusts: (mutation) => this.trusts(mutation),
        maySendOf: (entity) => !this.refused.has(entity),
        isStopped: ({ record }) => this.stopped.has(record.position.topic),
        changed: () => {},
        arrived: () => {},
      },
    );
  }

  add(...mutations: readonly Mutation[]): this {
    for (const mutation of mutations) this.window.add(mutation);
    for (;;) {
      const { entries, ids } = this.window.takeFresh(100);
      if (entries.length === 0) return this;
      const memory = ids.map(
        ({ entity, key }) => [entryId(entity, key), this.store.get(entryId(entity, key)) ?? null] as const,
      );
      this.window.inform(entries, new Map(memory));
    }
  }

  /** The next batch once it is due, waiting at most `withinMs`; null when nothing leaves by then. */
  take(withinMs = 0, lane: "live" | "backfill" = "live"): Cut | null {
    const due = this.window.dueInMs(lane);
    this.clock.advance(Math.max(0, Math.min(due, withinMs)));
    if (due > withinMs) return null;
    return this.window.dueInMs(lane) <= 0 ? this.window.take(lane) : this.take(withinMs - due, lane);
  }

  /** One outcome for each write, in order. */
  answer(cut: Cut | null, ...outcomes: readonly Outcome[]): this {
    cut?.entries.forEach((entry, i) => {
      const outcome = outcomes[i];
      if (outcome?.status === "accepted") {
        const memory = this.window.outcomes.memoryOf(entry, outcome);
        if (memory !== null) this.store.set(entry.id, memory);
        this.window.outcomes.accepted(entry, outcome, memory);
      } else if (outcome?.status === "rejected" && entry.candidate !== undefined) {
        this.window.outcomes.rejected(entry, entry.candidate);
      }
    });
    return this.add();
  }
}
