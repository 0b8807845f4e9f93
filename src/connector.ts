/**
 * The composition root: the only file that knows every concrete stage, and the order in which they start and end.
 * Start: admin port, Kafka, topics, Redis, gate, Sell's account, then the pipeline. Whatever is unreachable is waited for;
 * nothing is consumed before all of it is there.
 */
import { createHash, randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Registry } from "prom-client";
import type { Check, Health } from "./admin/health.ts";
import { startAdmin } from "./admin/server.ts";
import { Status } from "./admin/status.ts";
import type { QuotaFigures } from "./advice/figures.ts";
import type { Reread } from "./config/reread.ts";
import type { Config } from "./config/spec.ts";
import { redisBoard } from "./control/board.ts";
import { Controls } from "./control/controls.ts";
import { redisCount } from "./control/count.ts";
import { createErrantRecordReporter } from "./dead-letter/errant-record-reporter.ts";
import { createDecoder } from "./decode/decoder.ts";
import { createSchemaSource } from "./decode/schema-source.ts";
import { ConnectorError } from "./domain/errors.ts";
import type { QuotaConfig } from "./gate/config.ts";
import type { Clock } from "./lib/clock.ts";
import { connectRedis, type RedisConnection } from "./lib/redis.ts";
import { compileRoutes } from "./map/mapper.ts";
import { targetUses } from "./map/target-use.ts";
import { Pipeline } from "./pipeline/pipeline.ts";
import type { KafkaAdmin } from "./source/admin.ts";
import { connectKafka } from "./source/connect-kafka.ts";
import { createMemoryStore } from "./store/memory-store.ts";
import { createRedisStore } from "./store/redis-store.ts";
import type { Emit } from "./telemetry/events.ts";
import { createGauges } from "./telemetry/gauges.ts";
import type { Snapshot } from "./telemetry/snapshot.ts";
import { createSubscription } from "./telemetry/subscription.ts";
import { accountMarkOf, storeScope } from "./wiring/account-mark.ts";
import { gateOf, sellBehind } from "./wiring/behind-gate.ts";
import { boundedStop } from "./wiring/bounded-stop.ts";
import { controlledRoutes, controlPrefix } from "./wiring/controlled.ts";
import { openTarget } from "./wiring/open-target.ts";
import { quotaFiguresOf } from "./wiring/quota-figures.ts";
import { watchQuota } from "./wiring/quota-watch.ts";
import { findReplayTopic, refuseCompacted } from "./wiring/replay-topic.ts";
import { startFromOf } from "./wiring/start-from.ts";
import { toldWaitMs } from "./wiring/told-wait.ts";
import { backfillsOf, formatsOf, originsOf, topicsOf } from "./wiring/topic-formats.ts";
import { topicSettings, watchTopics } from "./wiring/topic-settings.ts";
import { refuseUntyped } from "./wiring/untyped-topics.ts";

export interface ConnectorDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
  readonly registry: Registry;
  readonly version: string;
  /** The configuration file as it is now: a changed quota is taken up. Absent: it stays as it was. */
  readonly reread?: Reread;
  /** Aborted: give up starting. */
  readonly signal: AbortSignal;
}

export interface Connector {
  /** Resolves with the exit code after `stop`; rejects with what ended it otherwise. */
  readonly done: Promise<number>;
  /** Address of the admin port. */
  readonly adminUrl: string;
  stop(reason: string): Promise<void>;
}

/** The main loop's heartbeat may be this old before the process counts as stuck; a rejoin may hold it for a while. */
const LIVE_MS = 120_000;

export const startConnector = async (config: Config, deps: ConnectorDeps): Promise<Connector> => {
  const { clock, emit, version, signal } = deps;
  const ended = Promise.withResolvers<number>();
  const closing: (() => Promise<void> | void)[] = [];
  let pipeline: Pipeline | null = null;
  let waitingFor = () => "Kafka";
  let snapshot: () => Promise<Snapshot | null> = async () => null;
  let figures: () => Promise<QuotaFigures | null> = async () => null;

  const fill = createGauges(deps.registry);
  const scrape = async () => {
    const state = await snapshot();
    if (state !== null) fill(state);
    return { contentType: deps.registry.contentType, text: await deps.registry.metrics() };
  };
  const health = (): Health => healthOf(pipeline, waitingFor(), clock);
  const { groupId } = config.kafka;
  const notReady = () => whyNot(health().ready);
  const status = new Status({ ...deps, groupId, replica: hostname(), notReady, snapshot: () => snapshot() });
  const admin = await startAdmin(config.admin, {
    ...{ health, scrape, groupId, status: (span) => status.page(span) },
    snapshot: () => snapshot(),
    quota: () => figures(),
  });
  closing.push(() => admin.close());

  const close = async (): Promise<void> => {
    for (const part of closing.reverse()) await part();
  };

  try {
    const nonce = randomUUID();
    // Unique, so that a process that has to leave in the middle of a join can be told from its siblings.
    const clientId = `${config.kafka.clientId}-${nonce.slice(0, 8)}`;
    const kafka = await connectKafka({ ...config.kafka, clientId }, deps, signal);
    closing.push(() => kafka.close());
    await checkTopics(config, kafka.admin);
    const topics = topicsOf(config);
    const tellTopics = createSubscription(deps.registry);
    tellTopics(await topicSettings(topics, kafka.admin));
    emit("subscribed", { topics });
    if (!(await refuseCompacted(config.deadLetter.topic, kafka.admin)))
      emit("dead-letters-unchecked", { topic: config.deadLetter.topic });
    const replay = await findReplayTopic(config, kafka.admin);
    if (replay.status === "unusable") emit("replay-unavailable", { why: replay.why });
    const schemas = config.schemaRegistry ? createSchemaSource(config.schemaRegistry, deps) : null;
    await refuseUntyped(config, { ...deps, schemas, sample: kafka.sample }, signal);
    const redis = config.redis === undefined ? null : connectRedis(config.redis);
    closing.push(() => redis?.close());
    if (redis === null) await refuseSecondMember(config, kafka.admin);
    const { quota, sell } = config;
    const gate = gateOf(config, { ...deps, redis, replicaId: nonce });
    closing.push(() => gate.close());
    const watching = new AbortController();
    const { reread } = deps;
    let inForce = { quota, sinceMs: 0 };
    const adjust = (changed: QuotaConfig): void => {
      inForce = { quota: changed, sinceMs: clock.now() };
      gate.adjust(changed);
    };
    const watches = [
      status.watch(watching.signal),
      watchTopics(topics, kafka.admin, tellTopics, clock, watching.signal),
    ];
    if (reread) watches.push(watchQuota(quota, reread, adjust, deps, watching.signal));
    closing.push(async () => {
      watching.abort();
      await Promise.all(watches);
    });
    const mayLeave = (): boolean => pipeline?.mayLeave ?? true; // before there is one nothing is written
    const { target, permit } = sellBehind(gate, config, "live", { ...deps, mayLeave });
    closing.push(() => target.close());
    waitingFor = () => (redis !== null && redis.lastError() !== null ? `Redis at ${redis.address}` : "Sell");
    // Sell may have asked the processes before this one to wait; Redis may have forgotten it, Kafka has not.
    await gate.adopt(await toldWaitMs(config, kafka.admin, clock, signal));
    await openTarget(target, targetUses(config.routes), () => permit(signal), deps, signal);

    const accountMark = accountMarkOf(target.accountId);
    const scope = storeScope(accountMark, config.kafka.groupId);
    const shared = redis === null ? null : createRedisStore({ ...deps, redis, scope });
    await shared?.open(signal);
    const store = shared ?? createMemoryStore(clock);
    const startedMs = clock.now();
    const remembersSince = shared?.completeSinceMs ?? (async () => startedMs);
    closing.push(() => store.close());
    const producer = await kafka.producer();
    closing.push(() => producer.close());
    const sender = {
      ...{ connectorName: config.kafka.groupId, connectorVersion: version, taskId: clientId },
      configHash: digest(JSON.stringify(config.routes)).slice(0, 12),
    };
    const stages = {
      source: kafka.source(replay.status === "usable" ? [...topics, replay.topic] : topics),
      decoder: createDecoder(formatsOf(config), { schemas }),
      mapper: compileRoutes(config.routes, { keyField: sell.keyField }),
      deadLetters: createErrantRecordReporter(config.deadLetter.topic, { ...deps, sender, producer }),
      ...{ gate, target, store },
    };
    const isBulk = target.dialect === "bulk";
    const options = {
      ...{ nonce, startFrom: startFromOf(config), originsOf: originsOf(config), accountMark },
      ...{ lingerMs: config.batch.lingerMs, maxItems: Math.min(config.batch.maxItems, target.maxItems) },
      maxInFlight: config.batch.maxInFlight ?? (isBulk ? 4 : 8),
      ...config.window,
      massFailure: config.deadLetter.massFailure,
      backfills: backfillsOf(config),
      replay: replay.status === "usable" ? { topic: replay.topic, sources: topics, remembersSince } : null,
      ...{ indexLagMs: sell.indexLagMs, lateApplyMaxMs: sell.lateApplyMaxMs, timeoutMs: sell.timeoutMs },
    };
    const controls = new Controls({
      ...deps,
      redis,
      ...boardOf(config, redis),
      routes: controlledRoutes(config),
      name: clientId,
    });
    await controls.open(signal);
    let stopping: Promise<void> | null = null;
    const stop = (): Promise<void> => (stopping ??= running.stop().then(close));
    const end = async (error: Error): Promise<void> => {
      await boundedStop(stop, clock);
      ended.reject(error);
    };
    const running = new Pipeline(stages, options, { ...deps, controls, onFatal: (error) => void end(error) });
    pipeline = running;
    snapshot = () => running.snapshot();
    const batching = { ...config.batch, mostItems: target.maxItems };
    const known = { groupId, registry: deps.registry, ...batching, isShared: redis !== null };
    figures = async () => quotaFiguresOf(await running.snapshot(), { ...known, ...inForce, nowMs: clock.now() });
    await running.start();
    emit("started", { version, groupId, dialect: target.dialect, account: target.account });
    return {
      done: ended.promise,
      adminUrl: admin.url,
      async stop(reason) {
        const startedMs = clock.monotonicMs();
        emit("stopping", { signal: reason });
        await stop();
        emit("stopped", { tookMs: Math.round(clock.monotonicMs() - startedMs) });
        ended.resolve(0);
      },
    };
  } catch (error) {
    await boundedStop(close, clock);
    throw error;
  }
};

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

const boardOf = (config: Config, redis: RedisConnection | null) => {
  if (redis === null) return { board: null, count: null };
  const prefix = controlPrefix(config);
  return { board: redisBoard(redis, prefix), count: redisCount(redis, prefix) };
};

const checkTopics = async (config: Config, admin: KafkaAdmin): Promise<void> => {
  const wanted = [...topicsOf(config), config.deadLetter.topic];
  const found = await admin.partitionCounts(wanted);
  const missing = wanted.filter((topic) => !found.has(topic));
  if (missing.length === 0) return;
  const [broker] = config.kafka.brokers;
  const commands = missing.map((topic) => `kafka-topics.sh --bootstrap-server ${broker} --create --topic ${topic}`);
  throw new ConnectorError(
    "TOPIC_MISSING",
    `Kafka has no topic ${missing.join(", ")} (or this user may not see it). Create it: ${commands.join("; ")}`,
    { retriable: false },
  );
};

/** A local limiter knows nothing of other replicas: together they would break the quota. */
const refuseSecondMember = async ({ kafka }: Config, admin: KafkaAdmin): Promise<void> => {
  const members = await admin.members(kafka.groupId);
  if (members.length === 0) return;
  throw new ConnectorError(
    "SECOND_MEMBER",
    `The group ${kafka.groupId} has a member already, and without redis the quota can only be kept by one process. Configure redis, or stop the other one.`,
    { retriable: false },
  );
};

const whyNot = (check: Check): string | null => (check.ok ? null : check.why);

const healthOf = (pipeline: Pipeline | null, waitingFor: string, clock: Clock): Health => {
  const ok = { ok: true } as const;
  if (pipeline === null) return { live: ok, started: ok, ready: { ok: false, why: `waiting for ${waitingFor}` } };
  const isMoving = clock.monotonicMs() - pipeline.lastTurnMs < LIVE_MS;
  return {
    live: isMoving ? ok : { ok: false, why: "the main loop stands still" },
    started: ok,
    ready: pipeline.isStopping
      ? { ok: false, why: "stopping" }
      : pipeline.hasJoined
        ? ok
        : { ok: false, why: "the consumer group was not joined yet" },
  };
};
