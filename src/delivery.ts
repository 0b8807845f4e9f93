/** Second half of the main loop: a due batch waits for its permit, is cut, sent, and each of its changes told what became of it. */
import type { Errant } from "./domain/change.ts";
import type { Entity, Lane, Mutation } from "./domain/mutation.ts";
import { isVerdict, type Outcome, type Receipt, type RequestNames } from "./domain/receipt.ts";
import { type ConsumerRecord, positionName, type TopicPartition } from "./domain/record.ts";
import type {
  Attempts,
  EntityId,
  EntityStore,
  ErrantRecordReporter,
  Gate,
  Permit,
  Remembered,
  Target,
} from "./domain/stages.ts";
import { Halts } from "./halt.ts";
import { backoffMs } from "./lib/backoff.ts";
import type { Clock } from "./lib/clock.ts";
import type { Tasks } from "./lib/tasks.ts";
import { Wakeup } from "./lib/wakeup.ts";
import type { Emit } from "./telemetry/events.ts";
import { type Cut, cut } from "./window/cut.ts";
import { type Entry, entryId } from "./window/entry.ts";
import type { Window } from "./window/window.ts";

export interface DeliveryDeps {
  readonly window: Window;
  readonly gate: Gate;
  readonly target: Target;
  readonly store: EntityStore;
  readonly deadLetters: ErrantRecordReporter;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
  readonly tasks: Tasks;
  readonly maxInFlight: number;
  readonly indexLagMs: number;
  /** Not frozen by a join, not stopping, and the lease lasts. */
  readonly mayKeepSending: () => boolean;
  /** Sell has these records more. Resolves once that is counted. */
  readonly created: (mutations: readonly Mutation[], signal: AbortSignal) => Promise<void>;
  /** Of each: it may be deleted now. Null: nobody can tell, so that none may. */
  readonly mayDelete: (mutations: readonly Mutation[]) => Promise<readonly boolean[] | null>;
  /** Nothing of this change's topic may be sent. */
  readonly isStopped: (mutation: Mutation) => boolean;
  /** Some of what is in memory may have settled. */
  readonly progressed: () => void;
  /** False: this record must not become a dead letter, since nearly all of its topic would. */
  readonly admits: (record: ConsumerRecord, errant: Errant) => boolean;
  /** After this time another owner of the partition may have written newer versions of what was sent. */
  readonly lateApplyMaxMs: number;
}

const LANES: readonly Lane[] = ["live", "backfill"];
/** A permit that could not be used at once counts as late at the server: it is dropped. */
const PERMIT_AGE_MAX_MS = 1_000;
const RECALL_MAX = 500;
/** Before deletions are sent that nobody could count. */
const UNCOUNTED_MS = 1_000;
/** Tries of an answer that says neither yes nor no (409) before the record becomes a dead letter. */
const LIMITED_TRIES = 5;
/** Unknown outcomes of a record before one that it has alone makes it a suspect, if Sell told of others so recently. */
const SUSPECT_AFTER = 2;
const RECENT_MS = 60_000;
/** What is isolated is tried again after a minute, then two, four, up to ten. */
const ISOLATED_MS = 60_000;
const ISOLATED_MAX_MS = 600_000;
type Onward = { readonly entry: Entry; readonly outcome: Outcome & { status: "progress" } };
type Accepted = { readonly entry: Entry; readonly outcome: Outcome & { status: "accepted" } };

export class Delivery {
  readonly #deps: DeliveryDeps;
  readonly #wakeups: Readonly<Record<Lane | "recall", Wakeup>>;
  /** A record becomes one dead letter, however many of its mutations fail. */
  readonly #deadLettered = new WeakMap<ConsumerRecord, Promise<void>>();
  /** Batches that have a permit or wait for one. */
  #slots = 0;
  #onTheWire = 0;
  readonly #halts: Halts;
  #isAnswering = false;
  #isRecallingParents = false;
  /** Monotonic time of the last answer that told what became of a record. */
  #lastVerdictMs = Number.NEGATIVE_INFINITY;

  constructor(deps: DeliveryDeps) {
    this.#deps = deps;
    this.#halts = new Halts({ ...deps, changed: () => this.wake() });
    const { clock } = deps;
    this.#wakeups = { live: new Wakeup(clock), backfill: new Wakeup(clock), recall: new Wakeup(clock) };
  }

  get onTheWire(): number {
    return this.#onTheWire;
  }

  /** The last request got verdicts: Sell takes what we send. */
  get isAccepting(): boolean {
    return this.#isAnswering && !this.isHalted && this.#deps.gate.cooldownLeftMs() <= 0;
  }

  get isHalted(): boolean {
    return this.#halts.isHalted;
  }

  /** Not where Sell refuses the entity as such. */
  maySendOf(entity: Entity): boolean {
    return this.#halts.maySendOf(entity);
  }

  start(signal: AbortSignal): void {
    for (const lane of LANES) this.#deps.tasks.own(this.#pump(lane, signal));
    this.#deps.tasks.own(this.#recall(signal));
  }

  /** Something may be ready, or sending may be allowed again. */
  wake(): void {
    for (const lane of LANES) this.#wakeups[lane].notify();
  }

  /** Entries came in whose memory must be read. */
  wakeRecall(): void {
    this.#wakeups.recall.notify();
  }

  async #pump(lane: Lane, signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#due(lane, signal);
      this.#slots += 1;
      const permit = await this.#deps.gate.acquire(lane, signal); // the wait is the batching window
      const cut = this.#isUsable(permit) ? this.#deps.window.take(lane) : null; // cut only now
      if (cut !== null) this.#deps.tasks.own(this.#deliver(cut, permit, signal));
      else this.#drop(permit);
    }
  }

  #isUsable({ grantedAtMs }: Permit): boolean {
    return this.#deps.clock.monotonicMs() - grantedAtMs <= PERMIT_AGE_MAX_MS && this.#maySend();
  }

  #drop({ lane }: Permit): void {
    this.#slots -= 1;
    this.#deps.emit("permit-unused", { lane });
  }

  async #due(lane: Lane, signal: AbortSignal): Promise<void> {
    for (;;) {
      const isFree = this.#slots < this.#deps.maxInFlight && this.#maySend();
      const dueInMs = isFree ? this.#deps.window.dueInMs(lane) : Number.POSITIVE_INFINITY;
      if (dueInMs <= 0) return signal.throwIfAborted();
      await this.#wakeups[lane].wait(dueInMs, signal);
    }
  }

  #maySend(): boolean {
    return this.#halts.maySend && this.#deps.mayKeepSending();
  }

  async #deliver(due: Cut, permit: Permit, signal: AbortSignal): Promise<void> {
    this.#onTheWire += 1;
    try {
      const cut = due.verb === "delete" ? await this.#withinBrake(due, permit) : this.#going(due);
      if (cut === null) this.#drop(permit);
      else await this.#send(cut, permit, signal);
    } finally {
      this.#onTheWire -= 1;
      this.wake();
    }
  }

  /** The brake is asked here, once a batch: what cannot be undone waits where nobody can tell how much of it there was. */
  async #withinBrake(cut: Cut, permit: Permit): Promise<Cut | null> {
    const due = this.#going(cut);
    const deletions = due?.entries.filter(isFree) ?? [];
    if (due === null || deletions.length === 0) return due;
    const may = await this.#deps.mayDelete(deletions.flatMap(({ candidate }) => candidate ?? []));
    // Those within the brake go, although it may have stopped their topic at the others: they are counted.
    if (may !== null && this.#isUsable(permit))
      return this.#without(due, new Set(deletions.filter((_, i) => may[i] !== true)));
    this.#deps.window.outcomes.giveBack(due.entries, may === null ? UNCOUNTED_MS : 0);
    return null;
  }

  /** What of a batch may leave: nothing of a topic that stopped meanwhile. Null: nothing at all. */
  #going(due: Cut): Cut | null {
    const isStopped = (entry: Entry): boolean =>
      isFree(entry) && entry.candidate !== undefined && this.#deps.isStopped(entry.candidate);
    return this.#without(due, new Set(due.entries.filter(isStopped)));
  }

  #without(due: Cut, held: ReadonlySet<Entry>): Cut | null {
    if (held.size === 0) return due;
    // Not at once: where their topic has not stopped, they would come back and be refused again.
    this.#deps.window.outcomes.giveBack([...held], UNCOUNTED_MS);
    const going = due.entries.filter((entry) => !held.has(entry));
    return going.length === 0 ? null : cut(going, due.lane, due.closedBy);
  }

  async #send(cut: Cut, permit: Permit, signal: AbortSignal): Promise<void> {
    this.#halts.sent(cut.entity);
    try {
      const age = ageSince(this.#deps.clock);
      const receipt = await this.#deps.target.send(cut, signal);
      this.#answered(permit, receipt);
      if (receipt.announced !== null) this.#deps.gate.see(receipt.announced, permit);
      if (receipt.throttle !== null) await this.#deps.gate.tell(receipt.throttle, permit);
      this.#halts.answered(cut.entity, receipt, signal);
      if (age() > this.#deps.lateApplyMaxMs) this.#heardTooLate(cut);
      else await this.#apply(cut, receipt, signal);
    } finally {
      this.#slots -= 1;
    }
  }

  #answered({ lane, grantedAtMs }: Permit, { httpStatus }: Receipt): void {
    if (httpStatus === null) return;
    this.#deps.emit("permit-used", { lane, answeredMs: this.#deps.clock.monotonicMs() - grantedAtMs });
  }

  /**
   * This process stood still for so long that another may have written the same keys since: what it would remember, or bury,
   * is of yesterday. If they are still ours the same bodies go again.
   */
  #heardTooLate({ entries }: Cut): void {
    this.#deps.emit("outcome-unknown", { reason: "heard-too-late", items: entries.length });
    this.#deps.window.outcomes.unknown(entries, 0);
  }

  /** Accepted ones are remembered first: only then may their positions settle. */
  async #apply(cut: Cut, receipt: Receipt, signal: AbortSignal): Promise<void> {
    const { window, store, tasks, indexLagMs } = this.#deps;
    const verdicts = sort(cut, receipt);
    const isTurnedAway = receipt.throttle !== null || receipt.halt !== null;
    // What is the trouble of one record alone says nothing of Sell.
    if (!receipt.outcomes.every(isOfOneRecord))
      this.#isAnswering = !isTurnedAway && verdicts.unknown.length === 0 && receipt.outcomes.some(isVerdict);
    if (verdicts.accepted.length + verdicts.rejected.length > 0) this.#lastVerdictMs = this.#deps.clock.monotonicMs();
    const created = this.#count(cut, verdicts.accepted);
    if (created.length > 0) await this.#deps.created(created, signal);
    const memories = verdicts.accepted.map(({ entry, outcome }) => window.outcomes.memoryOf(entry, outcome));
    await store.remember(newsOf(verdicts.accepted, memories), signal);
    for (const [i, { entry, outcome }] of verdicts.accepted.entries())
      window.outcomes.accepted(entry, outcome, memories[i] ?? null);
    for (const { entry, errant } of verdicts.rejected) {
      // Its changes were lost with their partition: what waits in the entry now is not what Sell refused.
      if (entry.plan === null) window.outcomes.again(entry, 0);
      else tasks.own(this.reject(entry, errant, receipt.names, signal));
    }
    for (const { entry, outcome } of verdicts.onward) window.outcomes.progressed(entry, outcome);
    if (isTurnedAway) window.outcomes.giveBack(verdicts.again);
    else for (const entry of verdicts.again) window.outcomes.again(entry, this.#backoffMs(receipt, [entry], 0));
    for (const entry of verdicts.apart) window.outcomes.again(entry, this.#keptOut(entry, receipt));
    if (verdicts.unknown.length > 0) {
      this.#deps.emit("outcome-unknown", { reason: nameOf(receipt), items: verdicts.unknown.length, ...receipt.names });
      const waitMs = this.#isolated(cut, receipt) ?? this.#backoffMs(receipt, verdicts.unknown, indexLagMs);
      window.outcomes.unknown(verdicts.unknown, waitMs);
    }
    if (verdicts.refused.length > 0) window.outcomes.split(verdicts.refused, 0);
    this.#deps.progressed();
  }

  /** Something between here and Sell stopped the record; where it stops all of them, this one is not at fault. */
  #keptOut(entry: Entry, receipt: Receipt): number {
    if (receipt.halt === null) return this.#isolate(entry, entry.attempts, "blocked");
    entry.alone = true;
    return ISOLATED_MAX_MS; // so that the next one that is tried is another
  }

  /**
   * A record that is alone in its request and gets no answer again and again, while others do, is at fault itself. Null: nothing
   * says so; else how long it waits.
   */
  #isolated({ entries }: Cut, receipt: Receipt): number | null {
    const [entry, ...more] = entries;
    if (entry === undefined || more.length > 0 || entry.unknowns < SUSPECT_AFTER) return null;
    const isSellWell = this.#deps.clock.monotonicMs() - this.#lastVerdictMs < RECENT_MS;
    if (!isSellWell && !entry.alone) return null;
    return this.#isolate(entry, entry.unknowns - SUSPECT_AFTER, nameOf(receipt));
  }

  /** It no longer shares a request with any other, and is tried rarely: so long it waits, after so many tries before. */
  #isolate(entry: Entry, tries: number, reason: string): number {
    entry.alone = true;
    const waitMs = Math.min(ISOLATED_MS * 2 ** tries, ISOLATED_MAX_MS);
    const { candidate, entity, key, attempts } = entry;
    const position = candidate === undefined ? `the search for ${key}` : positionName(candidate.record.position);
    this.#deps.emit("record-isolated", { position, entity, attempts: attempts + 1, reason, waitMs });
    return waitMs;
  }

  #backoffMs(receipt: Receipt, entries: readonly Entry[], floorMs: number): number {
    const attempt = 1 + Math.max(...entries.map(({ attempts }) => attempts));
    const waitMs = backoffMs(attempt, this.#deps.random, { floorMs });
    this.#deps.emit("retried", { reason: nameOf(receipt), items: entries.length, waitMs });
    return waitMs;
  }

  /** The dead letter first; then the change before it gets its chance. `names`: the request that was answered so, if one was. */
  async reject(entry: Entry, errant: Errant, names: RequestNames | null, signal: AbortSignal): Promise<void> {
    const { window } = this.#deps;
    const mutation = entry.candidate;
    if (mutation === undefined) return this.#unanswered(entry, errant, names, signal);
    const { record } = mutation;
    const isReported = this.#deadLettered.has(record);
    if (!isReported && !this.#deps.admits(record, errant)) return window.outcomes.stop(entry);
    window.outcomes.hold(entry);
    const { attempts: earlier, firstSentMs: firstMs } = entry;
    const attempts = { count: firstMs === null ? earlier : earlier + 1, firstMs, names };
    await this.#bury(record, errant, attempts, signal);
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

  // --- what is remembered of the records --------------------------------------------------------------------------------------

  async #recall(signal: AbortSignal): Promise<void> {
    for (;;) {
      const { entries, ids } = this.#deps.window.takeFresh(RECALL_MAX);
      if (entries.length === 0) await this.#wakeups.recall.wait(Number.POSITIVE_INFINITY, signal);
      else this.#deps.window.inform(entries, await this.#memoryOf(ids, signal));
    }
  }

  /** Asks for parents that another replica may have created meanwhile. */
  async recallAwaitedParents(signal: AbortSignal): Promise<void> {
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

  /** Returns what was created. */
  #count(cut: Cut, accepted: readonly Accepted[]): readonly Mutation[] {
    const { emit, clock } = this.#deps;
    const created: Mutation[] = [];
    const changes = cut.entries.reduce((sum, { standsFor }) => sum + standsFor, 0);
    emit("batch-closed", { reason: cut.closedBy, verb: cut.verb, items: cut.entries.length, changes });
    const now = clock.now();
    for (const { entry, outcome } of accepted) {
      if (entry.completesCreation) continue; // counted when the record was created
      if (outcome.result === "created" && entry.candidate !== undefined) created.push(entry.candidate);
      for (let i = 0; i < entry.standsFor; i++) {
        const record = entry.queue[i]?.record;
        if (record === undefined) break;
        emit("delivered", {
          topic: record.position.topic,
          result: outcome.result,
          latencyMs: now - record.timestampMs,
        });
      }
    }
    return created;
  }
}

/** What may have been applied, in whole or in part, is not: it is repeated whatever a person says. */
const isFree = ({ unknowns, completesCreation }: Entry): boolean => unknowns === 0 && !completesCreation;

const nameOf = ({ httpStatus }: Receipt): string => (httpStatus === null ? "no-reply" : `status-${httpStatus}`);

/** Milliseconds since now, also over a time in which the whole machine was suspended. */
const ageSince = (clock: Clock): (() => number) => {
  const [monotonicMs, wallMs] = [clock.monotonicMs(), clock.now()];
  return () => Math.max(clock.monotonicMs() - monotonicMs, clock.now() - wallMs);
};

const newsOf = (
  accepted: readonly Accepted[],
  memories: readonly (Remembered | null)[],
): (readonly [EntityId, Remembered])[] => {
  const news: (readonly [EntityId, Remembered])[] = [];
  for (const [i, { entry }] of accepted.entries()) {
    const memory = memories[i];
    if (memory != null) news.push([{ entity: entry.entity, key: entry.key }, memory]);
  }
  return news;
};

const sort = (cut: Cut, receipt: Receipt) => {
  const accepted: Accepted[] = [];
  const onward: Onward[] = [];
  const rejected: { entry: Entry; errant: Errant }[] = [];
  const again: Entry[] = [];
  const apart: Entry[] = [];
  const unknown: Entry[] = [];
  const refused: Entry[] = [];
  for (const [i, entry] of cut.entries.entries()) {
    const outcome: Outcome = receipt.outcomes[i] ?? { status: "unknown", reason: "no-verdict" };
    switch (outcome.status) {
      case "accepted":
        if (isMissed(entry, outcome, cut)) rejected.push({ entry, errant: GONE });
        else accepted.push({ entry, outcome });
        break;
      case "progress":
        onward.push({ entry, outcome });
        break;
      case "rejected": {
        const { status: _, ...errant } = outcome;
        rejected.push({ entry, errant: { stage: "deliver", ...errant } });
        break;
      }
      case "retriable":
        if (outcome.alone === true) apart.push(entry);
        else if (outcome.limited !== true || entry.attempts + 1 < LIMITED_TRIES) again.push(entry);
        else {
          const message = `Sell answered "${outcome.reason}" ${LIMITED_TRIES} times in a row.`;
          rejected.push({ entry, errant: { stage: "deliver", reason: outcome.reason, message } });
        }
        break;
      case "unknown":
        unknown.push(entry);
        break;
      case "refused":
        refused.push(entry);
        break;
    }
  }
  return { accepted, onward, rejected, again, apart, unknown, refused };
};

const isOfOneRecord = (outcome: Outcome): boolean =>
  outcome.status === "refused" || (outcome.status === "retriable" && (outcome.alone ?? outcome.limited) === true);

const GONE: Errant = {
  stage: "deliver",
  reason: "record-gone",
  message: "Sell no longer has the record that was written before, and the route says onMissing: deadLetter.",
};

const isMissed = ({ candidate }: Entry, { result }: { readonly result: string }, { verb }: Cut): boolean =>
  result === "missing" && verb !== "lookup" && candidate?.action === "upsert" && candidate.onMissing === "deadLetter";
