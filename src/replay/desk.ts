/** What the commands around dead letters need, connected: Kafka, the memory of the group, and today's routes. */
import { readMark } from "../commit/mark.ts";
import type { Config } from "../config/spec.ts";
import { createDecoder } from "../decode/decoder.ts";
import { createSchemaSource } from "../decode/schema-source.ts";
import { ConnectorError } from "../domain/errors.ts";
import type { Clock } from "../lib/clock.ts";
import { A_MOMENT, patiently } from "../lib/patiently.ts";
import { connectRedis } from "../lib/redis.ts";
import { redisAtOnce } from "../lib/redis-at-once.ts";
import { compileRoutes } from "../map/mapper.ts";
import type { KafkaConnection } from "../source/connect-kafka.ts";
import { kafkaAtOnce } from "../source/kafka-at-once.ts";
import { createRedisStore, type RedisStore } from "../store/redis-store.ts";
import type { Emit } from "../telemetry/events.ts";
import { storeScope } from "../wiring/account-mark.ts";
import { formatsOf, topicsOf } from "../wiring/topic-formats.ts";
import type { JudgeDeps } from "./states.ts";

export interface DeskDeps {
  readonly clock: Clock;
  readonly random: () => number;
  /** What is waited for. */
  readonly emit: Emit;
}

export interface Desk extends AsyncDisposable {
  readonly kafka: KafkaConnection;
  readonly judging: JudgeDeps;
}

/** Rejects with `UNREACHABLE` when Kafka or Redis is away; what goes away later is waited for. Asks nothing of Sell. */
export const openDesk = async (config: Config, deps: DeskDeps, signal: AbortSignal): Promise<Desk> => {
  await using closing = new AsyncDisposableStack();
  const clientId = `${config.kafka.clientId}-dlq`;
  const kafka = await kafkaAtOnce({ ...config.kafka, clientId }, deps, signal);
  closing.defer(() => kafka.close());
  const topics = topicsOf(config);
  await refuseMissing(config, kafka);
  const accountMark = await patiently(
    deps.clock,
    A_MOMENT,
    () => accountMarkOf(config.kafka.groupId, topics, kafka),
    signal,
  );
  let store: RedisStore | null = null;
  if (config.redis !== undefined && accountMark !== null) {
    const redis = connectRedis(config.redis);
    closing.defer(() => redis.close());
    await redisAtOnce(redis, deps.clock, signal);
    store = createRedisStore({ ...deps, redis, scope: storeScope(accountMark, config.kafka.groupId) });
  }
  const schemas = config.schemaRegistry === undefined ? null : createSchemaSource(config.schemaRegistry, deps);
  const completeSinceMs = await completeSince(config, store, signal);
  const opened = closing.move();
  return {
    kafka,
    judging: {
      decoder: createDecoder(formatsOf(config), { schemas }),
      mapper: compileRoutes(config.routes, { keyField: config.sell.keyField }),
      store,
      completeSinceMs,
      isRead: (topic) => topics.includes(topic),
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
};

/** Where nothing was ever delivered, nothing can have been forgotten. */
const completeSince = async ({ redis }: Config, store: RedisStore | null, signal: AbortSignal): Promise<number> => {
  if (redis === undefined) return Number.POSITIVE_INFINITY;
  return store === null ? Number.NEGATIVE_INFINITY : store.completeSinceMs(signal);
};

const refuseMissing = async ({ deadLetter }: Config, { admin }: KafkaConnection): Promise<void> => {
  if ((await admin.partitionCounts([deadLetter.topic])).has(deadLetter.topic)) return;
  throw new ConnectorError("TOPIC_MISSING", `Kafka has no topic ${deadLetter.topic}; see deadLetter.topic.`, {
    retriable: false,
  });
};

/** As the group's commits tell it; null when it has committed nothing, and so delivered nothing. */
const accountMarkOf = async (
  groupId: string,
  topics: readonly string[],
  { admin }: KafkaConnection,
): Promise<string | null> => {
  const committed = await admin.committed(groupId, await admin.endOffsets(topics));
  const marks = committed.map(({ offset, metadata }) => (offset === null ? null : readMark(metadata, offset)));
  return marks.find((mark) => mark !== null)?.account ?? null;
};
