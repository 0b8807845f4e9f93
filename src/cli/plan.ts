/** `sell-sink plan`: what the backlog would cost, before anything is sent. */
import type { Config } from "../config/spec.ts";
import { systemClock } from "../lib/clock.ts";
import { countText, durationText, rateText } from "../lib/numbers.ts";
import { systemRandom } from "../lib/random.ts";
import type { Result } from "../online/check.ts";
import type { Plan } from "../plan/plan.ts";
import type { KafkaConnection } from "../source/connect-kafka.ts";
import { atDesk } from "./at-desk.ts";
import { withExamples } from "./examples.ts";
import { EXIT } from "./exit.ts";
import type { Register } from "./register.ts";
import { tableText } from "./table.ts";
import { findingLines } from "./tell-checks.ts";
import { clean, styled, type Terminal } from "./terminal.ts";
import { version } from "./version.ts";

interface Options {
  readonly config: string;
  readonly json?: true;
}

const INTRO = `
It reads everything the group has not committed, without joining it, and counts what the connector would do: changes,
what is left of them after compaction within a window of memory, what Sell holds already as far as Redis remembers it,
and the calls and time of the rest at the configured quota. Nothing is sent or committed. Steps that depend on an answer
(retries, tags people share) are not in it; a record that Redis does not know counts as a creation. Of a topic that the
group has never read, Sell is asked by key for 20 sampled records of each route, inside the quota: what it knows already,
a first run does not create.
`;

const PROGRESS_EVERY_MS = 2_000;

export const planCommand: Register = (program, terminal, done) => {
  const command = program
    .command("plan")
    .description("dry run over the backlog: changes, calls, time to drain; sends nothing")
    .requiredOption("-c, --config <file>", "configuration file (YAML)")
    .option("--json", "print one JSON object")
    .action(async (options: Options) => done(await plan(options, terminal)));
  withExamples(command, {
    intro: INTRO,
    examples: [["sell-sink plan -c config.yaml"], ["sell-sink plan -c config.yaml --json | jq .drainedS"]],
    exits: "0 planned, 1 failed, 2 wrong usage or configuration",
  });
};

const plan = ({ config: file, json }: Options, terminal: Terminal): Promise<number> =>
  atDesk(file, terminal, async ({ desk, config, signal }) => {
    const { planBacklog } = await import("../plan/plan.ts");
    const { startFromOf } = await import("../wiring/start-from.ts");
    const { decoder, mapper, store } = desk.judging;
    const deps = { kafka: desk.kafka, decoder, mapper, store, startFrom: startFromOf(config), clock: systemClock };
    const planned = await planBacklog(config, { ...deps, progress: progress(terminal) }, signal);
    const keys = await firstRunKeys(config, desk.kafka, terminal, signal);
    terminal.out(json ? `${JSON.stringify({ ...planned, keys }, null, 2)}\n` : planAsText(planned, keys, terminal));
    return EXIT.done;
  });

const firstRunKeys = async (
  config: Config,
  kafka: KafkaConnection,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<readonly Result[]> => {
  const { firstRunFindings } = await import("../plan/first-run.ts");
  const { onlineChecks } = await import("./online-checks.ts");
  await using online = onlineChecks(config, { clock: systemClock, random: systemRandom, version });
  const found = await firstRunFindings(config, kafka, online.checks, systemClock, signal);
  return found.map((result) => ({ ...result, sentence: clean(terminal, result.sentence) }));
};

const progress = ({ err }: Terminal): ((read: number, total: number) => void) => {
  let toldMs = systemClock.monotonicMs();
  return (read, total) => {
    if (systemClock.monotonicMs() - toldMs < PROGRESS_EVERY_MS) return;
    toldMs = systemClock.monotonicMs();
    err(`  … ${countText(read)} of ${countText(total)} read\n`);
  };
};

const planAsText = (planned: Plan, keys: readonly Result[], terminal: Terminal): string => {
  const { records, changes, skipped, deadLetters, lanes, arrivedPerS, arrivalShare } = planned;
  const { live, backfill } = lanes;
  const row = (name: string, of: keyof typeof live): readonly string[] => [
    styled(terminal, "bold", name),
    ...[live[of], backfill[of], live[of] + backfill[of]].map(countText),
  ];
  const rows = [
    row("After compaction", "writes"),
    row("Need no write", "unneeded"),
    row("Creations", "creations"),
    row("Updates", "updates"),
    row("Deletions", "deletions"),
    row("Calls", "calls"),
  ];
  const table = tableText({ head: ["", "Live", "Backfill", "All"], rows, aligned: ALIGNED }, terminal);
  const lines = [
    `${countText(records)} records wait, with ${countText(changes)} changes; ${reasons("skipped", skipped)}, ${reasons("dead letters", deadLetters)}.`,
    table,
    `${rateText(arrivedPerS)} arrived in the last hour, which would take ${Math.round(arrivalShare * 100)} % of the quota.`,
    `${backfill.calls === 0 ? "All" : `Live changes catch up ${when(planned.liveCaughtUpS)}; all`} is drained ${when(planned.drainedS)}.`,
    ...(planned.isUpperBound ? ["More records would be new than are kept in mind: creations are an upper bound."] : []),
  ];
  return `${lines.join("\n")}\n${keys.map((key) => findingLines(key, terminal)).join("")}`;
};

const ALIGNED = ["left", "right", "right", "right"] as const;

const reasons = (what: string, counts: Readonly<Record<string, number>>): string => {
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const each = Object.entries(counts).map(([reason, count]) => `${reason} ${countText(count)}`);
  return `${countText(all)} ${what}${each.length === 0 ? "" : ` (${each.join(", ")})`}`;
};

const when = (seconds: number | null): string => {
  if (seconds === null) return "never at this rate";
  const at = new Date(systemClock.now() + seconds * 1_000).toISOString().slice(0, 16);
  return `in ${durationText(seconds)}, at ${at}Z`;
};
