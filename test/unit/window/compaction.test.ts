/**
 * Whatever the window compacts, locks, retries, splits and suppresses: Sell ends as if every change had been sent alone and in
 * order, no key is ever twice on the wire, and each change settles exactly once.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Action, Fields, Mutation } from "../../../src/domain/mutation.ts";
import type { Outcome } from "../../../src/domain/receipt.ts";
import type { Remembered } from "../../../src/domain/stages.ts";
import type { Cut } from "../../../src/window/cut.ts";
import { type Entry, entryId } from "../../../src/window/entry.ts";
import { Window } from "../../../src/window/window.ts";
import type { Withheld } from "../../../src/window/withholding.ts";
import { aMutation, aPosition, aRecord } from "../../support/builders.ts";
import { FakeClock } from "../../support/fake-clock.ts";

interface Change {
  readonly key: string;
  readonly action: Action;
  readonly fields: Fields;
  readonly complete: boolean;
}

const BAD = "bad";
const isBad = ({ fields }: { readonly fields: Fields }): boolean => Object.values(fields).includes(BAD);

/** Sell as a table, and what one change alone does to it. */
const applyAlone = (table: Map<string, Fields>, change: Change): void => {
  const exists = table.get(change.key);
  if (change.action === "delete") table.delete(change.key);
  else if (change.action === "create" ? exists !== undefined : change.action === "update" && exists === undefined)
    return;
  else if (!isBad(change)) table.set(change.key, { ...exists, ...change.fields });
};

class Sell {
  readonly table = new Map<string, Fields>();
  readonly #ids = new Map<string, number>();
  #nextId = 1;

  handle({ verb, writes, entries }: Cut): Outcome[] {
    return writes.map(({ key, body }, i) => {
      const exists = this.table.get(key);
      const id = this.#ids.get(key) ?? null;
      if (verb === "lookup")
        return { status: "accepted", result: exists ? "found" : "missing", id: exists ? id : null };
      if (isBad({ fields: body })) return { status: "rejected", reason: "bad", message: "", httpStatus: 422 };
      if (verb !== "upsert" && exists === undefined) return { status: "accepted", result: "missing", id: null };
      if (verb === "delete") {
        this.table.delete(key);
        return { status: "accepted", result: "deleted", id };
      }
      expect(entries[i]?.key).toBe(key);
      this.table.set(key, { ...exists, ...body });
      if (exists !== undefined) return { status: "accepted", result: "updated", id };
      this.#ids.set(key, this.#nextId);
      return { status: "accepted", result: "created", id: this.#nextId++ };
    });
  }
}

const change: fc.Arbitrary<Change> = fc
  .record({
    key: fc.constantFrom("1", "2", "3"),
    action: fc.constantFrom<Action>("upsert", "upsert", "upsert", "delete", "update", "create"),
    a: fc.constantFrom("x", "y", "z", BAD),
    b: fc.option(fc.constantFrom("p", "q"), { nil: undefined }),
  })
  .map(({ key, action, a, b }) => ({
    key,
    action,
    fields: action === "delete" ? {} : b === undefined ? { a } : { a, b },
    complete: action === "delete" || b !== undefined,
  }));

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("add" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("inform" as const), forgets: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("take" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("answer" as const),
      which: fc.nat(),
      how: fc.constantFrom<Answer>("verdicts", "verdicts", "lost-applied", "lost", "late", "busy", "refused"),
      lateMs: fc.integer({ min: 1, max: 11_999 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("stop" as const), isStopped: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("skip" as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("bury" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 15_000 }) }) },
);

type Answer = "verdicts" | "lost-applied" | "lost" | "late" | "busy" | "refused";

class Run {
  readonly clock = new FakeClock();
  readonly sell = new Sell();
  readonly store = new Map<string, Remembered>();
  readonly onTheWire: Cut[] = [];
  /** Requests that nobody waits for any more and that Sell applies all the same, some time before `lateApplyMaxMs`. */
  readonly late: { readonly cut: Cut; readonly dueMs: number }[] = [];
  readonly settled = new Map<Mutation, number>();
  readonly added: Mutation[] = [];
  isStopped = false;
  /** Withheld, its dead letter not stored yet. */
  readonly withheld: Withheld[] = [];
  /** True: Sell may have taken it before. */
  readonly skipped = new Map<Mutation, boolean>();
  readonly window = new Window(
    { maxItems: 3, lingerMs: 10, indexLagMs: 2_000, lateApplyMaxMs: 12_000, parkTimeoutMs: 60_000 },
    {
      clock: this.clock,
      emit: () => {},
      settle: (mutations) =>
        mutations.forEach((mutation) => this.settled.set(mutation, (this.settled.get(mutation) ?? 0) + 1)),
      trusts: () => true,
      isStopped: () => this.isStopped,
      maySendOf: () => true,
      changed: () => {},
      arrived: () => {},
    },
  );

  add(next: Change): void {
    const record = aRecord({ position: aPosition({ offset: BigInt(this.added.length) }) });
    const mutation = aMutation({ ...next, record });
    this.added.push(mutation);
    this.window.add(mutation);
  }

  inform(forgets: boolean): void {
    const { entries, ids } = this.window.takeFresh(10);
    const recall = (id: string): Remembered | null => (forgets ? null : (this.store.get(id) ?? null));
    this.window.inform(
      entries,
      new Map(ids.map(({ entity, key }) => [entryId(entity, key), recall(entryId(entity, key))])),
    );
  }

  stop(isStopped: boolean): void {
    this.isStopped = isStopped;
    this.window.stopsChanged();
  }

  skip(which: number): void {
    const open = this.added.filter((mutation) => !this.settled.has(mutation));
    const chosen = open[which % Math.max(1, open.length)];
    if (chosen !== undefined) this.withheld.push(...(this.window.withholding.withhold(chosen.record.position) ?? []));
  }

  bury(): void {
    const withheld = this.withheld.splice(0);
    for (const [{ entity, key }, memory] of this.window.withholding.doubtsOf(withheld))
      this.store.set(entryId(entity, key), memory);
    for (const { entry, mutation } of withheld) {
      this.skipped.set(mutation, entry.candidate === mutation && entry.firstSentMs !== null);
      this.window.withholding.takenAway({ entry, mutation });
    }
  }

  take(): void {
    if (this.window.dueInMs("live") > 0) return;
    const cut = this.window.take("live");
    if (cut === null) return;
    const busy = this.onTheWire.flatMap(({ writes }) => writes.map(({ key }) => key));
    for (const { key } of cut.writes) expect(busy).not.toContain(key);
    this.onTheWire.push(cut);
  }

  pass(ms: number): void {
    this.clock.advance(ms);
    const now = this.clock.monotonicMs();
    for (const request of this.late.filter(({ dueMs }) => dueMs <= now)) {
      this.late.splice(this.late.indexOf(request), 1);
      this.sell.handle(request.cut);
    }
  }

  answer(which: number, how: Answer, lateMs: number): void {
    const [cut] = this.onTheWire.splice(which % Math.max(1, this.onTheWire.length), 1);
    if (cut === undefined) return;
    if (how === "busy") return cut.entries.forEach((entry) => this.window.outcomes.again(entry, 500));
    const refusable = cut.entries.length > 1 && cut.writes.some(({ body }) => isBad({ fields: body }));
    if (how === "refused" && refusable) return this.window.outcomes.split(cut.entries, 0);
    if (how === "lost") return this.window.outcomes.unknown(cut.entries, 2_000);
    if (how === "late") {
      this.late.push({ cut, dueMs: this.clock.monotonicMs() + lateMs });
      return this.window.outcomes.unknown(cut.entries, 2_000);
    }
    const outcomes = this.sell.handle(cut);
    if (how === "lost-applied") return this.window.outcomes.unknown(cut.entries, 2_000);
    cut.entries.forEach((entry, i) => this.verdict(entry, outcomes[i] as Outcome));
  }

  verdict(entry: Entry, outcome: Outcome): void {
    if (outcome.status === "accepted") {
      const memory = this.window.outcomes.memoryOf(entry, outcome);
      if (memory !== null) this.store.set(entry.id, memory);
      this.window.outcomes.accepted(entry, outcome, memory);
    } else if (entry.candidate !== undefined) {
      this.window.outcomes.hold(entry);
      this.window.outcomes.rejected(entry, entry.candidate);
    }
  }

  drain(): void {
    this.bury();
    this.stop(false);
    for (let i = 0; i < 10_000 && this.window.size > 0; i++) {
      this.inform(false);
      this.take();
      while (this.onTheWire.length > 0) this.answer(0, "verdicts", 0);
      this.pass(1_000);
    }
    this.pass(12_000); // whatever is still under way arrives
  }
}

test("ends as the uncompacted run, each change settled once, no key twice on the wire", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), fc.array(step, { maxLength: 150 }), (changes, steps) => {
      const run = new Run();
      const waiting = [...changes];
      for (const action of steps) {
        const next = action.do === "add" ? waiting.shift() : undefined;
        if (next !== undefined) run.add(next);
        else if (action.do === "inform") run.inform(action.forgets);
        else if (action.do === "take") run.take();
        else if (action.do === "answer") run.answer(action.which, action.how, action.lateMs);
        else if (action.do === "pass") run.pass(action.ms);
        else if (action.do === "stop") run.stop(action.isStopped);
        else if (action.do === "skip") run.skip(action.which);
        else if (action.do === "bury") run.bury();
      }
      for (const next of waiting) run.add(next);
      run.drain();

      const alone = new Map<string, Fields>();
      /** Keys of which a skipped change may have been applied, and nothing after it says all of it. */
      const uncertain = new Set<string>();
      for (const [i, next] of changes.entries()) {
        const wasTried = run.skipped.get(run.added[i] as Mutation);
        if (wasTried === true) uncertain.add(next.key);
        if (wasTried !== undefined) continue;
        applyAlone(alone, next);
        if (next.action === "delete" || (next.action === "upsert" && next.complete && !isBad(next)))
          uncertain.delete(next.key);
      }
      const byKey = (table: Map<string, Fields>) => [...table].filter(([key]) => !uncertain.has(key)).sort();
      expect(byKey(run.sell.table)).toEqual(byKey(alone));
      expect(run.added.map((mutation) => run.settled.get(mutation))).toEqual(run.added.map(() => 1));
      expect(run.window.size).toBe(0);
    }),
    { numRuns: 1_000 },
  );
}, 20_000);
