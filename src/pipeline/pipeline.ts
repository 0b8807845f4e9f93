/**
 * The main loop: intake and delivery are two loops that meet in the window; commits and joins run beside them.
 *
 * Kept true at every moment, and tested: nothing is committed past an unsettled record; each record settles once or is
 * forgotten with its partition; two requests of one key are never on the wire together; no request leaves without a permit,
 * nor when the lease is over; a dead letter is stored before its offset may be committed; a throttled, unauthorised or
 * unreachable Sell produces no dead letters.
 */
import { Committer, partitionSet } from "../commit/committer.ts";
import { Ownership, type StartFrom } from "../commit/ownership.ts";
import type { OwnedPartition } from "../commit/partition.ts";
import { type Controls, originTopic, withoutControls } from "../control/controls.ts";
import type { SkipAnswer, SkipPlace } from "../control/notes.ts";
import type { MassFailureLimits } from "../dead-letter/mass-failure.ts";
import type { Errant } from "../domain/change.ts";
import { ConnectorError } from "../domain/errors.ts";
import type { Entity, Lane, Mutation } from "../domain/mutation.ts";
import type { ConsumerRecord } from "../domain/record.ts";
import type {
  Decoder,
  EndOffset,
  EntityStore,
  ErrantRecordReporter,
  Gate,
  Mapper,
  RecordSource,
  SourceHandlers,
  Target,
} from "../domain/stages.ts";
import { BARRIER_MS, DRAIN_MS } from "../domain/times.ts";
import type { Clock } from "../lib/clock.ts";
import { Tasks } from "../lib/tasks.ts";
import { LATE, within } from "../lib/within.ts";
import type { Emit } from "../telemetry/events.ts";
import type { Snapshot } from "../telemetry/snapshot.ts";
import { Window } from "../window/window.ts";
import { Delivery } from "./delivery.ts";
import { Failures } from "./failures.ts";
import { holdupOf } from "./holdup.ts";
import { Intake, type IntakeDeps } from "./intake.ts";
import { partitionSnapshot, type TopicState } from "./partition-snapshot.ts";
import { Pauses } from "./pauses.ts";
import { WorkedOff } from "./worked-off.ts";

export interface Stages {
  readonly source: RecordSource;
  readonly decoder: Decoder;
  readonly mapper: Mapper;
  readonly gate: Gate;
  readonly target: Target;
  readonly store: EntityStore;
  readonly deadLetters: ErrantRecordReporter;
}

export interface PipelineOptions {
  /** Names this process in the marks it commits. */
  readonly nonce: string;
  /** Names the account in them. */
  readonly accountMark: string;
  readonly startFrom: (topic: string) => StartFrom;
  /** The topics that records of an entity come from. */
  readonly originsOf: (entity: Entity) => readonly string[];
  readonly maxItems: number;
  readonly lingerMs: number;
  readonly maxInFlight: number;
  readonly maxRecords: number;
  readonly maxBytes: number;
  readonly maxSpan: number;
  readonly parkTimeoutMs: number;
  readonly indexLagMs: number;
  readonly lateApplyMaxMs: number;
  /** Deadline of one request: it must end before the lease does. */
  readonly timeoutMs: number;
  readonly massFailure: MassFailureLimits;
  /** Topics of which all that comes is backfill. */
  readonly backfills: ReadonlySet<string>;
  /** The topic that brings dead letters back, and the topics they come from; null: there is none. */
  readonly replay: {
    readonly topic: string;
    readonly sources: readonly string[];
    readonly remembersSince: IntakeDeps["remembersSince"];
  } | null;
}

export interface PipelineDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
  /** Something that no waiting heals: the process shall end with this sentence. */
  readonly onFatal: (error: Error) => void;
  /** What people tell it while it runs; absent: nothing. */
  readonly controls?: Controls;
}

const COMMIT_EVERY_MS = 1_000;
const ENDS_EVERY_TURNS = 15;
const LOOK_EVERY_TURNS = 5;
const ENDS_MAX_MS = 10_000;

export class Pipeline {
  readonly #stages: Stages;
  readonly #options: PipelineOptions;
  readonly #deps: PipelineDeps;
  readonly #tasks: Tasks;
  readonly #window: Window;
  readonly #pauses: Pauses;
  readonly #failures: Failures;
  readonly #committer: Committer;
  readonly #ownership: Ownership;
  readonly #intake: Intake;
  readonly #delivery: Delivery;
  readonly #controls: Controls;
  readonly #backlog: WorkedOff;
  readonly #running = new AbortController();
  #isStopping = false;
  #hasJoined = false;
  #lastTurnMs: number;

  constructor(stages: Stages, options: PipelineOptions, deps: PipelineDeps) {
    this.#stages = stages;
    this.#options = options;
    this.#deps = deps;
    const { source, gate } = stages;
    this.#lastTurnMs = deps.clock.monotonicMs();
    this.#tasks = new Tasks((error) => this.#taskFailed(error));
    this.#controls = deps.controls ?? withoutControls(deps.clock, deps.emit);
    const { brake } = this.#controls;
    this.#backlog = new WorkedOff({ ...deps, source, originsOf: options.originsOf });
    this.#failures = new Failures({ ...deps, ...stages, ...options, stopped: () => this.#stopsChanged() });
    this.#pauses = new Pauses({
      ...{ source, limits: options, partitions: () => this.partitions, cooldownLeftMs: () => gate.cooldownLeftMs() },
      stands: {
        failures: (topic) => this.#failures.isStopped(topic),
        brake: (topic) => brake.isStopped(topic),
        paused: (topic) => this.#controls.isPaused(topic),
      },
    });
    this.#window = new Window(options, {
      ...deps,
      settle: (mutations) => mutations.forEach(({ record }) => this.#workedOff(record)),
      maySendOf: (entity) => this.#delivery.maySendOf(entity),
      isStopped: (mutation) => this.#isStopped(mutation),
      trusts: ({ record }) => record.position.offset >= (this.#ownership.of(record.position)?.trustedFrom ?? 0n),
      changed: () => this.#delivery.wake(),
      arrived: () => this.#delivery.recall.wake(),
    });
    const { replay } = options;
    const shared = {
      ...{ ...deps, ...stages, ...options, tasks: this.#tasks, account: options.accountMark },
      deadLetters: this.#failures.deadLetters,
      replayTopic: replay?.topic ?? null,
      admits: (record: ConsumerRecord, errant: Errant) => this.#failures.admits(record, errant),
      progressed: () => this.#pauses.update(),
    };
    this.#committer = new Committer({ ...shared, cooldownLeftMs: () => gate.cooldownLeftMs() });
    this.#ownership = new Ownership({
      ...shared,
      committer: this.#committer,
      adoptCooldown: (leftMs) => gate.adopt(leftMs),
      onLost: (isLost) => this.#window.drop(isLost),
      onOpen: (partition) => {
        this.#intake.prepareSoon(partition);
        this.#delivery.wake();
      },
      onRefused: deps.onFatal,
    });
    this.#intake = new Intake({
      ...shared,
      add: (mutation) => this.#window.add(mutation),
      settle: (record) => this.#settle(record),
      isHeld: (topic) => this.#ownership.isFrozen || this.#controls.isPaused(topic),
      mayReplay: (origin) => this.#ownership.mayReplay(origin),
      laneOf: (topic) => this.#laneOf(topic),
      isRead: (topic) => replay?.sources.includes(topic) === true,
      remembersSince: replay?.remembersSince ?? (async () => Number.POSITIVE_INFINITY),
    });
    const mayKeepSending = (): boolean =>
      !this.#isStopping && !this.#ownership.isFrozen && source.leaseLeftMs() > options.timeoutMs;
    this.#delivery = new Delivery({
      ...{ ...shared, window: this.#window, mayKeepSending },
      isStopped: (mutation) => this.#isStopped(mutation),
      mayDelete: (mutations) => brake.mayDelete(mutations),
      created: (mutations, signal) => brake.created(mutations, signal),
    });
  }

  get partitions(): readonly OwnedPartition[] {
    return this.#ownership.partitions;
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** This process may assume that its partitions are its own. */
  get mayLeave(): boolean {
    return this.#stages.source.leaseLeftMs() > 0;
  }

  get hasJoined(): boolean {
    return this.#hasJoined;
  }

  /** Monotonic time of the loop's last turn, about once a second while all is well. */
  get lastTurnMs(): number {
    return this.#lastTurnMs;
  }

  async snapshot(): Promise<Snapshot> {
    const held = this.partitions.map((partition) => partition.held);
    const atMs = this.#deps.clock.now();
    return {
      atMs,
      partitions: this.partitions.map((partition) =>
        partitionSnapshot(partition, atMs, this.#topicState(partition.topic)),
      ),
      pauses: this.#controls.pauses,
      gate: await this.#stages.gate.peek(),
      holdup: holdupOf(this.#window.oldestLive()),
      halted: this.#delivery.isHalted,
      isMember: this.mayLeave,
      maxItems: this.#options.maxItems,
      parked: this.#window.parked(),
      windowRecords: held.reduce((sum, { records }) => sum + records, 0),
      windowBytes: held.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  #topicState(topic: string): TopicState {
    return { lane: this.#laneOf(topic), stop: this.#pauses.stopOf(topic) };
  }

  /** Of records of which nothing is known but their topic. */
  #laneOf(topic: string): Lane {
    const { replay, backfills } = this.#options;
    return topic === replay?.topic || backfills.has(topic) ? "backfill" : "live";
  }

  /** Consumes until `stop`. */
  async start(): Promise<void> {
    this.#delivery.start(this.#running.signal);
    this.#tasks.own(this.#controls.watch(this.#controlHandlers(), this.#running.signal));
    this.#tasks.own(this.#everySecond(this.#running.signal));
    await this.#stages.source.start(this.#handlers());
  }

  /** Awaits what is on the wire, hands the partitions over and leaves the group, within 10 s. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#pauses.stop();
    await this.#handOver(DRAIN_MS);
    await this.#stages.source.stop();
    this.#running.abort(new ConnectorError("STOPPED", "The connector is stopping.", { retriable: false }));
    for (const partition of this.partitions) partition.lose();
    await this.#tasks.ended();
  }

  #handlers(): SourceHandlers {
    return {
      onRecords: (partition, records, highWatermark, next) => {
        const owned = this.#ownership.get(partition);
        if (owned === undefined) return;
        owned.highWatermark = highWatermark;
        owned.receive(records, next);
        this.#pauses.update();
        this.#intake.prepareSoon(owned);
      },
      onAssignment: (assignment) => {
        this.#hasJoined = true;
        this.#ownership.onAssignment(assignment);
        this.#pauses.repeat();
      },
      beforeRejoin: () => this.#handOver(BARRIER_MS),
      onDeath: this.#deps.onFatal,
    };
  }

  #workedOff(record: ConsumerRecord): void {
    this.#failures.workedOff(record);
    this.#settle(record);
  }

  #settle(record: ConsumerRecord): void {
    const partition = this.#ownership.of(record.position);
    if (partition?.watermark.settle(record.position.offset) === true) partition.release(record);
  }

  #isStopped(mutation: Mutation): boolean {
    const topic = originTopic(mutation);
    return this.#failures.isStopped(mutation.record.position.topic) || this.#isHeldByPerson(topic);
  }

  /** By somebody's word, or for want of it. */
  #isHeldByPerson(topic: string): boolean {
    return this.#controls.isPaused(topic) || this.#controls.brake.isStopped(topic);
  }

  #stopsChanged(): void {
    this.#window.stopsChanged();
    this.#pauses.update();
    for (const partition of this.partitions) this.#intake.prepareSoon(partition);
    this.#delivery.wake();
  }

  #controlHandlers() {
    return {
      changed: () => this.#stopsChanged(),
      owns: (place: SkipPlace) => this.#ownership.get(place)?.state === "open",
      skip: (place: SkipPlace, message: string, signal: AbortSignal) => this.#skipAt(place, message, signal),
    };
  }

  /** One try to take the record at that place to the dead letters, whatever it waits for. */
  async #skipAt(place: SkipPlace, message: string, signal: AbortSignal): Promise<SkipAnswer> {
    const partition = this.#ownership.get(place);
    if (partition?.state !== "open") return "moved";
    if (this.#ownership.isFrozen) return "busy";
    const { watermark } = partition;
    if (place.offset >= watermark.next) return "ahead";
    if (!watermark.isPending(place.offset)) return "settled";
    const errant: Errant = { stage: "deliver", reason: "skipped", message: `Skipped by ${message}` };
    const record = this.#intake.release(partition, place.offset);
    if (record === null) return this.#delivery.burial.skip(place, errant, signal);
    await this.#failures.deadLetters.report(record, errant, { count: 0, firstMs: null, names: null }, signal);
    this.#settle(record);
    return "done";
  }

  async #everySecond(signal: AbortSignal): Promise<void> {
    for (let turn = 1; ; turn++) {
      await this.#deps.clock.sleep(COMMIT_EVERY_MS, signal);
      this.#lastTurnMs = this.#deps.clock.monotonicMs();
      if (turn % ENDS_EVERY_TURNS === 1) this.#tasks.own(this.#refreshEnds(signal));
      if (turn % LOOK_EVERY_TURNS === 0) this.#tasks.own(this.#backlog.look(signal));
      this.#pauses.update();
      this.#delivery.wake(); // the lease may have come back
      if (this.#ownership.isFrozen) continue;
      await this.#committer.commit(
        this.partitions.filter(({ state, moved }) => state === "open" && moved),
        () => true,
      );
      this.#tasks.own(this.#delivery.recall.awaitedParents(signal));
      if (!this.#ownership.isFrozen && this.#delivery.isAccepting && !this.#isAnyHeld()) this.#expireParked(signal);
    }
  }

  /** A paused partition is not fetched, so its end must be asked for. */
  async #refreshEnds(signal: AbortSignal): Promise<void> {
    const topics = [...new Set(this.partitions.map(({ topic }) => topic))];
    const ask = (): Promise<readonly EndOffset[]> => this.#stages.source.endOffsets(topics);
    // A broker that is silent is asked again with the next turn, and holds up no stop.
    const ends = await within(this.#deps.clock, ENDS_MAX_MS, ask, signal).catch(() => []);
    for (const end of ends === LATE ? [] : ends) {
      const partition = this.#ownership.get(end);
      if (partition !== undefined && end.high > (partition.highWatermark ?? -1n)) partition.highWatermark = end.high;
    }
  }

  /** A parent may be in a topic that stands still by somebody's word: its children do not run out of time. */
  #isAnyHeld(): boolean {
    return this.partitions.some(({ topic }) => this.#isHeldByPerson(topic));
  }

  #expireParked(signal: AbortSignal): void {
    const isWorkedOff = (entity: Entity, sinceMs: number): boolean => this.#backlog.isThrough(entity, sinceMs);
    for (const entry of this.#window.outcomes.expireParked(COMMIT_EVERY_MS, isWorkedOff)) {
      const refs = entry.candidate?.refs ?? [];
      const message = `It refers to a record that Sell does not have, by ${refs.map(({ field }) => field).join(", ")}.`;
      const about = refs.map(({ field, entity, key }) => `${field} -> ${entity} ${key}`).join(", ");
      const errant = { stage: "deliver", reason: "unresolved-reference", message, about } as const;
      this.#tasks.own(this.#delivery.burial.reject(entry, errant, null, signal));
    }
  }

  /** The revoke barrier: freeze, await what is on the wire, hand over. Bounded, and never rejects. */
  async #handOver(boundMs: number): Promise<void> {
    const { clock } = this.#deps;
    const deadline = clock.monotonicMs() + boundMs;
    this.#ownership.freeze();
    const isBusy = (): boolean =>
      this.#delivery.onTheWire + this.#failures.underWay > 0 || this.#window.indexLagLeftMs() > 0;
    while (isBusy() && clock.monotonicMs() < deadline) await clock.sleep(20);
    const isUnsettled = partitionSet(this.#window.unsettledPartitions());
    await this.#committer.commit(
      this.#ownership.confirmed,
      (partition) => isUnsettled(partition) || this.#ownership.isLate(partition),
    );
  }

  /** After a stop every wait rejects; before, a rejection is a broken promise of ours. */
  #taskFailed(error: unknown): void {
    if (!this.#running.signal.aborted) this.#deps.onFatal(error instanceof Error ? error : new Error(String(error)));
  }
}
