/** Everything around the connector: services, a simulator of Sell, topics, and an ERP's ledger that writes into them. */
import { randomBytes } from "node:crypto";
import { replayTopicOf } from "../dead-letter/letter.ts";
import type { RecordProducer } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import type { Progress } from "../lib/progress.ts";
import { systemRandom } from "../lib/random.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "../sandbox/index.ts";
import { kafkaConfig } from "../source/config.ts";
import { connectKafka, type KafkaConnection } from "../source/connect-kafka.ts";
import type { Surroundings } from "./connector-config.ts";
import { createDatabase } from "./database.ts";
import { avroEncoder, jsonEncoder } from "./encoder.ts";
import type { Journal } from "./journal.ts";
import { Ledger } from "./ledger.ts";
import { type DemoOptions, FOREIGN, PARTITIONS, QUOTA } from "./options.ts";
import { startConnect } from "./services/connect.ts";
import type { ServiceName } from "./services/options.ts";
import { SERVICE_TITLES, startServices } from "./services/services.ts";
import { TABLE_NAMES } from "./tables.ts";
import { topicJournal } from "./topic-journal.ts";

export interface DemoDeps {
  readonly clock: Clock;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface Stage {
  readonly surroundings: Surroundings;
  readonly sandbox: Sandbox;
  readonly kafka: KafkaConnection;
  readonly journal: Journal;
  readonly ledger: Ledger;
}

type Names = Pick<Surroundings, "groupId" | "topicPrefix">;

/** `stack` owns all of it. */
export const setStage = async (
  options: DemoOptions,
  deps: DemoDeps,
  stack: AsyncDisposableStack,
  names: Names = namesOfOneRun(),
): Promise<Stage> => {
  const { clock, progress } = deps;
  const wanted = wantedServices(options);
  const services = await progress.step(titleOf(wanted), async ({ note }) =>
    stack.use(await startServices({ ...deps, say: note, want: wanted })),
  );
  const sandbox = stack.use(await startSandbox(sandboxOptions(options), { clock, random: systemRandom }));
  const surroundings = surroundingsOf(options, services, sandbox, names);
  const { topicOf, deadLetterTopic, groupId } = surroundings;
  const kafka = await connect(surroundings.kafka, groupId, deps, stack);
  const producer = await kafka.producer();
  stack.defer(() => producer.close());
  await progress.step("Topics", () =>
    kafka.admin.createTopics([
      ...TABLE_NAMES.map((table) => ({ topic: topicOf(table), partitions: PARTITIONS })),
      { topic: deadLetterTopic, partitions: 1 },
      // Without it doctor warns, and dlq and resync have nothing to write to.
      { topic: replayTopicOf(deadLetterTopic), partitions: PARTITIONS },
    ]),
  );
  const journal = options.debezium
    ? await debezium(services.postgres, surroundings, deps, stack)
    : await progress.step("Schemas", () => directly(surroundings, producer, clock));
  return { surroundings, sandbox, kafka, journal, ledger: new Ledger({ journal, producer, topicOf, clock }) };
};

/** The tables in PostgreSQL, and Debezium between them and the topics. */
const debezium = (
  server: string,
  { kafka, registry, topicPrefix }: Surroundings,
  deps: DemoDeps,
  stack: AsyncDisposableStack,
): Promise<Journal> =>
  deps.progress.step("The ERP's tables, and Debezium that reads them", async ({ note }) => {
    const database = stack.use(await createDatabase(server, topicPrefix.replaceAll("-", "_")));
    const connectOptions = { kafka, registry, prefix: topicPrefix, tables: database.tables, partitions: PARTITIONS };
    const worker = stack.use(await startConnect({ ...deps, ...connectOptions, postgres: database.url, say: note }));
    await worker.running();
    const { write, rows } = database;
    return { write, rows, check: worker.running };
  });

const directly = async (
  { registry, topicOf }: Surroundings,
  producer: RecordProducer,
  clock: Clock,
): Promise<Journal> => {
  const encoder = registry === null ? jsonEncoder : await avroEncoder(registry, topicOf);
  return topicJournal({ encoder, producer, topicOf, clock });
};

/** Records of the ERP that the group has not committed, whether they are in the topics yet or not. */
export const lagOf = async ({
  kafka: { admin },
  ledger,
  surroundings: { groupId, topicOf },
}: Stage): Promise<number> => {
  const ends = await admin.endOffsets(TABLE_NAMES.map(topicOf));
  const committed = await admin.committed(groupId, ends);
  return committed.reduce((left, { offset }) => left - Number(offset ?? 0), ledger.records);
};

/** At least as long as a real one: shorter ones are not looked for in replies. */
const TOKEN = "sandbox-token-0123456789abcdef";

const wantedServices = ({ format, debezium }: DemoOptions): readonly ServiceName[] => [
  ...(["kafka", "redis"] as const),
  ...(format === "avro" ? (["registry"] as const) : []),
  ...(debezium ? (["postgres"] as const) : []),
];

const titleOf = (wanted: readonly ServiceName[]): string => wanted.map((name) => SERVICE_TITLES[name]).join(", ");

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

/** Given services may have seen another run. */
const namesOfOneRun = (): Names => {
  const id = randomBytes(3).toString("hex");
  return { groupId: `sell-sink-demo-${id}`, topicPrefix: `erp-${id}` };
};

const surroundingsOf = (
  { format }: DemoOptions,
  { kafka, redis, registry }: Readonly<Record<ServiceName, string>>,
  { url }: Sandbox,
  { groupId, topicPrefix }: Names,
): Surroundings => ({
  ...{ kafka, redis, groupId, topicPrefix },
  registry: format === "avro" ? registry : null,
  sellUrl: url,
  token: TOKEN,
  topicOf: (table) => `${topicPrefix}.sales.${table}`,
  deadLetterTopic: `${topicPrefix}.sell-sink.dead-letters`,
});

/** Closed with `stack`. */
export const connect = async (
  brokers: string,
  groupId: string,
  { clock, signal }: DemoDeps,
  stack: AsyncDisposableStack,
): Promise<KafkaConnection> => {
  const config = kafkaConfig.parse({ brokers: brokers.split(","), clientId: "sell-sink-demo", groupId });
  const kafka = await connectKafka(config, { clock, random: systemRandom, emit: () => {} }, signal);
  stack.defer(() => kafka.close());
  return kafka;
};
