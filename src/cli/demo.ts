/** `sell-sink demo`: the whole way from an ERP to Sell on this machine, measured and compared. */
import { InvalidArgumentError, Option } from "commander";
import { CHANGES_MAX, CHANGES_MIN, type DemoOptions, QUOTA, REPLICAS_MAX } from "../demo/options.ts";
import type { Demo } from "../demo/run.ts";
import { systemClock } from "../lib/clock.ts";
import { withExamples } from "./examples.ts";
import { EXIT } from "./exit.ts";
import { interrupted } from "./interruptible.ts";
import { progressOf } from "./progress.ts";
import type { Register } from "./register.ts";
import { stopSignals } from "./stop-signals.ts";
import { styled, type Terminal } from "./terminal.ts";

interface Options extends Pick<DemoOptions, "replicas" | "dialect" | "format"> {
  readonly changes?: number;
  readonly debezium?: boolean;
  readonly penalty?: boolean;
  readonly foreign?: boolean;
  readonly keep?: boolean;
  readonly json?: boolean;
}

const DEFAULT_CHANGES = { bulk: 2_000, core: 300 } as const;

export const demoCommand: Register = (program, terminal, done) => {
  const command = program
    .command("demo")
    .description("show it at work, from an ERP to a simulator of Sell, on services it finds or starts itself")
    .option("--changes <n>", "changes in the ERP (default: 2000, core dialect 300)", whole(CHANGES_MIN, CHANGES_MAX))
    .option("--replicas <n>", "connectors that share the work and the quota", whole(1, REPLICAS_MAX), 1)
    .addOption(new Option("--dialect <dialect>", "what Sell offers").choices(["bulk", "core"]).default("bulk"))
    .addOption(new Option("--format <format>", "how the topics are written").choices(["avro", "json"]).default("avro"))
    .option("--debezium", "make the changes by SQL in a PostgreSQL, and let a real Debezium write them to Kafka")
    .option("--penalty", "let Sell answer 429 once, with a wait of 20 s")
    .option("--foreign", "let another integration take a part of the quota")
    .option("--keep", "leave everything running until Ctrl-C, and say where")
    .option("--json", "print only the result, as JSON")
    .action(
      async ({ keep = false, json = false, debezium = false, penalty = false, foreign = false, ...given }: Options) => {
        const options = {
          ...given,
          debezium,
          penalty,
          foreign,
          changes: given.changes ?? DEFAULT_CHANGES[given.dialect],
        };
        done(await demo(options, keep, json, terminal));
      },
    );
  withExamples(command, {
    examples: [
      ["sell-sink demo", "2,000 changes, then both sides are compared"],
      ["sell-sink demo --replicas 3 --penalty", "three connectors, and a wait that Sell asks for"],
      ["sell-sink demo --dialect core --json | jq .ok"],
    ],
    exits: "0 both sides agree, 1 they do not, or it failed, 2 wrong usage",
  });
};

const demo = async (options: DemoOptions, keep: boolean, json: boolean, terminal: Terminal): Promise<number> => {
  const { runDemo } = await import("../demo/run.ts");
  const { problemsOf } = await import("../demo/verdict.ts");
  const { report } = await import("../demo/report.ts");
  using signals = stopSignals(process, (code) => process.exit(code));
  const { signal } = signals;
  // What it does is what there is to see.
  const progress = await progressOf(json, { ...terminal, err: terminal.out });
  if (!json) terminal.out(`${introduction(options, terminal)}\n\n`);
  try {
    await using running = await runDemo(options, keep, { clock: systemClock, env: terminal.env, progress, signal });
    const problems = problemsOf(running.result);
    if (json) terminal.out(`${JSON.stringify({ ok: problems.length === 0, problems, ...running.result })}\n`);
    else terminal.out(`\n${report(running.result, (style, text) => styled(terminal, style, text))}`);
    if (problems.length > 0) {
      running.keepFolder();
      terminal.err(`The connectors' configurations and logs: ${running.folder}\n`);
    }
    if (keep) {
      if (!json) terminal.out(`\n${addresses(running)}\n`);
      await aborted(signal);
    }
    return problems.length === 0 ? EXIT.done : EXIT.failed;
  } catch (error) {
    if (!signal.aborted) throw error;
    return interrupted(signal, terminal, "Interrupted; nothing is left running.");
  }
};

const FORMAT_NAMES = { avro: "Avro", json: "JSON" } as const;

const introduction = ({ changes, format, debezium }: DemoOptions, terminal: Terminal): string =>
  `${styled(terminal, "bold", "sell-sink demo")}: ${changes.toLocaleString("en-US")} changes of an ERP go ${debezium ? "from PostgreSQL by Debezium " : ""}through Kafka (${debezium ? "" : "Debezium's "}${FORMAT_NAMES[format]}) into a simulator of\n` +
  `Zendesk Sell that allows ${QUOTA.limit} calls in ${QUOTA.perMs / 1_000} s: its 200 a minute, ten times faster. Then both sides are compared.`;

const addresses = ({ surroundings, replicas, folder }: Demo): string =>
  [
    "Everything is still running; Ctrl-C ends it.",
    `  Sell       ${surroundings.sellUrl}/__sandbox`,
    `  Kafka      ${surroundings.kafka}, group ${surroundings.groupId}, topic ${surroundings.topicOf("orders")} and others`,
    ...(surroundings.registry === null ? [] : [`  Registry   ${surroundings.registry}`]),
    `  Redis      ${surroundings.redis}`,
    ...replicas.map(({ adminUrl }, i) => `  Connector  ${adminUrl}/ (status page of replica ${i + 1}; /metrics)`),
    `  Configurations and logs in ${folder}`,
  ].join("\n");

const whole =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
