/** The Kafka side of the connector: one call connects, everything else hangs on what it returns. */
import type { Kafka as KafkaClient } from "kafkajs";
import { ConnectorError, errorText } from "../domain/errors.ts";
import type { ConsumerRecord } from "../domain/record.ts";
import type { EndOffset, RecordProducer, RecordSource } from "../domain/stages.ts";
import { backoffMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import type { Emit } from "../telemetry/events.ts";
import { createAdmin, type KafkaAdmin } from "./admin.ts";
import type { KafkaConfig } from "./config.ts";
import { clientConfig } from "./connection.ts";
import { ConsumerGroup } from "./consumer-group.ts";
import { kafkaErrorType } from "./kafka-error.ts";
import { Kafka } from "./kafkajs.ts";
import { createProducer } from "./producer.ts";
import { readTopic } from "./read-topic.ts";
import { sampleTopic } from "./sample.ts";

export interface KafkaDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
}

export interface KafkaConnection {
  readonly admin: KafkaAdmin;
  /** A member of the group that reads these topics; not started yet. Stop it before `close`. */
  source(topics: readonly string[]): RecordSource;
  producer(): Promise<RecordProducer>;
  /** Some of the oldest and newest records of each partition, read without a group. Rejects with a retriable `KAFKA_FAILED`. */
  sample(topic: string): Promise<readonly ConsumerRecord[]>;
  /** Every record from `low` to just before `high` of each range, page by page, read without a group. */
  read(ranges: readonly EndOffset[], signal: AbortSignal): AsyncIterable<readonly ConsumerRecord[]>;
  close(): Promise<void>;
}

/**
 * Waits for the brokers as long as it takes, saying once which do not answer. Rejects with a ConnectorError that is not
 * retriable when they answer but refuse us.
 */
export const connectKafka = async (
  config: KafkaConfig,
  deps: KafkaDeps,
  signal: AbortSignal,
): Promise<KafkaConnection> => {
  await waitForBrokers(config, deps, signal);
  const kafka = new Kafka(clientConfig(config, deps));
  const admin = await createAdmin(kafka, deps.clock);
  return {
    admin,
    source: (topics) => new ConsumerGroup({ config, topics, admin, ...deps }),
    producer: () => createProducer(kafka),
    sample: async (topic) => sampleTopic(kafka, topic, await admin.endOffsets([topic])),
    read: (ranges, signal) => readTopic(kafka, ranges, signal),
    close: () => admin.close(),
  };
};

const waitForBrokers = async (config: KafkaConfig, deps: KafkaDeps, signal: AbortSignal): Promise<void> => {
  const brokers = config.brokers.join(", ");
  for (let attempt = 1; ; attempt++) {
    const cause = await firstAnswer(config, deps, signal);
    if (cause === null) return;
    if (attempt === 1) deps.emit("kafka-unreachable", { brokers, cause });
    await deps.clock.sleep(backoffMs(attempt, deps.random, { baseMs: 500, capMs: 10_000, floorMs: 100 }), signal);
  }
};

/**
 * Null when one of the brokers answers, else why the last did not. kafkajs's own retries cannot be aborted and say nothing for a
 * minute, and without them it would only ever ask the first of the list.
 */
const firstAnswer = async (config: KafkaConfig, deps: KafkaDeps, signal: AbortSignal): Promise<string | null> => {
  let cause = "";
  for (const broker of config.brokers) {
    signal.throwIfAborted();
    try {
      await knock(new Kafka({ ...clientConfig({ ...config, brokers: [broker] }, deps), retry: { retries: 0 } }));
      return null;
    } catch (error) {
      if (isRefusal(error)) throw refusal(broker, error);
      cause = causeOf(error);
    }
  }
  return cause;
};

const knock = async (kafka: KafkaClient): Promise<void> => {
  const admin = kafka.admin();
  try {
    await admin.connect();
    // A listener that wants a login talks of its versions with anybody; the first question shows that it does.
    await admin.describeCluster();
  } finally {
    await admin.disconnect();
  }
};

const isRefusal = (error: unknown): boolean => REFUSALS.has(kafkaErrorType(error));

const REFUSALS: ReadonlySet<string> = new Set(["KafkaJSSASLAuthenticationError", "UNSUPPORTED_SASL_MECHANISM"]);

/** A broker hangs up without a word on whoever speaks without TLS, or without a login, where it wants one. */
const causeOf = (error: unknown): string =>
  kafkaErrorType(error) === "KafkaJSConnectionClosedError"
    ? `${errorText(error)}: perhaps that port wants TLS or a login, see kafka.tls and kafka.sasl`
    : errorText(error);

const refusal = (broker: string, cause: unknown): ConnectorError =>
  new ConnectorError(
    "KAFKA_AUTHENTICATION",
    `Kafka at ${broker} refused the login: ${errorText(cause)}; check kafka.sasl.`,
    {
      retriable: false,
      cause,
    },
  );
