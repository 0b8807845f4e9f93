/** `sell-sink resync`: writes what the ERP says once more, after people edited Sell by hand. */
import { InvalidArgumentError } from "commander";
import type { Config } from "../config/spec.ts";
import { ConnectorError, usageError } from "../domain/errors.ts";
import { systemClock } from "../lib/clock.ts";
import { countText } from "../lib/numbers.ts";
import { A_MOMENT, patiently } from "../lib/patiently.ts";
import { textOfFile } from "../lib/text-file.ts";
import type { Checkpoint } from "../resync/checkpoint.ts";
import type { ResyncDeps } from "../resync/resync.ts";
import type { From, Selection } from "../resync/selection.ts";
import { type AtDesk, atDesk } from "./at-desk.ts";
import { withExamples } from "./examples.ts";
import { EXIT } from "./exit.ts";
import { gathered, timeOption } from "./option-values.ts";
import { progressOf } from "./progress.ts";
import type { Register } from "./register.ts";
import { type Pass, passAsJson, passAsText } from "./resync-print.ts";

interface Options {
  readonly config: string;
  readonly topic?: string;
  readonly route?: string;
  readonly key?: readonly string[];
  readonly keys?: string;
  /** Absent: earliest. */
  readonly from?: { readonly text: string; readonly from: From };
  readonly resume?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

const KEYS_IN_FILE_MAX = 250_000;

const INTRO = `
Of each key the newest record up to now goes to the topic by which dead letters are replayed, and from there to Sell through
the running replicas: as backfill, inside the quota, behind live changes. All mapped fields are written, also where Sell
is thought to have them; what people own (write: onCreate, mode: createOnly) stays theirs. A change that comes meanwhile is
newer and wins. It is sent when the command ends, and written at the pace of the quota.

The newest record of a key decides. Where the routes write nothing for it (when, onDelete: ignore) the key is left alone; a
column that it does not carry is not repaired.
`;

export const resyncCommand: Register = (program, terminal, done) => {
  const command = program
    .command("resync")
    .description("write a topic, a route or some keys again, after somebody edited Sell by hand")
    .requiredOption("-c, --config <file>", "configuration file (YAML)")
    .option("--topic <topic>", "records of this topic, for all routes that read it")
    .option("--route <name>", "only for this route")
    .option("--key <key>", "only this ERP key, as Sell holds it; may be repeated", gathered)
    .option("--keys <file>", "only the keys of this file, one a line")
    .option(
      "--from <start>",
      "only keys with a record since: a date, or 90m, 24h, 7d ago, or an offset of every partition (default: earliest)",
      fromOption,
    )
    .option("--resume", "go on with the last pass over the same selection, if it was not finished")
    .option("--dry-run", "only count records, keys and calls")
    .option("--json", "print only the result, as one JSON object")
    .action(async (options: Options) =>
      done(await atDesk(options.config, terminal, (context) => resyncAtDesk(context, options))),
    );
  withExamples(command, {
    intro: INTRO,
    examples: [
      ["sell-sink resync -c config.yaml --topic erp.sales.customers --dry-run"],
      ["sell-sink resync -c config.yaml --route customers --key 1041 --key 1042"],
      ["sell-sink resync -c config.yaml --route customers --keys edited.txt"],
      ["sell-sink resync -c config.yaml --topic erp.sales.customers --from 24h"],
      ["sell-sink resync -c config.yaml --topic erp.sales.customers --resume", "go on after Ctrl-C or a crash"],
    ],
    exits: "0 sent, 1 failed or a key was not found, 2 wrong usage or configuration",
  });
};

const resyncAtDesk = async (context: AtDesk, options: Options): Promise<number> => {
  const { desk, config, terminal, signal } = context;
  const { resync } = await import("../resync/resync.ts");
  const selection = await selectionOf(config, options);
  const { start, isResumed } = await startOf(context, selection, options);
  await using closing = new AsyncDisposableStack();
  const replay = options.dryRun === true ? null : await openReplay(context, closing);
  const deps: ResyncDeps = {
    ...{ groupId: config.kafka.groupId, kafka: desk.kafka, reading: await readingOf(context), replay },
    ...{ clock: systemClock, progress: await progressOf(options.json === true, terminal) },
  };
  const pass = { ...{ start, isResumed, selection, config, isDry: options.dryRun === true } };
  try {
    const result = await resync(start, selection, deps, signal);
    const told: Pass = { ...pass, result, keptMs: await keptMs(context) };
    terminal.out(options.json ? passAsJson(told) : passAsText(told, terminal));
    return isResumed || result.missing.length === 0 ? EXIT.done : EXIT.failed;
  } catch (error) {
    if (replay !== null) terminal.err("The same command with --resume goes on from here.\n");
    throw error;
  }
};

const selectionOf = async (config: Config, options: Options): Promise<Selection> => {
  const { topicOf } = await import("../resync/selection.ts");
  const { from, text: fromText } = options.from ?? EARLIEST;
  return { ...topicOf(config, options), keys: keysOf(options), from, fromText };
};

/** Where it begins: anew, or with `--resume` where the pass before was broken off. */
const startOf = async (
  { desk, config, terminal, signal }: AtDesk,
  selection: Selection,
  { resume, dryRun }: Options,
): Promise<{ readonly start: Checkpoint; readonly isResumed: boolean }> => {
  const { loadCheckpoint } = await import("../resync/checkpoint.ts");
  const { firstCheckpoint } = await import("../resync/selection.ts");
  const { ALL_KEYS } = await import("../resync/newest.ts");
  const { admin } = desk.kafka;
  const fresh = await firstCheckpoint(selection, config, admin, systemClock.now());
  if (dryRun === true) return { start: fresh, isResumed: false };
  const ends = await admin.endOffsets([selection.topic]);
  const load = () => loadCheckpoint(config.kafka.groupId, ends, admin);
  const last = await patiently(systemClock, A_MOMENT, load, signal);
  const isUnfinished = last !== null && last.selection === fresh.selection && last.from < ALL_KEYS;
  const since = isUnfinished ? new Date(last.startedAtMs).toISOString() : "";
  if (isUnfinished && resume === true) {
    terminal.err(`Going on with pass ${last.id}, begun ${since}: what was edited since in Sell may need another.\n`);
    return { start: last, isResumed: true };
  }
  if (isUnfinished) terminal.err(`Pass ${last.id}, begun ${since}, was not finished; this one starts anew.\n`);
  if (resume === true) terminal.err("No unfinished pass over this selection is known; this one starts anew.\n");
  return { start: fresh, isResumed: false };
};

const openReplay = async ({ desk, config }: AtDesk, closing: AsyncDisposableStack): Promise<ResyncDeps["replay"]> => {
  const { findReplayTopic } = await import("../wiring/replay-topic.ts");
  const target = await findReplayTopic(config, desk.kafka.admin);
  if (target.status === "unusable") throw new ConnectorError("TOPIC_MISSING", target.why, { retriable: false });
  const producer = await desk.kafka.producer();
  closing.defer(() => producer.close());
  return { topic: target.topic, producer };
};

const keptMs = async ({ desk, config }: AtDesk): Promise<number | null> => {
  const { replayTopicOf } = await import("../dead-letter/letter.ts");
  const topic = replayTopicOf(config.deadLetter.topic);
  // A dry run needs no such topic.
  if (!(await desk.kafka.admin.partitionCounts([topic])).has(topic)) return null;
  const ms = Number(await desk.kafka.admin.topicSetting(topic, "retention.ms"));
  return ms > 0 ? ms : null; // -1: for ever
};

const readingOf = async ({ desk, config }: AtDesk): Promise<ResyncDeps["reading"]> => {
  const { compileIdentities } = await import("../map/mapper.ts");
  const { itemsPerCall } = await import("../plan/pace.ts");
  const { decoder, mapper } = desk.judging;
  return { decoder, mapper, identitiesOf: compileIdentities(config.routes), perCall: itemsPerCall(config) };
};

const keysOf = ({ key, keys: file }: Options): ReadonlySet<string> | null => {
  if (file === undefined) return key === undefined ? null : new Set(key);
  const lines = textOfFile(file)
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/);
  const keys = new Set([...(key ?? []), ...lines.map((line) => line.trim()).filter((line) => line !== "")]);
  if (keys.size > 0 && keys.size <= KEYS_IN_FILE_MAX) return keys;
  throw usageError(
    keys.size === 0
      ? `${file} has no keys; write one a line.`
      : `${file} has more than ${countText(KEYS_IN_FILE_MAX)} keys; take them in parts, or the whole topic.`,
  );
};

const EARLIEST = { text: "earliest", from: "earliest" } as const;

const fromOption = (text: string): NonNullable<Options["from"]> => {
  if (text === "earliest") return EARLIEST;
  if (/^\d{1,18}$/.test(text)) return { text, from: { offset: BigInt(text) } };
  try {
    return { text, from: { timestampMs: timeOption(text) } };
  } catch {
    throw new InvalidArgumentError(
      "It must be earliest, a date like 2026-11-26T08:00Z, or 90m, 24h, 7d, or an offset.",
    );
  }
};
