/** Everything around the connector: services, a simulator of Sell, topics, and an ERP's ledger that writes into them. */
import { randomBytes } from "node:crypto";
import { partitionName } from "../domain/record.ts";
import type { Clock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "../sandbox/index.ts";
import { kafkaConfig } from "../source/config.ts";
import { connectKafka, type KafkaConnection } from "../source/connect-kafka.ts";
import type { Surroundings } from "./connector-config.ts";
import { avroEncoder, jsonEncoder } from "./encoder.ts";
import { Ledger } from "./ledger.ts";
import { type DemoOptions, FOREIGN, PARTITIONS, QUOTA } from "./options.ts";
import type { Progress } from "./progress.ts";
import { SERVICE_NAMES } from "./services/options.ts";
import { startServices } from "./services/services.ts";
import { TABLE_NAMES } from "./tables.ts";

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
  readonly ledger: Ledger;
}

/** `stack` owns all of it. */
export const setStage = async (options: DemoOptions, deps: DemoDeps, stack: AsyncDisposableStack): Promise<Stage> => {
  const { clock, progress } = deps;
  const services = await progress.step("Kafka, Redis and schema registry", async ({ note }) =>
    stack.use(await startServices({ ...deps, say: note, want: wantedServices(options) })),
  );
  const sandbox = stack.use(await startSandbox(sandboxOptions(options), { clock, random: systemRandom }));
  const surroundings = surroundingsOf(options, services, sandbox);
  const { topicOf, deadLetterTopic, groupId, registry } = surroundings;
  const kafka = await connect(surroundings.kafka, groupId, deps, stack);
  const ledger = await progress.step("Topics and schemas", async () => {
    const topics = TABLE_NAMES.map((table) => ({ topic: topicOf(table), partitions: PARTITIONS }));
    await kafka.admin.createTopics([...topics, { topic: deadLetterTopic, partitions: 1 }]);
    const encoder = registry === null ? jsonEncoder : await avroEncoder(registry, topicOf);
    const producer = await kafka.producer();
    stack.defer(() => producer.close());
    return new Ledger({ encoder, producer, topicOf, clock });
  });
  return { surroundings, sandbox, kafka, ledger };
};

/** Records of the ERP's topics that the group has not committed. */
export const lagOf = async ({ kafka: { admin }, surroundings: { groupId, topicOf } }: Stage): Promise<number> => {
  const ends = await admin.endOffsets(TABLE_NAMES.map(topicOf));
  const committed = new Map((await admin.committed(groupId, ends)).map((it) => [partitionName(it), it.offset]));
  return ends.reduce((sum, end) => sum + Number(end.high - (committed.get(partitionName(end)) ?? end.low)), 0);
};

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
