/**
 * One Kafka Connect worker with one Debezium connector, which reads a PostgreSQL. It is always a local process: it must reach
 * Kafka, database and registry by the addresses that we have, and a test must be able to kill it.
 */
import { mkdir, mkdtemp, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import getPort from "get-port";
import { ConnectorError } from "../../domain/errors.ts";
import { jvmFlags, withJars } from "./java.ts";
import { KAFKA_VERSION, LOGGING, LOGGING_JARS, propertyLines } from "./kafka.ts";
import { type LocalProcess, launch } from "./local-process.ts";
import { type Context, READY_WITHIN_MS, type StartOptions, withDefaults } from "./options.ts";
import { ensurePrograms } from "./programs.ts";

const DEBEZIUM_VERSION = "3.7.0.Final";

const WORKER_JARS = ["connect-runtime", "connect-json", "connect-transforms"].map(
  (artifact) => `org.apache.kafka:${artifact}:${KAFKA_VERSION}`,
);
/** Newer ones lack a part of theirs in Maven Central; this one speaks to the newer registry all the same. */
const AVRO_CONVERTER = "io.apicurio:apicurio-registry-utils-converter:2.6.13.Final";
/** The worker's own: a second copy would be taken for a plugin. */
const OF_THE_WORKER = ["org.apache.kafka", "org.slf4j"];

export interface ConnectOptions extends StartOptions {
  /** Bootstrap server, `host:port`. */
  readonly kafka: string;
  /** `postgres://user@host:port/database`. */
  readonly postgres: string;
  /** URL of Apicurio's Confluent-compatible API: Avro in Confluent's framing. Null: JSON without schemas. */
  readonly registry: string | null;
  /** First part of the topics' names; the slot and the publication are named after it. */
  readonly prefix: string;
  /** `schema.table`, all of which become topics `prefix.schema.table`. */
  readonly tables: readonly string[];
  readonly partitions: number;
  /** Further settings of the worker and of the connector, by their own names. */
  readonly worker?: Readonly<Record<string, string>>;
  readonly connector?: Readonly<Record<string, string>>;
}

export interface Connect extends AsyncDisposable {
  /** Down, up or frozen; it goes on from its stored offsets. */
  readonly process: LocalProcess;
  /** Resolves when the connector's task runs. Rejects with `DEBEZIUM_FAILED` and the task's own first words. */
  running(signal?: AbortSignal): Promise<void>;
}

/** Resolves when the worker answers. */
export const startConnect = async ({ kafka, postgres, registry, ...options }: ConnectOptions): Promise<Connect> => {
  const context = withDefaults(options);
  await ensurePrograms(["java"], context);
  const { jars, plugins } = await parts(registry, context);
  const port = await getPort();
  const folder = await mkdtemp(join(tmpdir(), "sell-sink-connect-"));
  const url = `http://127.0.0.1:${port}`;
  const worker = { ...workerSettings(kafka, folder, url), ...convertersFor(registry), ...options.worker };
  const connector = { ...connectorSettings(postgres, options), ...avroNames(registry), ...options.connector };
  const process = await launch(
    {
      name: `Kafka Connect ${KAFKA_VERSION}`,
      address: url,
      command: "java",
      args: [
        ...jvmFlags(512),
        `-Dlog4j2.configurationFile=${join(folder, "log4j2.properties")}`,
        ...["-cp", join(jars, "*"), "org.apache.kafka.connect.cli.ConnectStandalone"],
        ...["worker.properties", "connector.properties"],
      ],
      folder,
      ready: { url: `${url}/connectors/${NAME}/status` },
    },
    context,
    async () => {
      await mkdir(join(folder, "plugins"));
      for (const [name, path] of Object.entries(plugins)) await symlink(path, join(folder, "plugins", name));
      await writeFile(join(folder, "worker.properties"), propertyLines(worker));
      await writeFile(join(folder, "connector.properties"), propertyLines(connector));
      await writeFile(join(folder, "log4j2.properties"), propertyLines(LOGGING));
    },
  );
  return {
    process,
    running: (signal = context.signal) => untilRunning(url, context, signal),
    [Symbol.asyncDispose]: () => process.stop(),
  };
};

const NAME = "erp";

const parts = async (registry: string | null, context: Context) => {
  const jars = await withJars(`kafka-connect-${KAFKA_VERSION}`, [...WORKER_JARS, ...LOGGING_JARS], context);
  const connector = [`io.debezium:debezium-connector-postgres:${DEBEZIUM_VERSION}`];
  const debezium = await withJars(`debezium-postgres-${DEBEZIUM_VERSION}`, connector, context, OF_THE_WORKER);
  if (registry === null) return { jars, plugins: { debezium } };
  const converter = await withJars("apicurio-converter-2.6.13", [AVRO_CONVERTER], context, OF_THE_WORKER);
  return { jars, plugins: { debezium, converter } };
};

const workerSettings = (kafka: string, folder: string, url: string) => ({
  "bootstrap.servers": kafka,
  "offset.storage.file.filename": join(folder, "connect.offsets"),
  "offset.flush.interval.ms": "1000",
  "plugin.path": join(folder, "plugins"),
  listeners: url.replace("http:", "HTTP:"),
});

/** For keys and values alike. Without the last setting of JSON a null becomes the column's default, for good. */
const convertersFor = (registry: string | null): Readonly<Record<string, string>> => {
  const settings =
    registry === null
      ? {
          "": "org.apache.kafka.connect.json.JsonConverter",
          ".schemas.enable": "false",
          ".replace.null.with.default": "false",
        }
      : {
          "": "io.apicurio.registry.utils.converter.AvroConverter",
          ".apicurio.registry.url": new URL("/apis/registry/v2", registry).href,
          ".apicurio.registry.auto-register": "true",
          ".apicurio.registry.find-latest": "true",
          ".apicurio.registry.headers.enabled": "false",
          ".apicurio.registry.id-handler": "io.apicurio.registry.serde.Legacy4ByteIdHandler",
          ".apicurio.registry.use-id": "contentId",
        };
  const entries = Object.entries(settings);
  return Object.fromEntries(
    ["key.converter", "value.converter"].flatMap((part) => entries.map(([name, value]) => [`${part}${name}`, value])),
  );
};

/** Avro allows fewer names than Kafka. */
const avroNames = (registry: string | null): Readonly<Record<string, string>> =>
  registry === null ? {} : { "schema.name.adjustment.mode": "avro" };

const connectorSettings = (
  postgres: string,
  { prefix, tables, partitions }: Pick<ConnectOptions, "prefix" | "tables" | "partitions">,
) => {
  const { hostname, port, username, password, pathname } = new URL(postgres);
  const name = prefix.replaceAll(/[^a-z0-9]/g, "_");
  return {
    name: NAME,
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "topic.prefix": prefix,
    "database.hostname": hostname,
    "database.port": port || "5432",
    "database.user": decodeURIComponent(username),
    "database.password": decodeURIComponent(password),
    "database.dbname": decodeURIComponent(pathname.slice(1)),
    "plugin.name": "pgoutput",
    "slot.name": name,
    "publication.name": name,
    "publication.autocreate.mode": "filtered",
    "table.include.list": tables.join(","),
    "topic.creation.default.replication.factor": "1",
    "topic.creation.default.partitions": String(partitions),
  };
};

const POLL_MS = 100;

const untilRunning = async (url: string, { clock }: Pick<Context, "clock">, signal: AbortSignal): Promise<void> => {
  const deadline = clock.monotonicMs() + READY_WITHIN_MS;
  for (;;) {
    const [task] = await tasks(`${url}/connectors/${NAME}/status`, signal);
    if (task?.state === "RUNNING") return;
    if (task?.state === "FAILED") throw failed(reasonOf(task.trace ?? ""));
    if (clock.monotonicMs() > deadline) throw failed(`its task was not running after ${READY_WITHIN_MS / 1_000} s`);
    await clock.sleep(POLL_MS, signal);
  }
};

const MESSAGES = /^(?:Caused by: )?(?:[\w$]+\.)+[\w$]+: (.*)$/gm;

/** What a Java stack says first, and what was behind it all. */
const reasonOf = (trace: string): string => {
  const told = Array.from(trace.matchAll(MESSAGES), ([, message]) => message);
  const ends = new Set([told.at(0), told.at(-1)]);
  return [...ends].filter(Boolean).join(": ") || "it does not say why";
};

interface Task {
  readonly state: string;
  readonly trace?: string;
}

/** None while the worker starts, or is away. */
const tasks = async (url: string, signal: AbortSignal): Promise<readonly Task[]> => {
  try {
    const response = await fetch(url, { signal });
    const status: unknown = await response.json();
    return typeof status === "object" && status !== null && "tasks" in status ? (status.tasks as readonly Task[]) : [];
  } catch {
    signal.throwIfAborted();
    return [];
  }
};

const failed = (why: string): ConnectorError =>
  new ConnectorError("DEBEZIUM_FAILED", `Debezium does not run: ${why}`, { retriable: false });
