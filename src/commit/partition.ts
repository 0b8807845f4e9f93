/**
 * One partition while this process owns it: its inbox, its watermark, and why it is paused.
 * States: `opening` the mark of the owner before is being read, or its late requests are waited out; `open` records flow;
 * `lost` it belongs to somebody else, and whatever still comes back for it is ignored.
 */
import assert from "node:assert";
import type { ConsumerRecord, TopicPartition } from "../domain/record.ts";
import type { SourceRecord } from "../domain/stages.ts";
import { Watermark } from "./watermark.ts";

/** `window` memory, `span` offsets above the watermark, `quota` a long cool-down, `failures` most of its topic's records fail, `brake` too many deletions, `paused` by a person, `stopping`. */
export type PauseReason = "window" | "span" | "quota" | "failures" | "brake" | "paused" | "stopping";

export class OwnedPartition implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly epoch: number;
  state: "opening" | "open" | "lost" = "opening";
  /** Monotonic time until which a request of the owner before may still be applied. */
  lateUntilMs = 0;
  /** Received, not yet prepared; oldest first. */
  readonly inbox: ConsumerRecord[] = [];
  isPreparing = false;
  readonly pausedFor = new Set<PauseReason>();
  /** What the partition holds in memory; see window/budget.ts. */
  readonly held = { records: 0, bytes: 0 };
  /** Fingerprints remembered for records below this offset may be older than what Sell holds. */
  trustedFrom = 0n;
  /** End offset; null until the broker has told it. */
  highWatermark: bigint | null = null;
  /** What the broker stored last, to commit only what moved. */
  stored = { offset: -1n, settledAbove: -1 };
  lastCommitMs: number | null = null;
  readonly #lost = new AbortController();
  #watermark: Watermark | null = null;
  #received = -1n;
  /** Below it everything was received that holds a record. */
  #readTo = -1n;

  constructor({ topic, partition }: TopicPartition, epoch: number) {
    this.topic = topic;
    this.partition = partition;
    this.epoch = epoch;
  }

  /** Aborted when the partition is lost. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /** False until the stored offset was read: nothing may be prepared or committed. */
  get isStarted(): boolean {
    return this.#watermark !== null;
  }

  get watermark(): Watermark {
    assert.ok(this.#watermark !== null, "a partition has a watermark once it is started");
    return this.#watermark;
  }

  startAt(offset: bigint, settledAbove: Iterable<bigint>): void {
    this.#watermark = new Watermark(offset, settledAbove);
    this.stored = { offset, settledAbove: 0 };
  }

  lose(): void {
    this.state = "lost";
    this.inbox.length = 0;
    this.#lost.abort(new Error("partition lost"));
  }

  /** Takes in what is new of a fetch up to `next`; after a rejoin kafkajs fetches again from the committed offset. */
  receive(records: readonly SourceRecord[], next: bigint): void {
    if (next > this.#readTo) this.#readTo = next;
    for (const { offset, timestampMs, key, value, headers } of records) {
      if (offset <= this.#received) continue;
      this.#received = offset;
      const bytes = sizeOf(key, value, headers);
      const position = { topic: this.topic, partition: this.partition, offset, epoch: this.epoch };
      this.inbox.push({ position, timestampMs, key, value, headers, bytes });
      this.held.records += 1;
      this.held.bytes += bytes;
    }
  }

  /** Call it when every record that was received is tracked: offsets up to here that held none need no settling. */
  passGap(): void {
    if (this.isStarted) this.watermark.pass(this.#readTo);
  }

  /** The record holds no memory any more. */
  release({ bytes }: ConsumerRecord): void {
    this.held.records -= 1;
    this.held.bytes -= bytes;
  }

  /** Something moved since the last commit. */
  get moved(): boolean {
    const { committable, settledAbove } = this.watermark;
    return committable !== this.stored.offset || settledAbove !== this.stored.settledAbove;
  }
}

const sizeOf = (key: Buffer | null, value: Buffer | null, headers: ConsumerRecord["headers"]): number => {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, header] of headers) bytes += name.length + (header?.length ?? 0);
  return bytes;
};
