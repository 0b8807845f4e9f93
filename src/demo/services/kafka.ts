/** One Kafka node, broker and controller in one (KRaft). */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import getPort from "get-port";
import { jvmFlags, withJars } from "./java.ts";
import { type LocalProcess, launch } from "./local-process.ts";
import { type StartOptions, withDefaults } from "./options.ts";
import { ensurePrograms } from "./programs.ts";
import { run } from "./run.ts";

export const KAFKA_VERSION = "4.4.0";
export const KAFKA_READY_LINE = "Kafka Server started"; // its port opens up to half a second earlier

/** Any will do, since each broker is alone; the storage tool insists on one. */
const CLUSTER_ID = "5L6g3nShT-eMCtK--X86sw";

/** Kafka's POM leaves the logging backend to the distribution; without one the broker dies at once. */
export const LOGGING_JARS = ["log4j-core", "log4j-slf4j-impl"].map((it) => `org.apache.logging.log4j:${it}:2.25.3`);
const JARS = [`org.apache.kafka:kafka_2.13:${KAFKA_VERSION}`, ...LOGGING_JARS];

/** What a test wants of a broker beyond the usual. */
interface Beyond {
  /** Added to the broker's properties, or in their place. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Arguments of the storage tool: users that there are from the first moment. */
  readonly format?: readonly string[];
}

/**
 * A broker of its own, on a free port, with empty data. `address` is `127.0.0.1:port`. After a SIGKILL its next start
 * takes 9 s longer: the controller first lets the dead broker's session run out.
 */
export const startKafka = async (options: StartOptions = {}, beyond: Beyond = {}): Promise<LocalProcess> => {
  const context = withDefaults(options);
  await ensurePrograms(["java"], context);
  const jars = await withJars(`kafka-${KAFKA_VERSION}`, JARS, context);
  const [port, controllerPort] = [await getPort(), await getPort()];

  const folder = await mkdtemp(join(tmpdir(), "sell-sink-kafka-"));
  const logDirs = join(folder, "log");
  const listening = { listenHost: "127.0.0.1", host: "127.0.0.1", port, controllerPort, logDirs };
  const properties = { ...brokerProperties(listening), ...beyond.properties };
  const java = (...args: readonly string[]): string[] => [
    ...jvmFlags(384),
    `-Dlog4j2.configurationFile=${join(folder, "log4j2.properties")}`,
    `-Dkafka.logs.dir=${folder}`,
    "-cp",
    join(jars, "*"),
    ...args,
  ];
  const prepare = async (): Promise<void> => {
    await writeFile(join(folder, "server.properties"), propertyLines(properties));
    await writeFile(join(folder, "log4j2.properties"), propertyLines(LOGGING));
    const format = ["kafka.tools.StorageTool", "format", "--cluster-id", CLUSTER_ID, "--config", "server.properties"];
    await run("java", java(...format, ...(beyond.format ?? [])), { cwd: folder, env: context.env }, context.signal);
  };
  return launch(
    {
      name: `Kafka ${KAFKA_VERSION}`,
      address: `127.0.0.1:${port}`,
      command: "java",
      args: java("kafka.Kafka", "server.properties"),
      folder,
      ready: { line: KAFKA_READY_LINE },
    },
    context,
    prepare,
  );
};

export interface Listening {
  /** The interface to listen on, and the host that clients are told. */
  readonly listenHost: string;
  readonly host: string;
  readonly port: number;
  readonly controllerPort: number;
  readonly logDirs: string;
}

export const brokerProperties = ({ listenHost, host, port, controllerPort, logDirs }: Listening) =>
  ({
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://${listenHost}:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": `PLAINTEXT://${host}:${port}`,
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    "log.dirs": logDirs,
    // One node keeps one copy of everything.
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    // Tests kill members and do not want to wait for 6 s sessions; the first join need not wait for others.
    "group.min.session.timeout.ms": "1000",
    "group.initial.rebalance.delay.ms": "0",
    // As in a careful production cluster: a mistyped topic is an error.
    "auto.create.topics.enable": "false",
  }) as const;

/** Warnings only, and the one line that says it is up. */
export const LOGGING = {
  "appender.c.type": "Console",
  "appender.c.name": "C",
  "appender.c.layout.type": "PatternLayout",
  "appender.c.layout.pattern": "%d{HH:mm:ss.SSS} %p %c{1} %m%n",
  "rootLogger.level": "warn",
  "rootLogger.appenderRef.c.ref": "C",
  "logger.s.name": "kafka.server.KafkaRaftServer",
  "logger.s.level": "info",
};

/** A file of Java properties. */
export const propertyLines = (properties: Readonly<Record<string, string>>): string =>
  Object.entries(properties)
    .map(([key, value]) => `${key}=${value.replaceAll("\\", "\\\\")}\n`)
    .join("");
