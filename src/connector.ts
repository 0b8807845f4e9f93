/**
 * The composition root: the only file that knows every concrete stage, and the order in which they start and end.
 * Start: admin port, Kafka, topics, Redis, gate, Sell's account, then the pipeline. Whatever is unreachable is waited for;
 * nothing is consumed before all of it is there.
 */
import { createHash, randomUUID } from "node:crypto";
import type { Registry } from "prom-client";
import type { Health } from "./admin/health.ts";
import { startAdmin } from "./admin/server.ts";
import type { StartFrom } from "./commit/ownership.ts";
import type { Config } from "./config/spec.ts";
import { createErrantRecordReporter } from "./dead-letter/errant-record-reporter.ts";
import { createDecoder } from "./decode/decoder.ts";
import { createSchemaSource } from "./decode/schema-source.ts";
import { createSellTarget } from "./deliver/target.ts";
import { ConnectorError } from "./domain/errors.ts";
import { quotaScope } from "./gate/config.ts";
import { createGate } from "./gate/gate.ts";
import type { Clock } from "./lib/clock.ts";
import { connectRedis } from "./lib/redis.ts";
import { compileRoutes } from "./map/mapper.ts";
import { openTarget } from "./open-target.ts";
import { Pipeline } from "./pipeline.ts";
import type { KafkaAdmin } from "./source/admin.ts";
import { connectKafka } from "./source/connect-kafka.ts";
import { createMemoryStore } from "./store/memory-store.ts";
import { createRedisStore } from "./store/redis-store.ts";
import type { Emit } from "./telemetry/events.ts";
import { createGauges } from "./telemetry/gauges.ts";
import type { Snapshot } from "./telemetry/snapshot.ts";
import { formatsOf, topicsOf } from "./topic-formats.ts";
import { refuseUntyped } from "./untyped-topics.ts";

export interface ConnectorDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
  readonly registry: Registry;
  readonly version: string;
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

  const fill = createGauges(deps.registry, topicsOf(config));
  const scrape = async () => {
    const state = await snapshot();
    if (state !== null) fill(state);
    return { contentType: deps.registry.contentType, text: await deps.registry.metrics() };
  };
  const health = (): Health => healthOf(pipeline, waitingFor(), clock);
  const admin = await startAdmin(config.admin, { health, scrape, version });
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
    const schemas = config.schemaRegistry ? createSchemaSource(config.schemaRegistry, deps) : null;
    await refuseUntyped(config, { ...deps, schemas, sample: kafka.sample }, signal);
    const redis = config.redis === undefined ? null : connectRedis(config.redis);
    closing.push(() => redis?.close());
    if (redis === null) await refuseSecondMember(config, kafka.admin);
    const { quota, sell } = config;
    const gate = createGate({ ...deps, quota, redis, scopeText: scopeOf(config), replicaId: nonce });
    closing.push(() => gate.close());
    const target = createSellTarget(sell, { ...deps, tell: (throttle) => gate.tell(throttle) });
    closing.push(() => target.close());
    waitingFor = () => (redis !== null && redis.lastError() !== null ? `Redis at ${redis.address}` : "Sell");
    await openTarget(target, () => gate.acquire("live", signal), deps, signal);

    const scope = `${target.accountId}|${config.kafka.groupId}`;
    const store = redis === null ? createMemoryStore(clock) : createRedisStore({ ...deps, redis, scope });
    closing.push(() => store.close());
    const producer = await kafka.producer();
    closing.push(() => producer.close());
    const names = { connectorName: config.kafka.groupId, connectorVersion: version };
    const stages = {
      source: kafka.source(topicsOf(config)),
      decoder: createDecoder(formatsOf(config), { schemas }),
      mapper: compileRoutes(config.routes, { keyField: sell.keyField }),
      deadLetters: createErrantRecordReporter(config.deadLetter.topic, { ...deps, ...names, producer }),
      ...{ gate, target, store },
    };
    const isBulk = target.dialect === "bulk";
    const options = {
      ...{ nonce, startFrom: startFromOf(config), accountMark: digest(String(target.accountId)).slice(0, 8) },
      ...{ lingerMs: config.batch.lingerMs, maxItems: Math.min(config.batch.maxItems, target.maxItems) },
      maxInFlight: config.batch.maxInFlight ?? (isBulk ? 4 : 8),
      ...config.window,
      ...{ indexLagMs: sell.indexLagMs, lateApplyMaxMs: sell.lateApplyMaxMs, timeoutMs: sell.timeoutMs },
    };
    const running = new Pipeline(stages, options, { ...deps, onFatal: (error) => void end(error) });
    pipeline = running;
    snapshot = () => running.snapshot();
    await running.start();
    emit("started", { version, groupId: config.kafka.groupId, dialect: target.dialect, account: target.account });

    let stopping: Promise<void> | null = null;
    const stop = (): Promise<void> => (stopping ??= running.stop().then(close));
    const end = async (error: Error): Promise<void> => {
      await stop().catch(() => {}); // the first error is the one to tell
      ended.reject(error);
    };
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
    await close();
    throw error;
  }
};

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

const startFromOf =
  ({ routes }: Config) =>
  (topic: string): StartFrom => {
    const from = routes.find((route) => route.topic === topic)?.startFrom ?? "earliest";
    return from === "earliest" || from === "latest" ? from : { timestampMs: Date.parse(from) };
  };

/** Before the account is known only its address and its configured name can tell it from others: sharing too much is safe. */
export const scopeOf = ({ quota, sell }: Pick<Config, "quota" | "sell">): string =>
  [sell.baseUrl, sell.account ?? "", quotaScope(quota) === "token" ? sell.token : ""].join("|");

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
    `The group ${kafka.groupId} has a member already, and without redis.url the quota can only be kept by one process. Configure redis, or stop the other one.`,
    { retriable: false },
  );
};

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
