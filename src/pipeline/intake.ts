/** First half of the main loop: records become changes become mutations, which go into the window. One run a partition at a time. */
import type { OwnedPartition } from "../commit/partition.ts";
import { replayedRecord } from "../dead-letter/replayed.ts";
import type { Decoded, Errant } from "../domain/change.ts";
import { errorText, isConnectorError } from "../domain/errors.ts";
import type { Lane, Mutation, ReplayOf } from "../domain/mutation.ts";
import { type ConsumerRecord, positionName } from "../domain/record.ts";
import type { Decoder, ErrantRecordReporter, Mapper } from "../domain/stages.ts";
import { backoffMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import type { Tasks } from "../lib/tasks.ts";
import { turnOfTheLoop } from "../lib/turn.ts";
import type { Emit } from "../telemetry/events.ts";
import { entryId } from "../window/entry.ts";

export interface IntakeDeps {
  readonly decoder: Decoder;
  readonly mapper: Mapper;
  readonly deadLetters: ErrantRecordReporter;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
  readonly tasks: Tasks;
  readonly add: (mutation: Mutation) => void;
  readonly settle: (record: ConsumerRecord) => void;
  /** Where dead letters come back; null: nowhere. */
  readonly replayTopic: string | null;
  /** False: the partition a replayed record stood in is not ours, or not read far enough. */
  readonly mayReplay: (origin: ReplayOf) => boolean;
  /** Whatever was accepted since is remembered, milliseconds since 1970; waits for the memory. */
  readonly remembersSince: (signal: AbortSignal) => Promise<number>;
  /** Lane of this topic's records, as far as that can be told before they are decoded. */
  readonly laneOf: (topic: string) => Lane;
  /** Whether the routes still name this topic. */
  readonly isRead: (topic: string) => boolean;
  /** False: this record must not become a dead letter, since nearly all of its topic would. */
  readonly admits: (record: ConsumerRecord, errant: Errant) => boolean;
  /** The partitions may be about to change hands, or a person holds the topic: nothing new is begun, least of all a dead letter. */
  readonly isHeld: (topic: string) => boolean;
  /** Some of the inbox was worked off. */
  readonly progressed: () => void;
}

/** Records prepared before timers and sockets get their turn. */
const AT_A_TIME = 250;
const REPLAY_RETRY_MS = 1_000;

export class Intake {
  readonly #deps: IntakeDeps;
  /** Beginning of the resync of which it was said that it is not written any further. */
  #outlived: number | null = null;
  /** What partitions stand still at: one record each. */
  readonly #standing = new Map<OwnedPartition, { readonly record: ConsumerRecord; readonly stop: AbortController }>();

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
  }

  prepareSoon(partition: OwnedPartition): void {
    if (partition.isPreparing || partition.state !== "open" || this.#deps.isHeld(partition.topic)) return;
    if (partition.inbox.length === 0) return partition.passGap();
    partition.isPreparing = true;
    this.#deps.tasks.own(
      this.#prepare(partition).finally(() => {
        partition.isPreparing = false;
        this.prepareSoon(partition); // it may have been let go on just when it had stopped
      }),
    );
  }

  /** Gives up the record that its partition stands still at; whoever takes it settles it. Null: it does not stand there. */
  release(partition: OwnedPartition, offset: bigint): ConsumerRecord | null {
    const standing = this.#standing.get(partition);
    if (standing?.record.position.offset !== offset || standing.stop.signal.aborted) return null;
    standing.stop.abort(new Error("the record was taken away"));
    return standing.record;
  }

  async #prepare(partition: OwnedPartition): Promise<void> {
    const lane = this.#deps.laneOf(partition.topic);
    while (partition.inbox.length > 0 && !partition.signal.aborted && !this.#deps.isHeld(partition.topic)) {
      const records = partition.inbox.splice(0, AT_A_TIME);
      for (const [at, record] of records.entries()) {
        // Tracked before decode: a record that fails to decode still holds the watermark.
        const isNew = partition.watermark.track(record.position.offset, record.timestampMs, lane);
        if (!isNew) {
          partition.release(record);
          continue;
        }
        const waiting = this.#prepareRecord(partition, record);
        if (waiting === undefined) continue;
        await waiting;
        if (partition.signal.aborted) return;
        if (this.#deps.isHeld(partition.topic)) {
          partition.inbox.unshift(...records.slice(at + 1));
          return;
        }
      }
      if (partition.inbox.length === 0) partition.passGap();
      this.#deps.progressed();
      await turnOfTheLoop();
    }
  }

  /** Undefined when the record is done with; a promise while it waits for the registry or the dead-letter topic. */
  #prepareRecord(partition: OwnedPartition, record: ConsumerRecord): Promise<void> | undefined {
    return partition.topic === this.#deps.replayTopic
      ? this.#replay(partition, record)
      : this.#decode(partition, { record, original: record });
  }

  async #replay(partition: OwnedPartition, record: ConsumerRecord): Promise<void> {
    const { clock, emit, mayReplay, isRead } = this.#deps;
    const replayed = replayedRecord(record);
    if (replayed === null) return this.#bury(partition, record, NO_LETTER);
    const { replayOf, only, record: original } = replayed;
    if (!isRead(replayOf.topic)) return this.#skip(record, "no-route");
    const isReady = await this.#stand(partition, record, async (signal) => {
      for (let attempt = 1; !mayReplay(replayOf); attempt++) {
        const cause = `${positionName(replayOf)} comes again when this replica has read past it and all that a crash left doubtful.`;
        emit("record-stalled", { ...placeOf(partition), code: "REPLAY_WAITS", attempt, cause });
        await clock.sleep(REPLAY_RETRY_MS, signal).catch(() => {});
        if (signal.aborted) return null;
      }
      return true;
    });
    if (isReady === null) return;
    if (replayOf.kind === "resync" && (await this.#isOutlived(partition, replayOf))) {
      if (!partition.signal.aborted) this.#skip(record, "resync-outlived");
      return;
    }
    await this.#decode(partition, { record, original, replayOf, only });
  }

  /** A newer change may have been accepted since the resync began, and be forgotten: then nobody can tell which one is newer. */
  async #isOutlived(partition: OwnedPartition, { sinceMs }: ReplayOf): Promise<boolean> {
    try {
      if ((await this.#deps.remembersSince(partition.signal)) <= sinceMs) return false;
      if (this.#outlived !== sinceMs) this.#deps.emit("resync-outlived", { begun: new Date(sinceMs).toISOString() });
      this.#outlived = sinceMs;
    } catch (error) {
      if (!partition.signal.aborted) throw error;
    }
    return true;
  }

  /** A wait that ends with the partition, or when a person takes the record away; then it gives null. */
  async #stand<T>(
    partition: OwnedPartition,
    record: ConsumerRecord,
    wait: (signal: AbortSignal) => Promise<T | null>,
  ): Promise<T | null> {
    const stop = new AbortController();
    this.#standing.set(partition, { record, stop });
    try {
      const result = await wait(AbortSignal.any([partition.signal, stop.signal]));
      return stop.signal.aborted ? null : result;
    } finally {
      this.#standing.delete(partition);
    }
  }

  #decode(partition: OwnedPartition, reading: Reading): Promise<void> | undefined {
    const decoded = this.#deps.decoder.decode(reading.original);
    return decoded instanceof Promise
      ? this.#await(decoded, partition, reading)
      : this.#take(decoded, partition, reading);
  }

  /** A registry that does not answer, or a topic in a schema we cannot read, stalls its partition and makes no dead letter. */
  async #await(first: Promise<Decoded>, partition: OwnedPartition, reading: Reading): Promise<void> {
    const { decoder, clock, random, emit } = this.#deps;
    const decoded = await this.#stand(partition, reading.record, async (signal) => {
      for (let attempt = 1, decoding: Decoded | Promise<Decoded> = first; ; attempt++) {
        try {
          return await decoding;
        } catch (error) {
          if (signal.aborted) return null;
          const code = isConnectorError(error) ? error.code : "UNEXPECTED";
          emit("record-stalled", { ...placeOf(partition), code, attempt, cause: errorText(error) });
          const waitMs = backoffMs(attempt, random, { baseMs: 1_000, capMs: 30_000, floorMs: 250 });
          await clock.sleep(waitMs, signal).catch(() => {});
          // Another try for a lost partition would fail with nobody there to hear of it.
          if (signal.aborted) return null;
          decoding = decoder.decode(reading.original);
        }
      }
    });
    if (decoded !== null && !partition.signal.aborted) await this.#take(decoded, partition, reading);
  }

  #take(decoded: Decoded, partition: OwnedPartition, reading: Reading): Promise<void> | undefined {
    const { record, original, replayOf, only = null } = reading;
    switch (decoded.status) {
      case "skip":
        return this.#skip(record, decoded.reason);
      case "errant":
        return this.#bury(partition, record, decoded.errant);
      case "changes": {
        const mutations: Mutation[] = [];
        for (const change of decoded.changes) {
          const mapped = this.#deps.mapper.map(change, original);
          if (mapped.status === "errant") return this.#bury(partition, record, mapped.errant);
          if (mapped.status === "mutations") mutations.push(...mapped.mutations.filter((each) => isWanted(each, only)));
        }
        const [first] = mutations;
        if (first === undefined) return this.#skip(record, "filtered");
        const lane = replayOf === undefined ? first.lane : "backfill";
        partition.watermark.expect(record.position.offset, mutations.length, lane);
        for (const mutation of mutations)
          this.#deps.add(replayOf === undefined ? mutation : { ...mutation, record, lane, replayOf });
        return undefined;
      }
    }
  }

  #skip(record: ConsumerRecord, reason: string): undefined {
    this.#deps.emit("record-skipped", { topic: record.position.topic, reason });
    this.#deps.settle(record);
  }

  async #bury(partition: OwnedPartition, record: ConsumerRecord, errant: Errant): Promise<void> {
    if (!this.#deps.admits(record, errant)) return void (await this.#stand(partition, record, aborted));
    await this.#deps.deadLetters
      .report(record, errant, { count: 0, firstMs: null, names: null }, partition.signal)
      .catch((error: unknown) => {
        if (!partition.signal.aborted) throw error;
      });
    this.#deps.settle(record);
  }
}

/** What is read at a position of its partition. */
interface Reading {
  readonly record: ConsumerRecord;
  /** As its topic had it: another one than `record` only for a replay. */
  readonly original: ConsumerRecord;
  readonly replayOf?: ReplayOf;
  /** Entity ids of what it may write; null: of all that it gives. */
  readonly only?: ReadonlySet<string> | null;
}

const isWanted = ({ entity, key }: Mutation, only: ReadonlySet<string> | null): boolean =>
  only === null || only.has(entryId(entity, key));

const NO_LETTER: Errant = {
  stage: "decode",
  reason: "not-a-letter",
  message:
    "It is no whole dead letter of this partition number; only `sell-sink dlq replay` and `sell-sink resync` write to the replay topic.",
};

const placeOf = ({ topic, partition }: OwnedPartition) => ({ topic, partition });

/** A stopped topic stands still where it is until its partition is lost, the process ends, or a person takes the record away. */
const aborted = (signal: AbortSignal): Promise<null> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    else signal.addEventListener("abort", () => resolve(null), { once: true });
  });
