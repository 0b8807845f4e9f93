/**
 * What people tell a running group, as one replica knows it: paused routes, accepted brakes, records to be skipped. It reads
 * the board about once a second, in one command; while Redis is away what was read last counts. Notes that Redis has lost are
 * written anew by whoever remembers them, so that a pause ends by a person's word and by nothing else.
 */
import type { Mutation } from "../domain/mutation.ts";
import type { Clock } from "../lib/clock.ts";
import type { RedisConnection } from "../lib/redis.ts";
import { refusalOf } from "../lib/redis-refusal.ts";
import { Tasks } from "../lib/tasks.ts";
import type { Emit } from "../telemetry/events.ts";
import type { PauseSnapshot } from "../telemetry/snapshot.ts";
import type { Board, Look } from "./board.ts";
import { Brake } from "./brake.ts";
import { type Count, LocalCount } from "./count.ts";
import {
  asBrake,
  asPause,
  asSkip,
  BRAKE_KINDS,
  brakeField,
  type Note,
  type PauseNote,
  pauseField,
  SKIP_LIFE_MS,
  type SkipAnswer,
  type SkipPlace,
  skippedPlace,
} from "./notes.ts";
import { type BrakedRoute, standingOf } from "./standing.ts";

export interface ControlledRoute extends BrakedRoute {
  /** Why the configuration pauses it; null: it does not. */
  readonly paused: string | null;
}

export interface ControlsDeps {
  readonly routes: readonly ControlledRoute[];
  /** Both null: there is no Redis, and only the configuration pauses. */
  readonly board: Board | null;
  readonly count: Count | null;
  readonly redis: Pick<RedisConnection, "address" | "lastError"> | null;
  /** Names this replica in its answers. */
  readonly name: string;
  readonly clock: Clock;
  readonly emit: Emit;
}

export interface ControlHandlers {
  /** Topics stopped, or go on. */
  readonly changed: () => void;
  /** Whether this replica has the partition. */
  readonly owns: (place: SkipPlace) => boolean;
  /** One try to take a record to the dead letters; `busy` is worth another. */
  readonly skip: (place: SkipPlace, message: string, signal: AbortSignal) => Promise<SkipAnswer>;
}

const LOOK_EVERY_MS = 1_000;
/** What nobody has come back for, the answer included, goes. */
const SKIP_KEPT_MS = 600_000;
const BY_CONFIGURATION = "the configuration";

export class Controls {
  readonly brake: Brake;
  readonly #deps: ControlsDeps;
  /** Notes of pauses and brakes as they stood on the board, to be written again if it loses them. Bound: its fields. */
  readonly #seen = new Map<string, Note<unknown>>();
  readonly #notes = new Map<string, Note<PauseNote>>();
  #pauses: readonly PauseSnapshot[];
  #pausedTopics: ReadonlySet<string> = new Set();
  #handlers: ControlHandlers | null = null;

  constructor(deps: ControlsDeps) {
    this.#deps = deps;
    const { clock, emit, routes } = deps;
    const count = deps.count ?? new LocalCount(clock);
    this.brake = new Brake({ routes, count, clock, emit, changed: () => this.#handlers?.changed() });
    this.#pauses = [];
    this.#gather();
  }

  /** Nothing of the topic is sent or read on: one of its routes is paused. */
  isPaused(topic: string): boolean {
    return this.#pausedTopics.has(topic);
  }

  /** A route that both a person and the configuration pause is there twice. */
  get pauses(): readonly PauseSnapshot[] {
    return this.#pauses;
  }

  /** Reads the board once, waiting for Redis: nothing is sent before it is known what a person has stopped. */
  async open(signal: AbortSignal): Promise<void> {
    for (const { route, topic, who, why } of this.pauses) this.#deps.emit("route-paused", { route, topic, who, why });
    const { board } = this.#deps;
    for (let isRead = board === null, attempt = 1; !isRead; attempt++) {
      signal.throwIfAborted();
      isRead = await this.#look(signal).catch((error: unknown) => this.#missed(error, attempt > 1));
      if (!isRead) await this.#deps.clock.sleep(LOOK_EVERY_MS, signal);
    }
    if (board !== null) await this.#acceptConfigured(board).catch(() => {}); // the next start says it again
  }

  /** Reads the board until `signal` is aborted. */
  async watch(handlers: ControlHandlers, signal: AbortSignal): Promise<void> {
    this.#handlers = handlers;
    if (this.#deps.board === null) return;
    // A skip that fails is one that nobody answers: whoever asked for it hears of that.
    const skips = new Tasks(() => {});
    try {
      for (;;) {
        await this.#deps.clock.sleep(LOOK_EVERY_MS, signal);
        await this.#look(signal, skips).catch(() => false); // the gate says that Redis is away
      }
    } finally {
      await skips.ended();
    }
  }

  async #look(signal: AbortSignal, skips?: Tasks): Promise<boolean> {
    const { board } = this.#deps;
    if (board === null) return true;
    const look = await board.look();
    for (const [field, note] of look.notes) {
      if (skippedPlace(field) === null) this.#seen.set(field, newer(this.#seen.get(field), note));
      else if (skips !== undefined) this.#meetSkip(board, field, note, look, skips, signal);
    }
    this.#learn();
    await this.#restoreLost(board, look);
    return true;
  }

  /** Redis may have come back empty, or as it was a while ago. */
  async #restoreLost(board: Board, { notes }: Look): Promise<void> {
    for (const [field, note] of this.#seen)
      if ((notes.get(field)?.revision ?? 0) < note.revision) await board.restore(field, note);
  }

  #learn(): void {
    for (const { name, topic } of this.#deps.routes) {
      const pause = asPause(this.#seen.get(pauseField(name)));
      if (pause !== null) this.#learnPause(name, topic, pause);
      for (const kind of BRAKE_KINDS) {
        const note = asBrake(this.#seen.get(brakeField(kind, name)));
        if (note !== null) this.brake.learn(kind, name, note);
      }
    }
  }

  #learnPause(route: string, topic: string, note: Note<PauseNote>): void {
    const known = this.#notes.get(route);
    if (known !== undefined && known.revision >= note.revision) return;
    this.#notes.set(route, note);
    this.#gather();
    const { content } = note;
    if (content.state === "paused")
      this.#deps.emit("route-paused", { route, topic, who: content.who, why: content.why });
    else if (known?.content.state === "paused") this.#deps.emit("route-resumed", { route, topic, who: content.who });
    this.#handlers?.changed();
  }

  #gather(): void {
    this.#pauses = this.#deps.routes.flatMap((route) => this.#pausesOf(route));
    this.#pausedTopics = new Set(this.#pauses.map(({ topic }) => topic));
  }

  #pausesOf(route: ControlledRoute): readonly PauseSnapshot[] {
    const { name, topic, paused } = route;
    const { pause } = standingOf(route, this.#seen);
    const byConfiguration = paused === null ? [] : [{ who: BY_CONFIGURATION, why: paused, sinceMs: null }];
    return [...byConfiguration, ...(pause === null ? [] : [pause])].map((by) => ({ route: name, topic, ...by }));
  }

  /** Whoever restarts with a larger number has accepted it, for the replicas too that still run with the smaller one. */
  async #acceptConfigured(board: Board): Promise<void> {
    for (const { name, brake } of this.#deps.routes) {
      for (const kind of BRAKE_KINDS) {
        const note = asBrake(this.#seen.get(brakeField(kind, name)));
        const limit = brake[kind];
        if (note?.content.state !== "tripped" || (limit !== null && limit <= note.content.limit)) continue;
        await board.swap(brakeField(kind, name), note.revision, { state: "accepted", limit, who: BY_CONFIGURATION });
      }
    }
  }

  #meetSkip(
    board: Board,
    field: string,
    note: Note<unknown>,
    { nowMs }: Look,
    skips: Tasks,
    signal: AbortSignal,
  ): void {
    const place = skippedPlace(field);
    if (place === null) return;
    const ageMs = nowMs - note.revision;
    const skip = asSkip(note)?.content;
    if (ageMs > SKIP_KEPT_MS) skips.own(board.swap(field, note.revision, null).then(() => {}));
    if (skip?.state !== "asked" || ageMs > SKIP_LIFE_MS || this.#handlers?.owns(place) !== true) return;
    skips.own(this.#takeUp(board, field, note.revision, `${skip.who}: ${skip.why}`, signal));
  }

  /** Only one replica gets the note, and only while it is wanted: whoever asked may have given up in the same moment. */
  async #takeUp(board: Board, field: string, revision: number, message: string, signal: AbortSignal): Promise<void> {
    const { name: by, clock } = this.#deps;
    const place = skippedPlace(field);
    const taken = await board.swap(field, revision, { state: "taken", by });
    const handlers = this.#handlers;
    if (taken === false || place === null || handlers === null) return;
    const untilMs = clock.monotonicMs() + SKIP_LIFE_MS;
    let answer = await handlers.skip(place, message, signal);
    while (answer === "busy" && clock.monotonicMs() < untilMs) {
      await clock.sleep(LOOK_EVERY_MS, signal);
      answer = await handlers.skip(place, message, signal);
    }
    await board.swap(field, taken, { state: "told", by, answer });
  }

  #missed(error: unknown, again: boolean): false {
    const { redis, emit } = this.#deps;
    const refusal = refusalOf(error) ?? refusalOf(redis?.lastError());
    if (refusal !== null) emit("redis-refused", { address: redis?.address ?? "", ...refusal, sends: "nothing", again });
    return false;
  }
}

const newer = (known: Note<unknown> | undefined, note: Note<unknown>): Note<unknown> =>
  known !== undefined && known.revision > note.revision ? known : note;

/** Of a pipeline that nobody can tell anything. */
export const withoutControls = (clock: Clock, emit: Emit): Controls =>
  new Controls({ routes: [], board: null, count: null, redis: null, name: "", clock, emit });

/** A replayed record belongs to the topic it came from. */
export const originTopic = ({ record, replayOf }: Pick<Mutation, "record" | "replayOf">): string =>
  (replayOf ?? record.position).topic;
