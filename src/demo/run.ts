/** The demo from its first service to its verdict. Whoever calls it owns what it starts. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import getPort from "get-port";
import { type ConnectorError, isConnectorError } from "../domain/errors.ts";
import { partitionName } from "../domain/record.ts";
import type { Clock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "../sandbox/index.ts";
import { kafkaConfig } from "../source/config.ts";
import { connectKafka, type KafkaConnection } from "../source/connect-kafka.ts";
import { connectorConfig, type Surroundings } from "./connector-config.ts";
import { spendDay } from "./day.ts";
import { readDeadLetters } from "./dead-letters.ts";
import { Dice, seeded } from "./dice.ts";
import { avroEncoder, jsonEncoder } from "./encoder.ts";
import { Erp } from "./erp.ts";
import { compare } from "./expected.ts";
import { Ledger, POISON } from "./ledger.ts";
import { measurePenalty, measureTraffic } from "./measure.ts";
import { type DemoOptions, FOREIGN, PARTITIONS, QUOTA } from "./options.ts";
import type { Progress } from "./progress.ts";
import { type Replica, startReplica } from "./replica.ts";
import { SERVICE_NAMES } from "./services/options.ts";
import { startServices } from "./services/services.ts";
import { TABLE_NAMES } from "./tables.ts";
import type { Result } from "./verdict.ts";

export interface DemoDeps {
  readonly clock: Clock;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** What a run leaves running until it is disposed. */
export interface Demo extends AsyncDisposable {
  readonly result: Result;
  readonly surroundings: Surroundings;
  readonly replicas: readonly Replica[];
  /** Configurations and logs of the replicas; `keepFolder` leaves them there for whoever has to find a fault. */
  readonly folder: string;
  keepFolder(): void;
}

/** `keep`: the replicas go on running after the result. Rejects with a ConnectorError, or the reason of `signal`. */
export const runDemo = async (options: DemoOptions, keep: boolean, deps: DemoDeps): Promise<Demo> => {
  const { clock, progress } = deps;
  const startMs = clock.monotonicMs();
  const failed = new AbortController();
  const signal = AbortSignal.any([deps.signal, failed.signal]);
  await using stack = new AsyncDisposableStack();

  const services = await progress.step("Kafka, Redis and schema registry", async ({ note }) =>
    stack.use(await startServices({ ...deps, signal, say: note, want: wantedServices(options) })),
  );
  const sandbox = stack.use(await startSandbox(sandboxOptions(options), { clock, random: systemRandom }));
  const surroundings = surroundingsOf(options, services, sandbox);
  const { topicOf, deadLetterTopic, groupId } = surroundings;
  const kafka = await connect(surroundings.kafka, groupId, stack, clock, signal);
  const ledger = await progress.step("Topics and schemas", async () => {
    const topics = TABLE_NAMES.map((table) => ({ topic: topicOf(table), partitions: PARTITIONS }));
    await kafka.admin.createTopics([...topics, { topic: deadLetterTopic, partitions: 1 }]);
    const encoder = surroundings.registry === null ? jsonEncoder : await avroEncoder(surroundings.registry, topicOf);
    const producer = await kafka.producer();
    stack.defer(() => producer.close());
    return new Ledger({ encoder, producer, topicOf, clock });
  });

  const folder = await mkdtemp(join(tmpdir(), "sell-sink-demo-"));
  let keepsFolder = false;
  stack.defer(() => (keepsFolder ? undefined : rm(folder, { recursive: true, force: true })));
  const replicas: Replica[] = [];
  const onDeath = (error: ConnectorError): void => failed.abort(error);
  try {
    await progress.step(replicasTitle(options), async () => {
      for (let i = 1; i <= options.replicas; i++) {
        replicas.push(stack.use(await launch(`replica-${i}`, folder, options, surroundings, deps, onDeath)));
      }
      await Promise.all(replicas.map((replica) => replica.ready(signal)));
    });
    const erp = new Erp(new Dice(seeded(SEED)));
    const lag = (): Promise<number> => lagOf(kafka, groupId, TABLE_NAMES.map(topicOf));
    await progress.step("Delivery", (step) =>
      spendDay(options, { erp, ledger, sandbox, lag, clock, folder }, step, signal),
    );
    const exitCodes = keep ? [] : await progress.step("Stop", () => Promise.all(replicas.map(({ stop }) => stop())));
    const result = await progress.step("Comparison", async () => {
      const reader = await connect(surroundings.kafka, `${groupId}-reader`, stack, clock, signal);
      const deadLetters = await readDeadLetters(reader, deadLetterTopic, signal);
      const log = sandbox.log();
      return {
        options,
        quota: QUOTA,
        traffic: measureTraffic(ledger.committed, log, sandbox.summary(QUOTA.perMs), options.dialect),
        penalty: measurePenalty(log),
        deadLetters: deadLetters.map(({ reason, value }) => ({ reason, isPoison: value?.equals(POISON) === true })),
        lag: await lag(),
        comparison: compare(erp, sandbox.state()),
        exitCodes,
        tookMs: Math.round(clock.monotonicMs() - startMs),
      };
    });
    const running = stack.move();
    return {
      ...{ result, surroundings, replicas, folder },
      keepFolder() {
        keepsFolder = true;
      },
      [Symbol.asyncDispose]: () => running.disposeAsync(),
    };
  } catch (error) {
    keepsFolder = isConnectorError(error) && LOGS_TELL_MORE.has(error.code);
    throw error;
  }
};

/** Codes of errors whose sentence names the folder. */
const LOGS_TELL_MORE: ReadonlySet<string> = new Set(["DEMO_REPLICA", "DEMO_STALLED"]);

/** Any: the same one every time makes two runs comparable. */
const SEED = 42;
/** At least as long as a real one: shorter ones are not looked for in replies. */
const TOKEN = "sandbox-token-0123456789abcdef";

const wantedServices = ({ format }: DemoOptions) => (format === "avro" ? SERVICE_NAMES : (["kafka", "redis"] as const));

const sandboxOptions = ({ foreign }: DemoOptions): SandboxOptions => ({
  rate: {
    profile: "customer",
    // The strictest way to count: no stretch of time may hold more.
    windows: [{ type: "sliding-log", ...QUOTA }],
    ...(foreign ? { foreignPerMinute: (FOREIGN * 60_000) / QUOTA.perMs } : {}),
  },
  settings: { tokens: [TOKEN] },
  customFields: {
    contact: [
      { name: "erp_id", type: "string" },
      { name: "erp_revision", type: "number" },
      { name: "credit_limit", type: "number" },
    ],
    deal: [
      { name: "erp_id", type: "string" },
      { name: "erp_revision", type: "number" },
    ],
  },
});

/** Names of its own for each run: given services may have seen another one. */
const surroundingsOf = (
  { format }: DemoOptions,
  services: { readonly kafka: string; readonly redis: string; readonly registry?: string },
  { url }: Sandbox,
): Surroundings => {
  const id = randomBytes(3).toString("hex");
  return {
    kafka: services.kafka,
    redis: services.redis,
    registry: format === "avro" ? (services.registry ?? null) : null,
    sellUrl: url,
    token: TOKEN,
    groupId: `sell-sink-demo-${id}`,
    topicOf: (table) => `erp-${id}.sales.${table}`,
    deadLetterTopic: `erp-${id}.sell-sink.dead-letters`,
  };
};

const connect = async (
  brokers: string,
  groupId: string,
  stack: AsyncDisposableStack,
  clock: Clock,
  signal: AbortSignal,
): Promise<KafkaConnection> => {
  const config = kafkaConfig.parse({ brokers: brokers.split(","), clientId: "sell-sink-demo", groupId });
  const kafka = await connectKafka(config, { clock, random: systemRandom, emit: () => {} }, signal);
  stack.defer(() => kafka.close());
  return kafka;
};

const launch = async (
  name: string,
  folder: string,
  options: DemoOptions,
  surroundings: Surroundings,
  { clock, env }: DemoDeps,
  onDeath: (error: ConnectorError) => void,
): Promise<Replica> => {
  const port = await getPort();
  const config = connectorConfig(options, surroundings, port);
  const replica = startReplica({ name, folder, config, adminUrl: `http://127.0.0.1:${port}`, env, clock });
  void replica.death.then(onDeath);
  return replica;
};

const replicasTitle = ({ replicas, dialect }: DemoOptions): string =>
  `${replicas === 1 ? "The connector, one process" : `The connector, ${replicas} processes`}, ${dialect} dialect`;

const lagOf = async ({ admin }: KafkaConnection, groupId: string, topics: readonly string[]): Promise<number> => {
  const ends = await admin.endOffsets(topics);
  const committed = new Map((await admin.committed(groupId, ends)).map((it) => [partitionName(it), it.offset]));
  return ends.reduce((sum, end) => sum + Number(end.high - (committed.get(partitionName(end)) ?? end.low)), 0);
};
