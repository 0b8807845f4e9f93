/** `sell-sink preview`: what records would become in Sell. Nothing is sent, joined or committed. */
import { strict as assert } from "node:assert";
import { InvalidArgumentError, Option } from "commander";
import type { Config } from "../config/spec.ts";
import { usageError } from "../domain/errors.ts";
import { systemClock } from "../lib/clock.ts";
import { nearest } from "../lib/nearest.ts";
import { systemRandom } from "../lib/random.ts";
import type { Previewed } from "../preview/preview.ts";
import type { KafkaConnection } from "../source/connect-kafka.ts";
import { kafkaAtOnce } from "../source/kafka-at-once.ts";
import { topicsOf } from "../wiring/topic-formats.ts";
import { readConfig } from "./config-file.ts";
import { withExamples } from "./examples.ts";
import { EXIT } from "./exit.ts";
import { interruptible } from "./interruptible.ts";
import { askedOf } from "./preview-online.ts";
import { previewAsJson, previewAsText } from "./preview-print.ts";
import type { Register } from "./register.ts";
import type { Terminal } from "./terminal.ts";

interface Options {
  readonly config: string;
  readonly file?: string;
  readonly topic?: string;
  readonly dialect?: "bulk" | "core";
  readonly limit: number;
  readonly online?: true;
  readonly json?: true;
}

const INTRO = `
A file needs no service at all. Its lines are rows ({"id": 7, ...}), envelopes ({"op": "u", "after": {...}}) or whole
records ({"key": ..., "value": ..., "headers": {...}}); in a CSV file every value is text and an empty one is null.
From Kafka come the newest records of the topic, read without the group.
Ids that only Sell knows are shown as <id of accounts 7>. Without --dialect, auto is taken for bulk.

--online asks Sell for each record by its key and shows, field by field, what would change. It only reads; each question
takes a call of the quota, which a running connector shares by Redis, and how many is said before the first one.
`;

const LIMIT_MAX = 10_000;

export const previewCommand: Register = (program, terminal, done) => {
  const command = program
    .command("preview")
    .description("show the mutations and requests that records would become; sends nothing")
    .requiredOption("-c, --config <file>", "configuration file (YAML)")
    .option("-f, --file <file>", "rows to take instead of Kafka's: NDJSON, or CSV if it ends in .csv")
    .option("-t, --topic <topic>", "topic to read, or whose routes the file's rows take")
    .option("-l, --limit <n>", `at most so many records, up to ${LIMIT_MAX}`, limitOption, 20)
    .addOption(new Option("--dialect <dialect>", "requests of this dialect").choices(["bulk", "core"]))
    .option("--online", "beside each mutation what Sell holds of the record now")
    .option("--json", "print one JSON object")
    .action(async (options: Options) => done(await preview(options, terminal)));
  withExamples(command, {
    intro: INTRO,
    examples: [
      ["sell-sink preview -c config.yaml --file customers.csv --topic erp.sales.customers"],
      ["sell-sink preview -c config.yaml --file orders.ndjson --json | jq .requests"],
      ["sell-sink preview -c config.yaml --topic erp.sales.customers --limit 5 --online"],
    ],
    exits: "0 shown, 1 failed, or a record would become a dead letter, 2 wrong usage or configuration",
  });
};

const preview = async (options: Options, terminal: Terminal): Promise<number> => {
  const config = readConfig(options.config, terminal);
  if (config === null) return EXIT.usage;
  const topic = topicFor(options, config);
  return interruptible(terminal, async (signal) => {
    // A file needs no Kafka.
    await using kafka = options.file === undefined ? await connected(config, signal) : null;
    const previewed = await previewedOf(options, config, topic, kafka, signal);
    const asking = { previewed, config, kafka, terminal, isJson: options.json === true };
    const inSell = options.online ? await askedOf(asking, signal) : null;
    terminal.out(options.json ? previewAsJson(previewed, inSell) : previewAsText(previewed, inSell, terminal));
    const isErrant = previewed.records.some(({ mapped }) => mapped.status === "errant");
    const isDoubtful = [...(inSell?.values() ?? [])].some((comparison) => comparison.is === "dead-letter");
    return isErrant || isDoubtful ? EXIT.failed : EXIT.done;
  });
};

const topicFor = ({ topic, file }: Options, config: Config): string => {
  const topics = topicsOf(config);
  const [only = "", ...more] = topics;
  if (topic === undefined && file !== undefined && more.length === 0) return only;
  if (topic !== undefined && topics.includes(topic)) return topic;
  const meant = topic === undefined ? null : nearest(topic, topics);
  const asked = topic === undefined ? "Say with --topic which routes to take" : `No route reads ${topic}`;
  const hint = meant === null ? `there are ${topics.join(", ")}.` : `did you mean ${meant}?`;
  throw usageError(`${asked}; ${hint}`);
};

const previewedOf = async (
  { file, limit, dialect }: Options,
  config: Config,
  topic: string,
  kafka: KafkaConnection | null,
  signal: AbortSignal,
): Promise<Previewed> => {
  const { previewFile, previewTopic } = await import("../preview/preview.ts");
  const options = {
    topic,
    limit,
    dialect: dialect ?? (config.sell.dialect === "core" ? "core" : "bulk"),
    clock: systemClock,
  } as const;
  if (file !== undefined) return previewFile(config, file, options);
  assert(kafka !== null, "records come from a file or from Kafka");
  return previewTopic(config, kafka, options, signal);
};

const connected = async (
  { kafka: config }: Config,
  signal: AbortSignal,
): Promise<KafkaConnection & AsyncDisposable> => {
  const deps = { clock: systemClock, random: systemRandom };
  const kafka = await kafkaAtOnce({ ...config, clientId: `${config.clientId}-preview` }, deps, signal);
  return { ...kafka, [Symbol.asyncDispose]: () => kafka.close() };
};

const limitOption = (text: string): number => {
  const limit = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= LIMIT_MAX) return limit;
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${LIMIT_MAX}.`);
};
