/** `sell-sink lag`: how far behind, how fast, until when. */
import type { Config } from "../config/spec.ts";
import { replayTopicOf } from "../dead-letter/letter.ts";
import { isConnectorError } from "../domain/errors.ts";
import { askProcess, type ProcessSample } from "../lag/ask-process.ts";
import { lagReport, type Sample } from "../lag/sample.ts";
import { systemClock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import type { KafkaConnection } from "../source/connect-kafka.ts";
import { kafkaAtOnce } from "../source/kafka-at-once.ts";
import { printable } from "../telemetry/text.ts";
import { topicsOf } from "../wiring/topic-formats.ts";
import { type AskOptions, adminUrlOf, asking, askOptions } from "./ask-replica.ts";
import { withExamples } from "./examples.ts";
import { lagAsTable, paceOf } from "./lag-print.ts";
import { pauseAsLine } from "./pauses-print.ts";
import type { Register } from "./register.ts";
import { clean, clearScreen, styled, type Terminal } from "./terminal.ts";

const INTRO = `
It asks the running replica by its admin port: that of the configuration, else http://127.0.0.1:8080. A replica tells of
the partitions it owns. With --config and no replica there, Kafka is asked for the whole group: committed and end offsets.
Rates come from two looks, --every seconds apart: "never" is where more arrives than is worked off, "–" where that cannot
be told, as when nothing was worked off in between.
`;

export const lagCommand: Register = (program, terminal, done) => {
  const command = program
    .command("lag")
    .description("how far behind: records, age, rate and time to drain of every partition");
  askOptions(command, {
    config: "configuration file (YAML): its admin port, and Kafka when nobody answers there",
    every: "time between two looks, 1 to 3600",
  }).action(async (options: AskOptions) =>
    done(
      await asking(options, terminal, async (config, signal) => {
        await using source = await sourceOf(options, config, terminal, signal);
        await tell(source, options, terminal, signal);
      }),
    ),
  );
  withExamples(command, {
    intro: INTRO,
    examples: [
      ["sell-sink lag", "in the container of a replica"],
      ["sell-sink lag --config config.yaml", "the replica of this configuration, or else Kafka"],
      ["sell-sink lag --admin http://10.0.3.7:8080 --watch"],
      ["sell-sink lag --config config.yaml --json | jq .total.records"],
    ],
    exits: "0 told, 1 nobody could be asked, 2 wrong usage or configuration",
  });
};

/** Whom to ask, and what to call it. */
interface Source extends AsyncDisposable {
  readonly from: "process" | "kafka";
  readonly name: string;
  look(signal: AbortSignal): Promise<Sample | ProcessSample>;
}

const sourceOf = async (
  { admin }: AskOptions,
  config: Config | null,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<Source> => {
  const url = admin ?? adminUrlOf(config);
  const ofProcess: Source = {
    from: "process",
    name: `the replica at ${url}`,
    look: (until) => askProcess(url, systemClock, until),
    [Symbol.asyncDispose]: async () => {},
  };
  if (config === null || admin !== undefined) return ofProcess;
  try {
    const { groupId } = await askProcess(url, systemClock, signal);
    if (groupId === config.kafka.groupId) return ofProcess;
    terminal.err(`The replica at ${url} is of the group ${printable(groupId)}; Kafka is asked instead.\n`);
  } catch (error) {
    if (!isConnectorError(error) || error.code !== "UNREACHABLE") throw error;
    terminal.err(`${clean(terminal, error.message)} Kafka is asked instead.\n`);
  }
  return kafkaSource(config, signal);
};

const kafkaSource = async (config: Config, signal: AbortSignal): Promise<Source> => {
  const { groupId, clientId } = config.kafka;
  // Loaded only here: whoever asks a running replica does not pay for the client of Kafka.
  const { createKafkaLag } = await import("../lag/ask-kafka.ts");
  const deps = { clock: systemClock, random: systemRandom };
  const kafka = await kafkaAtOnce({ ...config.kafka, clientId: `${clientId}-lag` }, deps, signal);
  return {
    from: "kafka",
    name: `Kafka, of the group ${groupId}`,
    look: createKafkaLag(kafka, groupId, await topicsIn(kafka, config), systemClock),
    [Symbol.asyncDispose]: () => kafka.close(),
  };
};

/** Replays and resyncs wait in a topic of their own, where there is one. */
const topicsIn = async ({ admin }: KafkaConnection, config: Config): Promise<readonly string[]> => {
  const replays = replayTopicOf(config.deadLetter.topic);
  const hasReplays = (await admin.partitionCounts([replays])).has(replays);
  return hasReplays ? [...topicsOf(config), replays] : topicsOf(config);
};

/** Two looks, or looks without end. */
const tell = async (source: Source, { every, watch, json }: AskOptions, terminal: Terminal, signal: AbortSignal) => {
  for (let before = await source.look(signal); ; ) {
    await systemClock.sleep(every * 1_000, signal);
    const after = await source.look(signal);
    const report = lagReport(before, after);
    const pace = "permitsPerSecond" in after ? paceOf(after) : null;
    const pauses = "pauses" in after ? after.pauses : [];
    if (json) terminal.out(`${JSON.stringify({ from: source.from, ...report, pauses }, null, watch ? 0 : 2)}\n`);
    else {
      if (watch) clearScreen(terminal);
      terminal.out(lagAsTable(report, terminal));
      terminal.out(pauses.map(pauseAsLine).join(""));
      terminal.out(`${styled(terminal, "dim", `As ${source.name} tells it.`)}${pace === null ? "" : ` ${pace}`}\n`);
    }
    if (!watch) return;
    before = after;
  }
};
