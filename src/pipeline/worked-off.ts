/**
 * How far the group has worked off its topics, all replicas together. A parent may stand anywhere in the backlog of its topic:
 * before that is worked off, no child has waited for it in vain.
 */
import type { Entity } from "../domain/mutation.ts";
import { partitionName, type TopicPartition } from "../domain/record.ts";
import type { EndOffset, RecordSource } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import { within } from "../lib/within.ts";

export interface WorkedOffDeps {
  readonly source: Pick<RecordSource, "endOffsets" | "committed">;
  readonly clock: Clock;
  /** The topics that records of an entity come from. */
  readonly originsOf: (entity: Entity) => readonly string[];
}

/** A topic as it was at some time, and how much of that is worked off; all times are monotonic milliseconds. */
interface Sight {
  readonly atMs: number;
  readonly ends: readonly EndOffset[];
  done: bigint;
  movedMs: number;
}

type OffsetOf = (end: EndOffset) => bigint;

const LOOK_MAX_MS = 10_000;
/** What has not moved for so long waits for something else than its turn, perhaps for the very child that asks. */
const STILL_MS = 30_000;

export class WorkedOff {
  readonly #deps: WorkedOffDeps;
  /** Topics that somebody asked for since the last look. This and the maps: at most the topics that are read. */
  readonly #asked = new Set<string>();
  readonly #sights = new Map<string, Sight>();
  readonly #throughMs = new Map<string, number>();
  #isLooking = false;

  constructor(deps: WorkedOffDeps) {
    this.#deps = deps;
  }

  /**
   * All that the topics of an entity held at that monotonic time is worked off, as far as it moves at all. False also as long
   * as nobody has looked: the next look does.
   */
  isThrough(entity: Entity, sinceMs: number): boolean {
    const open = this.#deps.originsOf(entity).filter((topic) => (this.#throughMs.get(topic) ?? -1) < sinceMs);
    for (const topic of open) this.#asked.add(topic);
    return open.length === 0;
  }

  /** Two questions to Kafka if somebody has asked; a broker that does not answer is asked again with the next look. */
  async look(signal: AbortSignal): Promise<void> {
    const topics = [...this.#asked];
    if (topics.length === 0 || this.#isLooking) return;
    this.#asked.clear();
    this.#isLooking = true;
    await within(this.#deps.clock, LOOK_MAX_MS, () => this.#lookAt(topics), signal).catch(() => {});
    this.#isLooking = false;
  }

  async #lookAt(topics: readonly string[]): Promise<void> {
    const { source, clock } = this.#deps;
    const atMs = clock.monotonicMs();
    const ends = await source.endOffsets(topics);
    const committed = await source.committed(ends);
    const offsets = new Map(committed.map((row) => [partitionName(row), row.offset]));
    const offsetOf = (end: TopicPartition & { readonly low: bigint }): bigint =>
      offsets.get(partitionName(end)) ?? end.low;
    for (const topic of topics) {
      const now = ends.filter((end) => end.topic === topic);
      this.#see(topic, { atMs, ends: now, done: doneOf(now, offsetOf), movedMs: atMs }, offsetOf);
    }
  }

  #see(topic: string, now: Sight, offsetOf: OffsetOf): void {
    const before = this.#sights.get(topic);
    if (isDone(now.ends, offsetOf)) this.#throughMs.set(topic, now.atMs);
    else if (before !== undefined && !isDone(before.ends, offsetOf)) {
      const done = doneOf(before.ends, offsetOf);
      if (done > before.done) return void Object.assign(before, { done, movedMs: now.atMs });
      if (now.atMs - before.movedMs < STILL_MS) return;
    }
    if (before !== undefined) this.#throughMs.set(topic, Math.max(before.atMs, this.#throughMs.get(topic) ?? -1));
    this.#sights.set(topic, now);
  }
}

const isDone = (ends: readonly EndOffset[], offsetOf: OffsetOf): boolean =>
  ends.every((end) => offsetOf(end) >= end.high);

/** Offsets up to these ends that are committed. */
const doneOf = (ends: readonly EndOffset[], offsetOf: OffsetOf): bigint =>
  ends.reduce((sum, end) => sum + (offsetOf(end) < end.high ? offsetOf(end) : end.high), 0n);
