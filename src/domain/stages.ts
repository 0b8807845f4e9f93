/**
 * The stages' contracts on one page: read this first.
 *
 *   ConsumerRecord -decode-> Change[] -map-> Mutation[] -window-> Batch -gate-> Permit -deliver-> Receipt -commit-> Watermark
 *
 * Glossary: a record is *settled* when every mutation it gave was accepted, superseded by an accepted newer one, skipped,
 * or is safely in the dead-letter topic. The *watermark* of a partition is the end of its settled prefix, the next offset
 * to commit. A *permit* is the right to start one request. A *lane* is `live` or `backfill`. An *epoch* is one assignment
 * of a partition to this process.
 *
 * Every function that waits takes `signal` last and rejects with `signal.reason` once it is aborted.
 */
import type { Change, Decoded, Errant } from "./change.ts";
import type { Entity, Lane, Mapped } from "./mutation.ts";
import type { Announced, Batch, Receipt, RequestNames, Throttle } from "./receipt.ts";
import type { ConsumerRecord, TopicPartition } from "./record.ts";
import type { Version } from "./version.ts";

// --- source -----------------------------------------------------------------------------------------------------------

export interface Assignment {
  /** Owned before and not any more. */
  readonly lost: readonly TopicPartition[];
  /** Owned before and still, by the same member. */
  readonly kept: readonly TopicPartition[];
  /** Newly owned, or owned again (then also in `lost`): under another member id, or because its log does not go on where it was read. */
  readonly gained: readonly TopicPartition[];
}

/** Called by the source; none of these may throw, and none but `beforeRejoin` may wait. */
export interface SourceHandlers {
  /**
   * `next` is the offset that is read next: whatever lies below it and is not among the records holds none (markers of
   * transactions, aborted or compacted records). There may be no records at all.
   */
  onRecords(partition: TopicPartition, records: readonly SourceRecord[], highWatermark: bigint, next: bigint): void;
  /** After each GROUP_JOIN, and when a partition's log begins anew. The source has applied nothing yet: every gained partition must be `resume`d or `pause`d by the handler. */
  onAssignment(assignment: Assignment): void;
  /**
   * The revoke barrier: runs before every JoinGroup (the first join, rejoins, and while stopping). Freeze sends, await calls in
   * flight, commit. The source waits for it; it bounds itself and never rejects.
   */
  beforeRejoin(): Promise<void>;
  /** The consumer is beyond repair: the process must exit non-zero. */
  onDeath(error: Error): void;
}

/** A record before the pipeline knows its epoch; bytes are owned copies. */
export interface SourceRecord {
  readonly offset: bigint;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: ConsumerRecord["headers"];
}

export interface OffsetCommit extends TopicPartition {
  /** Next offset to read: last settled + 1. */
  readonly offset: bigint;
  /** At most 4,096 bytes (the broker's limit); see commit/mark.ts. */
  readonly metadata: string;
}

export interface CommittedOffset extends TopicPartition {
  /** Null: nothing was ever committed. */
  readonly offset: bigint | null;
  readonly metadata: string | null;
}

export interface EndOffset extends TopicPartition {
  readonly low: bigint;
  readonly high: bigint;
}

export interface RecordSource {
  /** Resolves once consumption runs (the first join may come later). */
  start(handlers: SourceHandlers): Promise<void>;
  /** Pausing or resuming a partition that is not ours any more, or while no group exists, does nothing. */
  pause(partition: TopicPartition): void;
  resume(partition: TopicPartition): void;
  /**
   * Reads on from `offset`; nothing is committed. A gained partition starts at its committed offset, else at its first record.
   * Does nothing when the partition is not ours; queued batches from before are dropped.
   */
  seek(partition: TopicPartition, offset: bigint): void;
  /**
   * Resolves only when the broker stored it (proof: the COMMIT_OFFSETS event); otherwise rejects with a ConnectorError
   * `COMMIT_REFUSED`. Never call it twice at once.
   */
  commit(offsets: readonly OffsetCommit[]): Promise<void>;
  /** The group's stored offsets and metadata of these partitions, order not promised. */
  committed(partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]>;
  endOffsets(topics: readonly string[]): Promise<readonly EndOffset[]>;
  /** First offset at or after a time; the end offset when there is none. */
  offsetsAt(topic: string, timestampMs: number): Promise<readonly (TopicPartition & { readonly offset: bigint })[]>;
  /** Milliseconds for which this member may still assume that it owns its partitions; <= 0: send nothing. */
  leaseLeftMs(): number;
  /** Leaves the group and closes. Commit before: commits during `stop` are lost. */
  stop(): Promise<void>;
}

export interface ProducedRecord {
  readonly topic: string;
  readonly partition?: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: ConsumerRecord["headers"];
  readonly timestampMs?: number;
}

/** Writes to Kafka with acks=all; resolves when every record is stored. */
export interface RecordProducer {
  send(records: readonly ProducedRecord[]): Promise<void>;
  close(): Promise<void>;
}

// --- decode, map ------------------------------------------------------------------------------------------------------

export interface Decoder {
  /**
   * Synchronous where no registry is asked. Never throws for bytes: those end as `errant`. Rejects with a retriable
   * ConnectorError (`REGISTRY_UNREACHABLE`, `REGISTRY_REFUSED`) when the answer depends on a registry that does not answer.
   */
  decode(record: ConsumerRecord): Decoded | Promise<Decoded>;
}

export interface Mapper {
  map(change: Change, record: ConsumerRecord): Mapped;
}

// --- gate -------------------------------------------------------------------------------------------------------------

/** The right to start one request, now. Used at once or dropped; never refunded. */
export interface Permit {
  readonly lane: Lane;
  /** Monotonic milliseconds (`clock.monotonicMs`) of the grant. */
  readonly grantedAtMs: number;
}

/** `limit` as configured less the reserve, or as it was in force; `used`: calls that all replicas started in the last `perMs`. */
export interface WindowUse {
  readonly limit: number;
  readonly perMs: number;
  readonly used: number;
}

/** A 429. Answers to calls that were granted before it was known belong to it, in whichever replica they arrive. */
export interface Incident {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** What the server asked for; null: it did not say for how long. */
  readonly hintMs: number | null;
  readonly source: string;
  /** The limits in force then, and our own calls: far fewer of them than allowed mean that others spend. */
  readonly windows: readonly WindowUse[];
  /** Calls of others in that window, from what headers announced; null: they announced nothing. */
  readonly foreign: number | null;
}

export interface GateState {
  /** `redis` shared; `local` this process only; `closed` Redis is away and nothing is granted. */
  readonly mode: "redis" | "local" | "closed";
  readonly windows: readonly WindowUse[];
  /** A window is kept for so much longer than itself, since calls take unevenly long to arrive; the most of all windows. */
  readonly guardMs: number;
  readonly cooldownLeftMs: number;
  /** All cool-downs together since the limiter's memory began. */
  readonly cooldownTotalMs: number;
  /** Sustained rate now; a running cool-down is not counted. */
  readonly permitsPerSecond: number;
  /** Milliseconds between two calls of an even pace, now. */
  readonly slotMs: number;
  /** Part of the limits in force, at most 1: lowered for a while by a 429, or by what headers announce. */
  readonly share: number;
  /** What headers announced within the last window: calls left, and calls of others in it, estimated. Null: nothing. */
  readonly announced: {
    readonly remaining: number;
    readonly foreign: number;
    /** Until a fixed window begins anew; null: none was seen to. */
    readonly resetsInMs: number | null;
  } | null;
  readonly replicas: number;
  /** Turns that went by because their owner did not come in time, since the limiter's memory began. */
  readonly lostTurns: number;
  /** Newest first, at most 20. */
  readonly incidents: readonly Incident[];
}

export interface Gate {
  /** Waits for the quota, a cool-down, this replica's turn, or Redis to come back. */
  acquire(lane: Lane, signal: AbortSignal): Promise<Permit>;
  /**
   * A 429 or its like: everybody stops until the hint has passed; a cool-down only ever grows. `permit` is the one that the
   * refused call had: it tells whether this is another incident.
   */
  tell(throttle: Throttle, permit: Permit): Promise<void>;
  /** What a reply's headers announced to the call of that permit. They may only lower the pace. */
  see(announced: Announced, permit: Permit): void;
  /** A cool-down learned elsewhere (commit metadata), as time left. */
  adopt(cooldownLeftMs: number): Promise<void>;
  /** No effect; never rejects. */
  peek(): Promise<GateState>;
  /** Local knowledge, without asking Redis. */
  cooldownLeftMs(): number;
  close(): Promise<void>;
}

// --- deliver ----------------------------------------------------------------------------------------------------------

export interface Target {
  /** `bulk` or `core`, once `open` has resolved. */
  readonly dialect: string;
  /** Items a batch may hold: 1 for core. */
  readonly maxItems: number;
  /** Name of the account on the other side, once `open` has resolved. */
  readonly account: string;
  /**
   * Checks credential and account, and finds out the dialect. Takes one permit a request. Rejects with a ConnectorError:
   * retriable when the target is away, otherwise with the sentence to print.
   */
  open(permit: () => Promise<Permit>, signal: AbortSignal): Promise<void>;
  /** One request. Never rejects for what the server does: every answer and every silence is a receipt. */
  send(batch: Batch, signal: AbortSignal): Promise<Receipt>;
  /** Resolves when a credential file changed, so that a halted pipeline may try again. */
  credentialChanged(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

// --- store ------------------------------------------------------------------------------------------------------------

export interface EntityId {
  readonly entity: Entity;
  readonly key: string;
}

export interface Remembered {
  readonly id: number | null;
  readonly deleted: boolean;
  /** Version of the last accepted *streamed* change. */
  readonly version: Version | null;
  /** Route of the last accepted change; null: none was, the record was only found by a lookup. */
  readonly route: string | null;
  /** Of the fields last accepted, be they a full image or not; null for other writes, or when it can no longer be trusted. */
  readonly fingerprint: string | null;
  readonly acceptedAtMs: number;
  /** `topic[partition]@offset` it was accepted from. */
  readonly from: string;
}

/** What is remembered of the CRM's records. May forget anything at any time: that costs calls, never correctness. */
export interface EntityStore {
  /**
   * Same order and length as `ids`; null where nothing is remembered. Waits for a store that is away: so does the gate, and
   * without its memory the store would only make calls that are not needed.
   */
  recall(ids: readonly EntityId[], signal: AbortSignal): Promise<readonly (Remembered | null)[]>;
  /**
   * Resolves once stored, or once every older fingerprint is void: only then may the positions settle. What was found by a
   * lookup never replaces what was accepted, perhaps by another replica, while the question was on its way.
   */
  remember(entries: readonly (readonly [EntityId, Remembered])[], signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

// --- dead-letter ------------------------------------------------------------------------------------------------------

/** Requests that the record was in. */
export interface Attempts {
  readonly count: number;
  /** When the first left, milliseconds since 1970; null: none did. */
  readonly firstMs: number | null;
  /** Of the one whose answer made it a dead letter; null: no answer did. */
  readonly names: RequestNames | null;
}

export interface ErrantRecordReporter {
  /** Resolves only when the dead letter is stored in Kafka; retries for ever, saying so. */
  report(record: ConsumerRecord, errant: Errant, attempts: Attempts, signal: AbortSignal): Promise<void>;
}
