/** First half of the main loop: records become changes become mutations, which go into the window. One run a partition at a time. */
import type { OwnedPartition } from "./commit/partition.ts";
import type { Decoded, Errant } from "./domain/change.ts";
import { errorText, isConnectorError } from "./domain/errors.ts";
import type { Mutation } from "./domain/mutation.ts";
import type { ConsumerRecord } from "./domain/record.ts";
import type { Decoder, ErrantRecordReporter, Mapper } from "./domain/stages.ts";
import { backoffMs } from "./lib/backoff.ts";
import type { Clock } from "./lib/clock.ts";
import type { Tasks } from "./lib/tasks.ts";
import { turnOfTheLoop } from "./lib/turn.ts";
import type { Emit } from "./telemetry/events.ts";

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
  /** The partitions may be about to change hands: nothing new is begun, least of all a dead letter. */
  readonly isFrozen: () => boolean;
  /** Some of the inbox was worked off. */
  readonly progressed: () => void;
}

/** Records prepared before timers and sockets get their turn. */
const AT_A_TIME = 250;

export class Intake {
  readonly #deps: IntakeDeps;

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
  }

  prepareSoon(partition: OwnedPartition): void {
    if (partition.isPreparing || partition.state !== "open" || this.#deps.isFrozen()) return;
    if (partition.inbox.length === 0) return;
    partition.isPreparing = true;
    this.#deps.tasks.own(
      this.#prepare(partition).finally(() => {
        partition.isPreparing = false;
      }),
    );
  }

  async #prepare(partition: OwnedPartition): Promise<void> {
    while (partition.inbox.length > 0 && !partition.signal.aborted && !this.#deps.isFrozen()) {
      const records = partition.inbox.splice(0, AT_A_TIME);
      for (const [at, record] of records.entries()) {
        // Tracked before decode: a record that fails to decode still holds the watermark.
        const isNew = partition.watermark.track(record.position.offset, record.timestampMs);
        if (!isNew) {
          partition.release(record);
          continue;
        }
        const waiting = this.#prepareRecord(partition, record);
        if (waiting === undefined) continue;
        await waiting;
        if (partition.signal.aborted) return;
        if (this.#deps.isFrozen()) {
          partition.inbox.unshift(...records.slice(at + 1));
          return;
        }
      }
      this.#deps.progressed();
      await turnOfTheLoop();
    }
  }

  /** Undefined when the record is done with; a promise while it waits for the registry or the dead-letter topic. */
  #prepareRecord(partition: OwnedPartition, record: ConsumerRecord): Promise<void> | undefined {
    const decoded = this.#deps.decoder.decode(record);
    return decoded instanceof Promise
      ? this.#await(decoded, partition, record)
      : this.#take(decoded, partition, record);
  }

  /** A registry that does not answer, or a topic in a schema we cannot read, stalls its partition and makes no dead letter. */
  async #await(first: Promise<Decoded>, partition: OwnedPartition, record: ConsumerRecord): Promise<void> {
    const { decoder, clock, random, emit } = this.#deps;
    for (let attempt = 1, decoding: Decoded | Promise<Decoded> = first; !partition.signal.aborted; attempt++) {
      try {
        return await this.#take(await decoding, partition, record);
      } catch (error) {
        if (partition.signal.aborted) return;
        const code = isConnectorError(error) ? error.code : "UNEXPECTED";
        const where = { topic: partition.topic, partition: partition.partition };
        emit("record-stalled", { ...where, code, attempt, cause: errorText(error) });
        const waitMs = backoffMs(attempt, random, { baseMs: 1_000, capMs: 30_000, floorMs: 250 });
        await clock.sleep(waitMs, partition.signal).catch(() => {});
        // Another try for a lost partition would fail with nobody there to hear of it.
        if (partition.signal.aborted) return;
        decoding = decoder.decode(record);
      }
    }
  }

  #take(decoded: Decoded, partition: OwnedPartition, record: ConsumerRecord): Promise<void> | undefined {
    switch (decoded.status) {
      case "skip":
        return this.#skip(record, decoded.reason);
      case "errant":
        return this.#bury(partition, record, decoded.errant);
      case "changes": {
        const mutations: Mutation[] = [];
        for (const change of decoded.changes) {
          const mapped = this.#deps.mapper.map(change, record);
          if (mapped.status === "errant") return this.#bury(partition, record, mapped.errant);
          if (mapped.status === "mutations") mutations.push(...mapped.mutations);
        }
        const [first] = mutations;
        if (first === undefined) return this.#skip(record, "filtered");
        partition.watermark.expect(record.position.offset, mutations.length, first.lane);
        for (const mutation of mutations) this.#deps.add(mutation);
        return undefined;
      }
    }
  }

  #skip(record: ConsumerRecord, reason: string): undefined {
    this.#deps.emit("record-skipped", { topic: record.position.topic, reason });
    this.#deps.settle(record);
  }

  async #bury(partition: OwnedPartition, record: ConsumerRecord, errant: Errant): Promise<void> {
    await this.#deps.deadLetters.report(record, errant, 0, partition.signal).catch((error: unknown) => {
      if (!partition.signal.aborted) throw error;
    });
    this.#deps.settle(record);
  }
}
