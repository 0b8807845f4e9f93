/** `sell-sink dlq`: what lies in the dead-letter topic, and how to send it out again. */
import { InvalidArgumentError, Option } from "commander";
import { ConnectorError, usageError } from "../domain/errors.ts";
import { namedPosition, positionName } from "../domain/record.ts";
import { systemClock } from "../lib/clock.ts";
import type { LetterFilter, LetterPage } from "../replay/letters.ts";
import type { JudgedLetter } from "../replay/states.ts";
import { printable } from "../telemetry/text.ts";
import { type AtDesk, atDesk } from "./at-desk.ts";
import { letterAsJson, letterAsLine, letterAsPage } from "./dlq-print.ts";
import { withExamples } from "./examples.ts";
import { EXIT } from "./exit.ts";
import { timeOption } from "./option-values.ts";
import type { Register } from "./register.ts";
import type { Terminal } from "./terminal.ts";

interface Options {
  readonly config: string;
  readonly json?: true;
}

interface Selection extends Options {
  readonly reason?: string;
  readonly topic?: string;
  readonly key?: string;
  readonly since?: number;
  readonly until?: number;
  readonly state?: string;
  readonly limit?: number;
}

interface ReplayOptions extends Selection {
  readonly dryRun?: true;
  readonly includeUnknown?: true;
}

const LIST_LIMIT = 100;
const PROGRESS_EVERY_MS = 5_000;

const INTRO = `
A dead letter is open until Sell accepted it, or a newer record of its key: then it is healed. The memory of that is in Redis;
of a letter that is older than the memory it is unknown.
--json prints one object a line.
`;

const EXITS = "0 done, 1 failed, 2 wrong usage or configuration";

export const dlqCommand: Register = (program, terminal, done) => {
  const dlq = program.command("dlq").description("list, show and replay dead letters");
  withExamples(dlq, {
    intro: INTRO,
    examples: [
      ["sell-sink dlq list -c config.yaml --since 24h"],
      ["sell-sink dlq show -c config.yaml 'erp.customers[3]@1041'"],
      ["sell-sink dlq replay -c config.yaml --reason invalid-record --dry-run"],
    ],
    exits: EXITS,
  });
  const command = (usage: string, description: string) =>
    dlq
      .command(usage)
      .description(description)
      .requiredOption("-c, --config <file>", "configuration file (YAML)")
      .option("--json", "print JSON, one object a line");
  const selecting = (usage: string, description: string) =>
    command(usage, description)
      .option("--reason <reason>", "only of this reason, as in the header x-sink.reason")
      .option("--topic <topic>", "only records of this topic")
      .option("--key <key>", "only of this key, as Sell holds it or as the record has it")
      .option("--since <time>", "only those that failed since: a date, or 90m, 24h, 7d ago", timeOption)
      .option("--until <time>", "only those that failed before", timeOption);

  const listing = selecting("list", "list dead letters, and which of them are healed")
    .addOption(new Option("--state <state>", "only these").choices(["open", "healed", "unrouted", "unknown"]))
    .option("--limit <n>", "print at most so many", count, LIST_LIMIT)
    .action(async (options: Selection) =>
      done(await atDesk(options.config, terminal, (context) => list(context, options))),
    );
  withExamples(listing, {
    examples: [
      ["sell-sink dlq list -c config.yaml --since 24h --state open"],
      ["sell-sink dlq list -c config.yaml --json | jq -r .reason | sort | uniq -c"],
    ],
    exits: EXITS,
  });

  const showing = command(
    "show <position>",
    "show one dead letter as it is, its content included: topic[partition]@offset of its record",
  ).action(async (position: string, options: Options) =>
    done(await atDesk(options.config, terminal, (context) => show(context, position, options))),
  );
  withExamples(showing, { examples: [["sell-sink dlq show -c config.yaml 'erp.customers[3]@1041'"]], exits: EXITS });

  const replaying = selecting("replay", "send open dead letters to their owners again; what is healed is left alone")
    .option("--dry-run", "only say what would be sent")
    .option("--limit <n>", "send at most so many", count)
    .option("--include-unknown", "also those of which nobody remembers whether a newer record was accepted")
    .action(async (options: ReplayOptions) =>
      done(await atDesk(options.config, terminal, (context) => replay(context, options))),
    );
  withExamples(replaying, {
    examples: [
      ["sell-sink dlq replay -c config.yaml --reason invalid-record --dry-run"],
      ["sell-sink dlq replay -c config.yaml --topic erp.customers --limit 100"],
    ],
    exits: EXITS,
  });
};

/** Judged page by page; says on stderr how far it is. */
async function* judged({ desk, config, terminal, signal }: AtDesk, selection: Selection) {
  const { readLetters } = await import("../replay/letters.ts");
  const { judgeLetters } = await import("../replay/states.ts");
  const filter: LetterFilter = { ...selection, sinceMs: selection.since, untilMs: selection.until };
  const tell = progress(terminal);
  for await (const page of readLetters(config.deadLetter.topic, filter, desk.kafka, signal)) {
    tell(page);
    const letters = await judgeLetters(page.letters, desk.judging, signal);
    yield letters.filter((letter) => selection.key === undefined || hasKey(letter, selection.key));
  }
}

const list = async (context: AtDesk, options: Selection): Promise<number> => {
  const { terminal } = context;
  const limit = options.limit ?? LIST_LIMIT;
  const counts = new Map<string, number>();
  let printed = 0;
  let isMore = false;
  for await (const letters of judged(context, options)) {
    const wanted = letters.filter(({ state }) => (options.state ?? state) === state);
    for (const letter of wanted.slice(0, limit - printed)) {
      terminal.out(options.json ? letterAsJson(letter, "brief") : letterAsLine(letter, terminal));
      counts.set(letter.state, (counts.get(letter.state) ?? 0) + 1);
    }
    isMore = printed + wanted.length > limit;
    printed = Math.min(limit, printed + wanted.length);
    if (isMore) break;
  }
  if (options.json) return EXIT.done;
  const byState = [...counts].map(([state, number]) => `${number} ${state}`).join(", ");
  terminal.out(printed === 0 ? "No dead letters.\n" : `${printed} dead letters: ${byState}\n`);
  if (isMore) terminal.out(`There are more: narrow the choice, or raise --limit.\n`);
  return EXIT.done;
};

const show = async (context: AtDesk, position: string, options: Options): Promise<number> => {
  const { terminal } = context;
  const wanted = namedPosition(position);
  if (wanted === null) {
    const message = `${position} is no position; write it as dlq list does, like "erp.customers[3]@1041".`;
    throw usageError(message);
  }
  let found = 0;
  for await (const letters of judged(context, { ...options, topic: wanted.topic })) {
    for (const letter of letters.filter((other) => positionName(other.letter.origin) === positionName(wanted))) {
      found += 1;
      terminal.out(options.json ? letterAsJson(letter, "whole") : letterAsPage(letter, terminal));
    }
  }
  if (found === 0) throw new ConnectorError("NOT_FOUND", `No dead letter of ${position}.`, { retriable: false });
  return EXIT.done;
};

const replay = async (context: AtDesk, options: ReplayOptions): Promise<number> => {
  const { desk, config, terminal, signal } = context;
  const [isDry, isDaring] = [options.dryRun === true, options.includeUnknown === true];
  const { findReplayTopic } = await import("../wiring/replay-topic.ts");
  const { NOTHING, replayLetters, sumOf } = await import("../replay/replay.ts");
  const target = await findReplayTopic(config, desk.kafka.admin);
  if (target.status === "unusable") throw new ConnectorError("TOPIC_MISSING", target.why, { retriable: false });
  await using closing = new AsyncDisposableStack();
  const producer = await desk.kafka.producer();
  closing.defer(() => producer.close());
  const deps = { topic: target.topic, producer, kafka: desk.kafka, nowMs: () => systemClock.now(), isDry, isDaring };
  const limit = options.limit ?? Number.POSITIVE_INFINITY;
  let counts = NOTHING;
  for await (const letters of judged(context, options)) {
    counts = sumOf(counts, await replayLetters(letters, limit - counts.replayed, deps, signal));
    if (counts.replayed >= limit) break;
  }
  if (options.json) terminal.out(`${JSON.stringify({ dryRun: isDry, ...counts })}\n`);
  else {
    const { replayed, healed, unrouted, unknown, lost } = counts;
    terminal.out(`${replayed} dead letters ${isDry ? "would be" : "are"} replayed, by ${target.topic}\n`);
    if (healed > 0) terminal.out(`${healed} are healed and left alone\n`);
    if (unrouted > 0) terminal.out(`${unrouted} are of topics that no route reads any more\n`);
    if (unknown > 0)
      terminal.out(
        `${unknown} are left alone: Redis forgot, or never was, so that nobody knows whether Sell has something newer; --include-unknown sends them\n`,
      );
    for (const position of lost)
      terminal.out(`${printable(position)} was too large to be kept here, and is gone from its topic\n`);
  }
  return counts.lost.length === 0 ? EXIT.done : EXIT.failed;
};

const hasKey = ({ keys, stored }: JudgedLetter, wanted: string): boolean =>
  keys.some(({ key }) => key === wanted) || stored.key?.toString() === wanted;

const progress = ({ err }: Terminal): ((page: LetterPage) => void) => {
  let toldMs = systemClock.monotonicMs();
  return ({ read, total }) => {
    if (systemClock.monotonicMs() - toldMs < PROGRESS_EVERY_MS) return;
    toldMs = systemClock.monotonicMs();
    err(`  … ${read.toLocaleString("en-US")} of ${total.toLocaleString("en-US")} read\n`);
  };
};

const count = (text: string): number => {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number from 1.");
};
