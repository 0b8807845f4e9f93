/** What `validate --online` asks the living services, one check a line of the list; the README names them in the same order. */
import { randomUUID } from "node:crypto";
import type { Config } from "../config/spec.ts";
import { connectRegistry } from "../decode/registry-client.ts";
import { ConnectorError, errorText } from "../domain/errors.ts";
import type { Gate, Target } from "../domain/stages.ts";
import type { TargetProblem } from "../domain/target-use.ts";
import type { Clock } from "../lib/clock.ts";
import { connectRedis } from "../lib/redis.ts";
import { targetUses } from "../map/target-use.ts";
import { type Check, type Finding, failed, ok, warning } from "../online/check.ts";
import type { KafkaConnection } from "../source/connect-kafka.ts";
import { kafkaAtOnce } from "../source/kafka-at-once.ts";
import type { Emit } from "../telemetry/events.ts";
import { gateOf, sellBehind } from "../wiring/behind-gate.ts";
import { refuseCompacted } from "../wiring/replay-topic.ts";
import { toldWaitMs } from "../wiring/told-wait.ts";
import { formatsOf, topicsOf } from "../wiring/topic-formats.ts";
import { keysCheck } from "./keys-check.ts";
import { recordsCheck } from "./records-check.ts";

export interface OnlineDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly version: string;
}

export interface OnlineChecks extends AsyncDisposable {
  readonly checks: readonly Check[];
  /** Of the check "kafka", once that is in order. */
  readonly connection: () => KafkaConnection;
}

/** Connects nothing before its check runs; dispose of it in the end. */
export const onlineChecks = (config: Config, deps: OnlineDeps): OnlineChecks => {
  const closing = new AsyncDisposableStack();
  const kafka = kafkaCheck(config, deps, closing);
  const topics = topicsOf(config).map((topic) => topicCheck(topic, config, kafka.connection));
  const deadLetters = topicCheck(config.deadLetter.topic, config, kafka.connection);
  const registry = config.schemaRegistry === undefined ? [] : [registryCheck(config.schemaRegistry, deps)];
  const quota = quotaCheck(config, deps, closing);
  // Where Kafka does not tell it, its own checks say why.
  const told = async (signal: AbortSignal) => toldWaitMs(config, kafka.connection().admin, deps.clock, signal);
  const sell = sellCheck(config, deps, quota.gate, closing, (signal) => told(signal).catch(() => 0));
  const records = [...formatsOf(config)].map(([topic, format]) =>
    recordsCheck(topic, format, config, deps.clock, kafka.connection),
  );
  const places = { ...deps, connection: kafka.connection, gate: quota.gate, target: sell.target };
  const keys = config.routes.flatMap((route) => keysCheck(route, config, places) ?? []);
  return {
    checks: [kafka, ...topics, deadLetters, ...registry, quota, sell, ...records, ...keys],
    connection: kafka.connection,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
};

const silent: Emit = () => {};

const kafkaCheck = ({ kafka }: Config, deps: OnlineDeps, closing: AsyncDisposableStack) => {
  const brokers = kafka.brokers.join(", ");
  let connected: KafkaConnection | null = null;
  return {
    name: "kafka",
    needs: [],
    waitsFor: `kafka.brokers (${brokers}), kafka.tls and kafka.sasl`,
    async run(signal: AbortSignal): Promise<readonly Finding[]> {
      connected = await kafkaAtOnce({ ...kafka, clientId: `${kafka.clientId}-validate` }, deps, signal, null);
      closing.defer(() => connected?.close());
      return [ok(`Kafka at ${brokers} answers.`)];
    },
    connection: (): KafkaConnection => {
      if (connected === null) throw new ConnectorError("KAFKA_FAILED", "Kafka is not connected.", { retriable: true });
      return connected;
    },
  } satisfies Check & { connection(): KafkaConnection };
};

const unreachable = (what: string, fields: object): ConnectorError => {
  const cause = "cause" in fields ? ` (${String(fields.cause)})` : "";
  return new ConnectorError("UNREACHABLE", `${what} does not answer${cause}.`, { retriable: true });
};

const topicCheck = (topic: string, { kafka, deadLetter }: Config, connection: () => KafkaConnection): Check => ({
  name: topic === deadLetter.topic ? "dead letters" : `topic ${topic}`,
  needs: ["kafka"],
  waitsFor: "the brokers",
  async run() {
    const { admin } = connection();
    const partitions = (await admin.partitionCounts([topic])).get(topic);
    if (partitions === undefined) {
      const create = `kafka-topics.sh --bootstrap-server ${kafka.brokers[0]} --create --topic ${topic}`;
      const sentence = `Kafka has no topic ${topic}, or this user may not see it.`;
      return [failed(sentence, `create it (${create}), allow this user to describe it, or correct its name`)];
    }
    if (topic === deadLetter.topic) await refuseCompacted(topic, admin);
    const ends = await admin.endOffsets([topic]);
    const offsets = ends.reduce((sum, { low, high }) => sum + high - low, 0n);
    return [ok(`${topic} is there: partitions ${partitions}, offsets ${offsets.toLocaleString("en-US")}.`)];
  },
});

/** No registry gives it: the question shows that the registry answers, and whom it lets in. */
const NO_SCHEMA = 2_147_483_647;

const registryCheck = (registry: NonNullable<Config["schemaRegistry"]>, { clock }: OnlineDeps): Check => ({
  name: "registry",
  needs: [],
  waitsFor: "schemaRegistry.url, its credential and schemaRegistry.tls",
  async run() {
    const client = connectRegistry(registry, clock);
    const answer = await client.schemas(NO_SCHEMA);
    switch (answer.status) {
      case "found":
      case "other-kind":
      case "missing":
        return [ok(`The schema registry at ${client.url} answers.`)];
      case "refused":
        return [failed(`The schema registry at ${client.url} refused the question (${answer.cause}).`, CREDENTIAL)];
      case "unreachable":
        throw unreachable(`The schema registry at ${client.url}`, answer);
    }
  },
});

const CREDENTIAL = "check schemaRegistry.url, and that username, token or oauth of schemaRegistry may read schemas";

const QUESTIONS = 5;
const ASK_AGAIN_MS = 300;

const quotaCheck = (config: Config, { clock }: OnlineDeps, closing: AsyncDisposableStack) => {
  let gate: Gate | null = null;
  return {
    name: config.redis === undefined ? "quota" : "redis",
    needs: [],
    waitsFor: "redis.url, its user and redis.tls",
    async run(signal: AbortSignal): Promise<readonly Finding[]> {
      const redis = config.redis === undefined ? null : connectRedis(config.redis);
      closing.defer(() => redis?.close());
      gate = gateOf(config, { redis, replicaId: randomUUID(), clock, emit: silent });
      closing.defer(() => gate?.close());
      if (redis === null) return [ok("Without Redis the quota is kept by the one process that runs.")];
      const isWaiting = (): boolean => redis.lastError() === "not connected yet";
      while (isWaiting()) await clock.sleep(20, signal);
      const error = redis.lastError();
      if (error !== null) throw unreachable(`Redis at ${redis.address}`, { cause: error });
      // One slow answer says little: on a crowded machine the first question may take longer than the gate waits.
      for (let question = 1; question <= QUESTIONS; question++) {
        const { mode } = await gate.peek();
        if (mode !== "closed") return [ok(`Redis at ${redis.address} answers and keeps the quota.`)];
        await clock.sleep(ASK_AGAIN_MS, signal);
      }
      const sentence = `Redis at ${redis.address} answers, but does not let the quota be kept.`;
      return [failed(sentence, "give its user the commands and keys that the README lists, and check its version")];
    },
    gate: (): Gate => {
      if (gate === null) throw new ConnectorError("GATE_CLOSED", "The quota is not known.", { retriable: true });
      return gate;
    },
  } satisfies Check & { gate(): Gate };
};

/** Its one or two calls take permits like any other: together with what runs, the quota is kept. */
const sellCheck = (
  config: Config,
  deps: OnlineDeps,
  gate: () => Gate,
  closing: AsyncDisposableStack,
  toldMs: (signal: AbortSignal) => Promise<number>,
) => {
  let opened: Target | null = null;
  return {
    name: "sell",
    needs: [config.redis === undefined ? "quota" : "redis"],
    waitsFor: "sell.baseUrl, sell.proxy and sell.tls, and whether Sell has asked everybody to wait",
    async run(signal: AbortSignal): Promise<readonly Finding[]> {
      await gate().adopt(await toldMs(signal));
      const waitMs = (await gate().peek()).cooldownLeftMs;
      if (waitMs > PATIENCE_MS) return [asksToWait(waitMs)];
      const mayLeave = (): boolean => true; // nothing is written
      const { target, permit } = sellBehind(gate(), config, "live", { ...deps, emit: silent, mayLeave });
      closing.defer(() => target.close());
      let problems: readonly TargetProblem[];
      try {
        await target.open(() => permit(signal), signal);
        problems = await target.preflight(targetUses(config.routes), () => permit(signal), signal);
      } catch (error) {
        signal.throwIfAborted();
        // A connector tries again; here the first answer is the finding.
        return [
          failed(errorText(error).replace("; trying again.", "."), "check sell.baseUrl, sell.token and sell.account"),
        ];
      }
      opened = target;
      const { account, dialect } = target;
      const said = ok(`The token is good for the account "${account}", which speaks the ${dialect} dialect.`);
      return [said, ...problems.map(mismatch)];
    },
    target: (): Target => {
      if (opened === null) throw new ConnectorError("SELL_UNREACHABLE", "Sell was not reached.", { retriable: true });
      return opened;
    },
  } satisfies Check & { target(): Target };
};

/** A check may take longer, but its calls are still to come. */
const PATIENCE_MS = 5_000;

const asksToWait = (waitMs: number): Finding =>
  failed(
    `Sell asked everybody to wait, for ${Math.ceil(waitMs / 1_000)} s from now: it was not called.`,
    "ask again then",
  );

const mismatch = ({ severity, message }: TargetProblem): Finding =>
  (severity === "error" ? failed : warning)(message, "correct the route, or the settings of Sell");
