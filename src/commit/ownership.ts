/**
 * Which partitions are ours, and how they change hands without a record being written twice.
 *
 * At each join: lost partitions are forgotten. For all that we own the stored mark is read; a partition left `clean` goes on
 * at once from its bitmap, one left `open` (its owner was cut off) only after `lateApplyMaxMs` and the index lag, when nothing
 * of the owner before can reach Sell any more and all of it is found. Then everything is marked `open` in our name, and only after that may anything be sent.
 * Before each rejoin (`beforeRejoin`) sends are frozen, what is on the wire is awaited, and the rest is handed over `clean`.
 */
import { ConnectorError, errorText, isConnectorError } from "../domain/errors.ts";
import { type Position, partitionName, type TopicPartition } from "../domain/record.ts";
import type { Assignment, CommittedOffset, EndOffset, RecordSource } from "../domain/stages.ts";
import { backoffMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import type { Emit } from "../telemetry/events.ts";
import type { Committer } from "./committer.ts";
import { partitionSet } from "./committer.ts";
import { cooldownLeftMs, type Mark, readMark } from "./mark.ts";
import { OwnedPartition } from "./partition.ts";

export type StartFrom = "earliest" | "latest" | { readonly timestampMs: number };

export interface OwnershipDeps {
  readonly source: Pick<RecordSource, "committed" | "endOffsets" | "offsetsAt" | "seek" | "resume">;
  readonly committer: Committer;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
  readonly nonce: string;
  readonly account: string;
  readonly lateApplyMaxMs: number;
  /** What was applied at the last moment is found by its key so much later. */
  readonly indexLagMs: number;
  readonly startFrom: (topic: string) => StartFrom;
  /** Its partition p needs what is known of partition p of every other topic; null: nothing is replayed. */
  readonly replayTopic: string | null;
  /** A cool-down that the owner before knew of. */
  readonly adoptCooldown: (leftMs: number) => Promise<void>;
  /** Forget every change of these partitions. */
  readonly onLost: (isLost: (partition: TopicPartition) => boolean) => void;
  /** Records of this partition may be prepared and sent. */
  readonly onOpen: (partition: OwnedPartition) => void;
  /** The stored offsets belong to something that this process must not touch. */
  readonly onRefused: (error: ConnectorError) => void;
}

export class Ownership {
  readonly #deps: OwnershipDeps;
  readonly #table = new Map<string, Map<number, OwnedPartition>>();
  /** All of the table: asked for with every batch, changed at a join. */
  #partitions: readonly OwnedPartition[] = [];
  /** Replay partitions that were kept while a partition of the same number went: what they hold may be overtaken elsewhere. */
  readonly #astray = new Set<number>();
  #epochs = 0;
  #round = new AbortController();
  #opening: Promise<void> = Promise.resolve();
  #frozen = true;
  /** The marks stored of what we own were read since the last join: no other member had a kept partition in between. */
  #isConfirmed = false;

  constructor(deps: OwnershipDeps) {
    this.#deps = deps;
  }

  /** Nothing may be sent: a join is under way, or the kept partitions are not marked `open` again yet. */
  get isFrozen(): boolean {
    return this.#frozen;
  }

  get partitions(): readonly OwnedPartition[] {
    return this.#partitions;
  }

  /**
   * What may be committed. None between a join and the reading of the marks: another member may have had a partition that we
   * kept, in an assignment that never reached us, and our watermark would take its own back.
   */
  get confirmed(): readonly OwnedPartition[] {
    return this.#isConfirmed ? this.#partitions : [];
  }

  /**
   * A record that stood here may come again: all before it was read, and what an owner before had accepted but perhaps not
   * remembered is accepted again.
   */
  mayReplay(origin: TopicPartition & { readonly offset: bigint }): boolean {
    const source = this.get(origin);
    if (this.#frozen || source?.state !== "open") return false;
    const { watermark, trustedFrom } = source;
    return watermark.next > origin.offset && watermark.committable >= trustedFrom;
  }

  get({ topic, partition }: TopicPartition): OwnedPartition | undefined {
    return this.#table.get(topic)?.get(partition);
  }

  /** The partition this position was read in, if it is still the same assignment. */
  of(position: Position): OwnedPartition | undefined {
    const partition = this.get(position);
    return partition?.epoch === position.epoch ? partition : undefined;
  }

  /** No send from now on, and nothing of an earlier join's opening is begun any more. */
  freeze(): void {
    this.#frozen = true;
    this.#round.abort(new Error("a new join began"));
  }

  onAssignment({ lost, gained }: Assignment): void {
    this.#isConfirmed = false;
    this.#lose(lost);
    for (const { partition } of lost) this.#astray.add(partition);
    for (const partition of gained) {
      this.#own(partition);
      this.#deps.source.resume(partition); // kafkajs keeps the pause of a partition that was lost and came back
    }
    this.freeze();
    this.#round = new AbortController();
    const { signal } = this.#round;
    this.#opening = this.#opening
      .then(() => this.#open(signal))
      .catch((error: unknown) => this.#openingFailed(error, signal));
  }

  #openingFailed(error: unknown, signal: AbortSignal): void {
    if (isConnectorError(error) && !error.retriable) this.#deps.onRefused(error);
    else if (!signal.aborted) this.#deps.emit("commit-refused", { cause: errorText(error) });
  }

  #lose(partitions: readonly TopicPartition[]): void {
    if (partitions.length === 0) return;
    for (const { topic, partition } of partitions) {
      this.#table.get(topic)?.get(partition)?.lose();
      this.#table.get(topic)?.delete(partition);
    }
    this.#list();
    this.#deps.onLost(partitionSet(partitions));
  }

  #own({ topic, partition }: TopicPartition): void {
    const owned = new OwnedPartition({ topic, partition }, ++this.#epochs);
    const partitions = this.#table.get(topic) ?? new Map<number, OwnedPartition>();
    this.#table.set(topic, partitions.set(partition, owned));
    this.#list();
  }

  #list(): void {
    this.#partitions = [...this.#table.values()].flatMap((partitions) => [...partitions.values()]);
  }

  async #open(signal: AbortSignal): Promise<void> {
    const joinedMs = this.#deps.clock.monotonicMs();
    const stored = await this.#insist(() => this.#deps.source.committed(this.partitions), signal);
    const marks = new Map(stored.map((offset) => [partitionName(offset), this.#markOf(offset)]));
    this.#takeBackForeign(stored, marks);
    this.#isConfirmed = true;
    await this.#adoptCooldown([...marks.values()]);
    for (const partition of this.partitions.filter(({ isStarted }) => !isStarted)) {
      const name = partitionName(partition);
      const offset = stored.find((other) => partitionName(other) === name)?.offset ?? null;
      await this.#insist(() => this.#startAt(partition, offset, marks.get(name) ?? null, joinedMs), signal);
    }
    await this.#insist(() => this.#markOpen(), signal);
    this.#frozen = false;
    for (const partition of this.partitions) if (!this.isLate(partition)) this.#flow(partition);
    await this.#outwait(
      this.partitions.filter((partition) => this.isLate(partition)),
      signal,
    );
  }

  async #markOpen(): Promise<void> {
    if (!(await this.#deps.committer.commit(this.partitions, () => true)))
      throw new Error("the broker refused the commit");
  }

  /** A request of an earlier owner may still be applied. */
  isLate({ state, lateUntilMs }: OwnedPartition): boolean {
    return state === "opening" && lateUntilMs > this.#deps.clock.monotonicMs();
  }

  #flow(partition: OwnedPartition): void {
    if (partition.state === "lost") return;
    partition.state = "open";
    this.#deps.onOpen(partition);
  }

  /** Waits until nothing that the owners before sent can still be applied. */
  async #outwait(late: readonly OwnedPartition[], signal: AbortSignal): Promise<void> {
    const { clock, emit } = this.#deps;
    for (const partition of late) {
      const waitMs = Math.round(partition.lateUntilMs - clock.monotonicMs());
      emit("late-wait", { partition: partitionName(partition), waitMs });
    }
    for (const partition of late) {
      await clock.sleep(partition.lateUntilMs - clock.monotonicMs(), signal);
      this.#flow(partition);
    }
  }

  #markOf({ offset, metadata }: CommittedOffset): Mark | null {
    const mark = offset === null ? null : readMark(metadata, offset);
    if (mark !== null && mark.account !== this.#deps.account) {
      throw new ConnectorError(
        "ACCOUNT_CHANGED",
        "This consumer group last wrote to another Sell account, so its offsets say nothing about this one. " +
          "Use the former account's token, or another kafka.groupId.",
        { retriable: false },
      );
    }
    return mark;
  }

  /**
   * A kept partition whose mark is not ours had another owner in between, and one whose offset we stored is gone or was
   * set back without a mark where its topic was created again: what we hold of it is worth nothing.
   */
  #takeBackForeign(stored: readonly CommittedOffset[], marks: ReadonlyMap<string, Mark | null>): void {
    const started = this.partitions.filter(({ isStarted }) => isStarted);
    const offsets = new Map(stored.map((row) => [partitionName(row), row.offset]));
    const wentElsewhere = started.filter((partition) => {
      const name = partitionName(partition);
      const mark = marks.get(name) ?? null;
      if (mark !== null) return mark.nonce !== this.#deps.nonce;
      return partition.lastCommitMs !== null && (offsets.get(name) ?? -1n) < partition.watermark.committable;
    });
    for (const { partition } of wentElsewhere) this.#astray.add(partition);
    const foreign = started.filter(
      (partition) =>
        wentElsewhere.includes(partition) ||
        (partition.topic === this.#deps.replayTopic && this.#astray.has(partition.partition)),
    );
    this.#astray.clear();
    this.#lose(foreign);
    for (const partition of foreign) {
      this.#own(partition);
      const offset = offsets.get(partitionName(partition)) ?? 0n;
      this.#deps.source.seek(partition, offset); // what was fetched since the join went with what we held
      this.#deps.source.resume(partition);
    }
  }

  async #adoptCooldown(marks: readonly (Mark | null)[]): Promise<void> {
    const left = cooldownLeftMs(marks, this.#deps.clock.now());
    if (left > 0) await this.#deps.adoptCooldown(left);
  }

  async #startAt(partition: OwnedPartition, stored: bigint | null, mark: Mark | null, joinedMs: number): Promise<void> {
    if (stored === null) {
      const first = await this.#firstOffset(partition);
      partition.startAt(first, []);
      // Without a stored offset kafkajs begins at the earliest: another start must be said, and is stored at once.
      if (this.#deps.startFrom(partition.topic) !== "earliest") this.#deps.source.seek(partition, first);
      return;
    }
    if (mark?.state === "clean") {
      partition.trustedFrom = mark.trustedFrom;
      return partition.startAt(stored, mark.settled);
    }
    const end = await this.#endOf(partition);
    // What was accepted just before a crash may not have been remembered: up to here no fingerprint is believed.
    partition.trustedFrom = end?.high ?? stored;
    partition.lateUntilMs = joinedMs + this.#deps.lateApplyMaxMs + this.#deps.indexLagMs;
    if (end === undefined || end.high >= stored) return partition.startAt(stored, mark?.settled ?? []);
    // The topic was created again, or its log was cut: what stands there was never read.
    partition.startAt(end.low, []);
    this.#deps.source.seek(partition, end.low);
  }

  async #firstOffset({ topic, partition }: TopicPartition): Promise<bigint> {
    const { source, startFrom } = this.#deps;
    const from = startFrom(topic);
    if (typeof from === "object") {
      const offsets = await source.offsetsAt(topic, from.timestampMs);
      return offsets.find((other) => other.partition === partition)?.offset ?? 0n;
    }
    const end = await this.#endOf({ topic, partition });
    return (from === "latest" ? end?.high : end?.low) ?? 0n;
  }

  async #endOf({ topic, partition }: TopicPartition): Promise<EndOffset | undefined> {
    const ends = await this.#deps.source.endOffsets([topic]);
    return ends.find((end) => end.topic === topic && end.partition === partition);
  }

  /** Tries until it works or the next join begins. */
  async #insist<T>(act: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      try {
        const result = await act();
        signal.throwIfAborted(); // the next join began meanwhile: what comes after `act` is its business
        return result;
      } catch (error) {
        signal.throwIfAborted();
        if (isConnectorError(error) && !error.retriable) throw error;
        await this.#deps.clock.sleep(
          backoffMs(attempt, this.#deps.random, { baseMs: 200, capMs: 5_000, floorMs: 50 }),
          signal,
        );
      }
    }
  }
}
