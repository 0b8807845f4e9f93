/** Second half of the main loop: a due batch waits for its permit, is cut, sent, and each of its changes told what became of it. */
import type { Entity, Lane, Mutation } from "../domain/mutation.ts";
import { isVerdict, type Receipt } from "../domain/receipt.ts";
import type { EntityId, Gate, Permit, Remembered, Target } from "../domain/stages.ts";
import { backoffMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import type { Tasks } from "../lib/tasks.ts";
import { Wakeup } from "../lib/wakeup.ts";
import type { Emit } from "../telemetry/events.ts";
import { type Cut, cut } from "../window/cut.ts";
import type { Entry } from "../window/entry.ts";
import { Burial, type BurialDeps } from "./burial.ts";
import { Halts } from "./halts.ts";
import { Isolation } from "./isolation.ts";
import { Recall, type RecallDeps } from "./recall.ts";
import { type Accepted, isOfOneRecord, nameOf, sortVerdicts } from "./verdicts.ts";

export interface DeliveryDeps extends BurialDeps, RecallDeps {
  readonly gate: Gate;
  readonly target: Target;
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
  /** After this time another owner of the partition may have written newer versions of what was sent. */
  readonly lateApplyMaxMs: number;
}

const LANES: readonly Lane[] = ["live", "backfill"];
/** A permit that could not be used at once counts as late at the server: it is dropped. */
const PERMIT_AGE_MAX_MS = 1_000;
/** Before deletions are sent that nobody could count. */
const UNCOUNTED_MS = 1_000;

export class Delivery {
  readonly burial: Burial;
  readonly recall: Recall;
  readonly #deps: DeliveryDeps;
  readonly #wakeups: Readonly<Record<Lane, Wakeup>>;
  /** Batches that have a permit or wait for one. */
  #slots = 0;
  #onTheWire = 0;
  readonly #halts: Halts;
  readonly #isolation: Isolation;
  #isAnswering = false;

  constructor(deps: DeliveryDeps) {
    this.#deps = deps;
    this.burial = new Burial(deps);
    this.recall = new Recall(deps);
    this.#isolation = new Isolation(deps.clock, deps.emit);
    this.#halts = new Halts({ ...deps, changed: () => this.wake() });
    this.#wakeups = { live: new Wakeup(deps.clock), backfill: new Wakeup(deps.clock) };
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
    this.#deps.tasks.own(this.recall.run(signal));
  }

  /** Something may be ready, or sending may be allowed again. */
  wake(): void {
    for (const lane of LANES) this.#wakeups[lane].notify();
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
    const verdicts = sortVerdicts(cut, receipt);
    const isTurnedAway = receipt.throttle !== null || receipt.halt !== null;
    // What is the trouble of one record alone says nothing of Sell.
    if (!receipt.outcomes.every(isOfOneRecord))
      this.#isAnswering = !isTurnedAway && verdicts.unknown.length === 0 && receipt.outcomes.some(isVerdict);
    if (verdicts.accepted.length + verdicts.rejected.length > 0) this.#isolation.verdict();
    const created = this.#count(cut, verdicts.accepted);
    if (created.length > 0) await this.#deps.created(created, signal);
    const memories = verdicts.accepted.map(({ entry, outcome }) => window.outcomes.memoryOf(entry, outcome));
    await store.remember(newsOf(verdicts.accepted, memories), signal);
    for (const [i, { entry, outcome }] of verdicts.accepted.entries())
      window.outcomes.accepted(entry, outcome, memories[i] ?? null);
    for (const { entry, errant } of verdicts.rejected) {
      // Its changes were lost with their partition: what waits in the entry now is not what Sell refused.
      if (entry.plan === null) window.outcomes.again(entry, 0);
      else tasks.own(this.burial.reject(entry, errant, receipt.names, signal));
    }
    for (const { entry, outcome } of verdicts.onward) window.outcomes.progressed(entry, outcome);
    if (isTurnedAway) window.outcomes.giveBack(verdicts.again);
    else for (const entry of verdicts.again) window.outcomes.again(entry, this.#backoffMs(receipt, [entry], 0));
    for (const entry of verdicts.apart) window.outcomes.again(entry, this.#isolation.keptOut(entry, receipt));
    if (verdicts.unknown.length > 0) {
      this.#deps.emit("outcome-unknown", { reason: nameOf(receipt), items: verdicts.unknown.length, ...receipt.names });
      const waitMs = this.#isolation.isolated(cut, receipt) ?? this.#backoffMs(receipt, verdicts.unknown, indexLagMs);
      window.outcomes.unknown(verdicts.unknown, waitMs);
    }
    if (verdicts.refused.length > 0) window.outcomes.split(verdicts.refused, 0);
    this.#deps.progressed();
  }

  #backoffMs(receipt: Receipt, entries: readonly Entry[], floorMs: number): number {
    const attempt = 1 + Math.max(...entries.map(({ attempts }) => attempts));
    const waitMs = backoffMs(attempt, this.#deps.random, { floorMs });
    this.#deps.emit("retried", { reason: nameOf(receipt), items: entries.length, waitMs });
    return waitMs;
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
