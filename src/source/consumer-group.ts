/**
 * One member of the consumer group, as a hand-off: kafkajs's batch handler copies the bytes, passes them on and returns. It
 * never waits and never throws, because kafkajs sends heartbeats only between handlers, rejoins only when all have returned,
 * and dies of some errors in them.
 *
 * States: *outside* (not started, crashed or stopped), *joining* (from the end of the revoke barrier to GROUP_JOIN) and
 * *member*. Only a member commits; the barrier awaits the commit in flight, because kafkajs would repeat it under the next
 * generation, over the commit of the partition's new owner.
 */
import assert from "node:assert/strict";
import type {
  Cluster,
  Consumer,
  ConsumerConfig,
  ConsumerEndBatchProcessEvent,
  ConsumerGroupJoinEvent,
  EachBatchPayload,
  LogEntry,
  PartitionAssigner,
} from "kafkajs";
import { ConnectorError, errorText } from "../domain/errors.ts";
import { partitionName, type TopicPartition } from "../domain/record.ts";
import type { OffsetCommit, RecordSource, SourceHandlers } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import { NEVER, within } from "../lib/within.ts";
import type { Emit } from "../telemetry/events.ts";
import type { KafkaAdmin } from "./admin.ts";
import { createAssigner } from "./assigner.ts";
import type { KafkaConfig } from "./config.ts";
import { clientConfig, RETRY } from "./connection.ts";
import { createFetchRounds } from "./fetch-rounds.ts";
import { commitRefused, createGroupCommit, type GroupCommit } from "./group-commit.ts";
import { kafkaErrorType, ownError } from "./kafka-error.ts";
import { Kafka } from "./kafkajs.ts";
import { createLease, type Lease } from "./lease.ts";
import { renewByProofs } from "./membership-proofs.ts";
import { createOwnership } from "./ownership.ts";
import { toSourceRecords } from "./source-record.ts";
import { subscribe } from "./subscribe.ts";
import { startWatchdog, type Watchdog } from "./watchdog.ts";

const ANSWER_MAX_MS = 5_000;
const STOP_MAX_MS = 2_500; // within the process's 10 s, after 7 s of draining
const BYTES_PER_PARTITION_MAX = 524_288;
const PARTITIONS_AT_ONCE = 4;

export interface ConsumerGroupOptions {
  readonly config: KafkaConfig;
  readonly topics: readonly string[];
  readonly admin: KafkaAdmin;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** Of a fetch what concerns one partition; offsets as kafkajs writes them. */
interface Fetched {
  readonly messages: EachBatchPayload["batch"]["messages"];
  readonly firstOffset: string | null;
  readonly lastOffset: string;
  readonly highWatermark: string;
}

export class ConsumerGroup implements RecordSource {
  readonly #options: ConsumerGroupOptions;
  readonly #consumer: Consumer;
  readonly #commit: GroupCommit;
  readonly #lease: Lease;
  readonly #ownership = createOwnership();
  readonly #rounds = createFetchRounds();
  readonly #stopping = new AbortController();
  /** Partitions whose offset the broker no longer has, until their next batch. Bound: the subscribed partitions. */
  readonly #outOfRange = new Set<string>();
  /** Next offset expected of each partition that was read. Bound: the subscribed partitions. */
  readonly #next = new Map<string, bigint>();
  #cluster: Cluster | null = null;
  #handlers: SourceHandlers | null = null;
  #watchdog: (Watchdog & { readonly done: Promise<void> }) | null = null;
  #state: "outside" | "joining" | "member" = "outside";
  #isDead = false;
  #stopped: Promise<void> | null = null;

  constructor(options: ConsumerGroupOptions) {
    const { config, clock } = options;
    this.#options = options;
    const kafka = new Kafka(clientConfig(config, { clock, onLog: (entry) => this.#onLog(entry) }));
    this.#consumer = kafka.consumer(consumerConfig(config, this.#assigner()));
    this.#lease = createLease(clock, config.sessionTimeoutMs);
    this.#commit = createGroupCommit(this.#consumer, clock);
    renewByProofs(this.#consumer, this.#lease);
    this.#listen();
  }

  async start(handlers: SourceHandlers): Promise<void> {
    assert(this.#handlers === null, "a source starts once");
    this.#handlers = handlers;
    await subscribe(this.#consumer, this.#options.admin, this.#options.topics);
    this.#watchdog = startWatchdog(
      {
        clock: this.#options.clock,
        silenceMs: () => this.#silenceMs(),
        brokerAnswers: () => this.#brokerAnswers(),
        onSilence: () => this.#die(new ConnectorError("KAFKA_SILENT", SILENT, { retriable: false })),
      },
      this.#stopping.signal,
    );
    // Owned by `stop`. It ends after the first join, or in a CRASH event.
    void this.#consumer
      .run({
        autoCommit: false,
        eachBatchAutoResolve: false, // a batch that is not handed over must be fetched again
        partitionsConsumedConcurrently: PARTITIONS_AT_ONCE,
        eachBatch: async (payload) => this.#guard(() => this.#onBatch(payload)),
      })
      .catch((error: unknown) => this.#die(error));
  }

  pause({ topic, partition }: TopicPartition): void {
    this.#ifOurs({ topic, partition }, () => this.#consumer.pause([{ topic, partitions: [partition] }]));
  }

  resume({ topic, partition }: TopicPartition): void {
    this.#ifOurs({ topic, partition }, () => this.#consumer.resume([{ topic, partitions: [partition] }]));
  }

  seek({ topic, partition }: TopicPartition, offset: bigint): void {
    this.#ifOurs({ topic, partition }, () => {
      this.#rounds.sought(partitionName({ topic, partition }));
      this.#consumer.seek({ topic, partition, offset: String(offset) });
    });
  }

  async commit(offsets: readonly OffsetCommit[]): Promise<void> {
    if (offsets.length === 0) return;
    if (this.#state !== "member") throw commitRefused("this process is not a member of the group now");
    const foreign = offsets.find((offset) => !this.#ownership.owns(offset));
    // The broker checks the member, not the partition: it would let us overwrite the new owner's commit.
    if (foreign) throw commitRefused(`${partitionName(foreign)} belongs to another member`);
    await this.#commit.send(offsets);
    this.#options.emit("committed", { partitions: offsets.map(({ topic, partition }) => ({ topic, partition })) });
  }

  committed(partitions: readonly TopicPartition[]) {
    return this.#options.admin.committed(this.#options.config.groupId, partitions);
  }

  endOffsets(topics: readonly string[]) {
    return this.#options.admin.endOffsets(topics);
  }

  offsetsAt(topic: string, timestampMs: number) {
    return this.#options.admin.offsetsAt(topic, timestampMs);
  }

  leaseLeftMs(): number {
    return this.#lease.leftMs();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#leave();
    return this.#stopped;
  }

  // --- what kafkajs tells -----------------------------------------------------------------------------------------------

  #onBatch({ batch, resolveOffset, isRunning, isStale }: EachBatchPayload): void {
    // A throw or a rejoin elsewhere does not recall batches that are queued already, nor does a seek.
    if (!isRunning() || isStale() || !this.#isWanted(batch)) return;
    const { messages, highWatermark } = batch;
    this.#fetched(batch, { messages, highWatermark, firstOffset: batch.firstOffset(), lastOffset: batch.lastOffset() });
    resolveOffset(batch.lastOffset());
  }

  /** kafkajs reads over a batch that holds no record for us, without asking: else such an end of a partition would wait for ever. */
  #onNothing({ payload }: ConsumerEndBatchProcessEvent): void {
    if (payload.batchSize === 0 && this.#isWanted(payload)) this.#fetched(payload, { ...payload, messages: [] });
  }

  #isWanted(partition: TopicPartition): boolean {
    const nodeIds = this.#cluster?.getNodeIds().map(String) ?? [];
    return this.#ownership.owns(partition) && !this.#rounds.isStale(partitionName(partition), nodeIds);
  }

  /** Up to and with `lastOffset`, which includes offsets without records: transaction markers, compacted records. */
  #fetched({ topic, partition }: TopicPartition, { messages, firstOffset, lastOffset, highWatermark }: Fetched): void {
    this.#afterReset({ topic, partition }, firstOffset);
    const next = BigInt(lastOffset) + 1n;
    const records = toSourceRecords(messages, this.#options.clock.now());
    this.#handlers?.onRecords({ topic, partition }, records, BigInt(highWatermark), next);
    this.#next.set(partitionName({ topic, partition }), next);
  }

  #onGroupJoin({ payload }: ConsumerGroupJoinEvent): void {
    this.#state = "member";
    const assignment = this.#ownership.joined(payload.memberId, payload.memberAssignment);
    this.#rounds.joined(assignment.gained.map(partitionName));
    for (const partition of assignment.lost) this.#next.delete(partitionName(partition));
    this.#handlers?.onAssignment(assignment);
    this.#options.emit("joined", {
      memberId: payload.memberId,
      lost: assignment.lost.length,
      kept: assignment.kept.length,
      gained: assignment.gained.length,
      tookMs: payload.duration,
    });
  }

  /** Every (re)join waits here, still in possession of its partitions. */
  async #beforeJoin(): Promise<void> {
    await this.#handlers?.beforeRejoin().catch((error: unknown) => this.#die(error));
    this.#state = "joining";
    await this.#commit.ended();
    this.#stopping.signal.throwIfAborted();
  }

  #onCrash(error: Error, restart: boolean): void {
    this.#stepOutside();
    if (this.#stopping.signal.aborted) return;
    this.#options.emit("kafka-crashed", { cause: `${kafkaErrorType(error)}: ${errorText(error)}`, restart });
    if (!restart) this.#die(error);
  }

  /** Some things kafkajs only logs. */
  #onLog({ namespace, log }: LogEntry): void {
    this.#watchdog?.alive();
    // It leaves the group before it emits CRASH, without a barrier: nothing may be sent from here on.
    if (namespace === "Consumer" && log.message.startsWith("Crash:")) this.#stepOutside();
    if (log.message.startsWith("Offset out of range, resetting")) {
      this.#outOfRange.add(partitionName({ topic: String(log.topic), partition: Number(log.partition) }));
    }
  }

  #listen(): void {
    const { HEARTBEAT, GROUP_JOIN, FETCH_START, FETCH, END_BATCH_PROCESS, CRASH } = this.#consumer.events;
    // Requests are no sign of life: a consumer that only retries sends them, too.
    for (const sign of [HEARTBEAT, GROUP_JOIN, FETCH_START, FETCH, CRASH]) {
      this.#consumer.on(sign, () => this.#watchdog?.alive());
    }
    this.#consumer.on(FETCH_START, ({ payload }) => this.#rounds.started(String(payload.nodeId)));
    this.#consumer.on(END_BATCH_PROCESS, (event) => this.#guard(() => this.#onNothing(event)));
    // A listener that throws would throw into kafkajs's own loop.
    this.#consumer.on(GROUP_JOIN, (event) => this.#guard(() => this.#onGroupJoin(event)));
    this.#consumer.on(CRASH, ({ payload }) => this.#guard(() => this.#onCrash(payload.error, payload.restart)));
  }

  // --- parts of the above -----------------------------------------------------------------------------------------------

  #assigner(): PartitionAssigner {
    return createAssigner({
      claims: () => this.#ownership.current(),
      beforeJoin: () => this.#beforeJoin(),
      onCluster: (cluster) => {
        this.#cluster = cluster;
      },
    });
  }

  async #leave(): Promise<void> {
    const wasJoining = this.#state === "joining";
    this.#stopping.abort(new ConnectorError("STOPPING", "The consumer is stopping.", { retriable: false }));
    this.#lease.revoke();
    const leaving = Promise.all([wasJoining ? this.#leaveWhileJoining() : null, this.#consumer.disconnect()]);
    // Nothing is to be done about a failed goodbye.
    await within(this.#options.clock, STOP_MAX_MS, () => leaving.catch(() => {}), NEVER);
    await this.#watchdog?.done;
  }

  /** Our JoinGroup waits at the coordinator, and its connection with it: a second one takes us out. */
  async #leaveWhileJoining(): Promise<void> {
    const { admin, config } = this.#options;
    const ours = (await admin.members(config.groupId)).filter(({ clientId }) => clientId === config.clientId);
    // Two with this client id: which one is ours cannot be known, and the group waits for the end of our session.
    if (ours.length === 1) {
      await admin.leave(
        config.groupId,
        ours.map(({ memberId }) => memberId),
      );
    }
  }

  /**
   * The broker did not have the offset, and kafkajs went on at the first one there is. What lies below an offset that was read
   * before is new all the same: the topic was created again, or its log was cut.
   */
  #afterReset(partition: TopicPartition, firstOffset: string | null): void {
    const name = partitionName(partition);
    if (!this.#outOfRange.delete(name)) return;
    const next = this.#next.get(name);
    this.#options.emit("offset-out-of-range", {
      partition: name,
      expected: String(next ?? "the committed offset"),
      got: firstOffset ?? "nothing yet",
    });
    // Before anything was read only the committed offset tells: whoever is told reads that again.
    if (next === undefined || BigInt(firstOffset ?? next) < next)
      this.#handlers?.onAssignment(this.#ownership.begunAnew(partition));
  }

  #stepOutside(): void {
    this.#state = "outside";
    this.#lease.revoke();
  }

  /** Asked over a connection of its own; an error is an answer that came from nobody. */
  async #brokerAnswers(): Promise<boolean> {
    const { admin, clock, topics, config, emit } = this.#options;
    const ask = (): Promise<boolean> =>
      admin.partitionCounts(topics).then(
        () => true,
        () => false,
      );
    const answers = await within(clock, ANSWER_MAX_MS, ask, this.#stopping.signal).catch(() => false);
    if (answers === true) return true;
    emit("kafka-unreachable", { brokers: config.brokers.join(", "), cause: "it is silent" });
    return false;
  }

  #silenceMs(): number {
    const { sessionTimeoutMs, rebalanceTimeoutMs } = this.#options.config;
    // kafkajs says nothing while it waits for its next try, nor while a join waits for the other members.
    const quietMs = RETRY.maxRetryTime + (this.#state === "member" ? 0 : rebalanceTimeoutMs);
    return 2 * sessionTimeoutMs + quietMs;
  }

  #ifOurs(partition: TopicPartition, act: () => void): void {
    if (!this.#ownership.owns(partition)) return;
    try {
      act();
    } catch {
      // kafkajs throws between a crash and its restart, when there is nothing to pause.
    }
  }

  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#die(error);
    }
  }

  #die(cause: unknown): void {
    this.#stepOutside();
    if (this.#isDead || this.#stopping.signal.aborted) return;
    this.#isDead = true;
    this.#handlers?.onDeath(
      ownError(cause) ??
        new ConnectorError(
          "KAFKA_DIED",
          `The Kafka consumer is beyond repair: ${errorText(cause)}; restart the process.`,
          {
            retriable: false,
            cause,
          },
        ),
    );
  }
}

const SILENT =
  "The Kafka consumer has shown no sign of life for two session timeouts, and no connection error either; restart the process.";

const consumerConfig = (config: KafkaConfig, assigner: PartitionAssigner): ConsumerConfig => ({
  groupId: config.groupId,
  sessionTimeout: config.sessionTimeoutMs,
  heartbeatInterval: config.heartbeatIntervalMs,
  rebalanceTimeout: config.rebalanceTimeoutMs,
  maxWaitTimeInMs: config.maxWaitMs,
  maxBytes: config.maxBytes,
  maxBytesPerPartition: Math.min(config.maxBytes, BYTES_PER_PARTITION_MAX),
  readUncommitted: false,
  allowAutoTopicCreation: false,
  retry: RETRY,
  partitionAssigners: [assigner],
});
