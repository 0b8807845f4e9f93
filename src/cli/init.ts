/** `sell-sink init`: a first configuration, from the topics that are there. */
import { stat, writeFile } from "node:fs/promises";
import { problemLines } from "../config/problem.ts";
import { ConnectorError, errorText, usageError } from "../domain/errors.ts";
import type { Initiated } from "../init/init.ts";
import { systemClock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import type { KafkaConfig } from "../source/config.ts";
import type { KafkaConnection } from "../source/connect-kafka.ts";
import { kafkaAtOnce } from "../source/kafka-at-once.ts";
import { printable } from "../telemetry/text.ts";
import { withExamples } from "./examples.ts";
import { EXIT } from "./exit.ts";
import { askedFor, commaSeparated, country, email, type Options, refuseUnknown } from "./init-options.ts";
import { proposalAsJson, proposalAsLines } from "./init-print.ts";
import { interruptible } from "./interruptible.ts";
import { gathered } from "./option-values.ts";
import { progressOf } from "./progress.ts";
import type { Register } from "./register.ts";
import type { Terminal } from "./terminal.ts";
import { version } from "./version.ts";
import { waiting } from "./waiting.ts";

const INTRO = `
It samples some of the oldest and newest records of each topic, without joining a group, and proposes routes: the entity
by the topic's name, the key by the record key, fields by the columns' names and kinds, references where another topic has
that key. No value of a record is written or shown. What nobody can know is left as a commented line. Without --topic it
looks at every topic that is not internal, and takes those that look like change data.

With --sell-url, and the token in SELL_TOKEN, the account's custom fields are read too: four calls of its quota.

A cluster with login or TLS: write how to reach it into a file, as it shall stand in the configuration, and name it with
--config. What the file says is taken over as it is, but for routes; what it does not say is added; options go before it:

  kafka:
    brokers: ["kafka:9093"]
    tls: { caFile: /etc/ssl/kafka-ca.pem } # or {} for a public authority; certFile and keyFile for mutual TLS
    sasl: { mechanism: scram-sha-512, username: sell-sink, password: "\${KAFKA_PASSWORD}" } # plain, oauthbearer ..
  schemaRegistry: { url: "https://registry:8081", username: sell-sink, password: file:/run/secrets/registry }
  redis: { url: "\${REDIS_URL}" }

No secret is an option's value or written into the file: \${NAME} is a variable of the environment, file:/path a file. An
option may name a variable too, in single quotes: --redis '\${REDIS_URL}'.
`;

export const initCommand: Register = (program, terminal, done) => {
  const command = program
    .command("init")
    .description("propose a configuration from topics and schemas: commented, and one that validates")
    .option("-b, --brokers <host:port,..>", "Kafka", commaSeparated)
    .option(
      "-c, --config <file>",
      "file whose kafka (with tls and sasl), schemaRegistry, redis, sell .. are taken over",
    )
    .option("--registry <url>", "schema registry, for topics in Avro")
    .option("-t, --topic <name>", "topic to take, * for any text, =entity to say what it becomes; repeatable", gathered)
    .option("--redis <url>", "Redis that the replicas will share")
    .option("--sell-url <url>", "address of Sell, to propose its custom fields; the token is read from SELL_TOKEN")
    .option("--group <id>", "consumer group of the connector (default: sell-sink)")
    .option("--key-field <name>", "custom field in Sell for the ERP key (default: erp_id)")
    .option("--owner <email>", "user of Sell who owns new records", email)
    .option("--country <code>", "country of phone numbers without +, like DE", country)
    .option("--zone <zone>", "time zone of the ERP's clock, like Europe/Berlin", "UTC")
    .option("-o, --output <file>", "file to write, - for stdout", "config.yaml")
    .option("--force", "overwrite the file if there is one")
    .option("--dry-run", "write no file; print what it would hold")
    .option("--json", "print the proposal as one JSON object; a file is written all the same")
    .action(async (options: Options) => done(await init(options, terminal)));
  withExamples(command, {
    intro: INTRO,
    examples: [
      ["sell-sink init --brokers kafka:9092 --registry http://registry:8081 --dry-run"],
      ["sell-sink init -b kafka:9092 --topic 'erp.sales.*' --topic erp.sap.kna1=accounts -o config.yaml"],
      ["KAFKA_PASSWORD=... sell-sink init --config kafka.yaml --topic 'erp.sales.*' -o config.yaml"],
      ["SELL_TOKEN=... sell-sink init -b kafka:9092 --sell-url http://127.0.0.1:8600 --json | jq .topics"],
    ],
    exits: "0 proposed, 1 nothing was recognised, or it failed, 2 wrong usage, or the file exists",
  });
};

const init = async (options: Options, terminal: Terminal): Promise<number> => {
  await refuseUnknown(options);
  const asked = askedFor(options, terminal);
  if (asked === null) return EXIT.usage;
  const file = options.dryRun || options.output === "-" ? null : options.output;
  if (file !== null && !options.force) await refuseExisting(file);
  return interruptible(terminal, async (signal) => {
    const isQuiet = options.json === true || file === null;
    // Loaded only here: no other command pays for it.
    const { initiate } = await import("../init/init.ts");
    const progress = await progressOf(isQuiet, terminal);
    const kafka = await connected(asked.connections.places.kafka, options, signal);
    const deps = {
      kafka,
      progress,
      version,
      clock: systemClock,
      random: systemRandom,
      emit: waiting(terminal),
      env: terminal.env,
    };
    try {
      const initiated = await initiate(asked, deps, signal);
      if (file !== null && initiated.config !== null) await write(file, initiated.config.text, options.force === true);
      return tell(initiated, file, options, terminal);
    } finally {
      await kafka.close();
    }
  });
};

const tell = (initiated: Initiated, file: string | null, { json }: Options, terminal: Terminal): number => {
  const { config } = initiated;
  const written = config === null ? null : file;
  const say = json || file === null ? terminal.err : terminal.out;
  if (json) terminal.out(proposalAsJson(initiated, written));
  else if (file === null && config !== null) terminal.out(config.text);
  if (!json) say(proposalAsLines(initiated, terminal));
  if (config === null) {
    terminal.err("Nothing is proposed; name topics and what they become, as in --topic erp.sap.kna1=accounts.\n");
    return EXIT.failed;
  }
  const { checked } = config;
  const open = [...(checked.status === "ok" ? [] : checked.problems), ...checked.warnings];
  for (const line of problemLines(open)) terminal.err(`  to decide: ${printable(line)}\n`);
  if (written !== null && !json)
    terminal.out(
      `${written} is written. Read it, then: sell-sink validate -c ${written} --online; sell-sink preview -c ${written} --topic ${initiated.proposal.routes[0]?.sampled.topic}\n`,
    );
  return checked.status === "ok" ? EXIT.done : EXIT.failed;
};

const connected = async (kafka: KafkaConfig, { config }: Options, signal: AbortSignal): Promise<KafkaConnection> => {
  const next =
    config === undefined
      ? "check --brokers; for TLS or a login see --config in sell-sink init --help"
      : `check kafka in ${config}`;
  const asInit = { ...kafka, clientId: `${kafka.clientId}-init` };
  return kafkaAtOnce(asInit, { clock: systemClock, random: systemRandom }, signal, next);
};

const EXISTS = "EEXIST";

const refuseExisting = async (file: string): Promise<void> => {
  if (
    await stat(file).then(
      () => true,
      () => false,
    )
  )
    throw existing(file);
};

/** Also where somebody else was faster. */
const write = async (file: string, text: string, force: boolean): Promise<void> => {
  try {
    await writeFile(file, text, { flag: force ? "w" : "wx" });
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === EXISTS) throw existing(file);
    throw new ConnectorError("FILE_UNWRITABLE", `${file} cannot be written: ${errorText(cause)}.`, {
      retriable: false,
    });
  }
};

const existing = (file: string): ConnectorError =>
  usageError(
    `${file} is there already and is left as it is; name another with --output, or overwrite it with --force.`,
  );
