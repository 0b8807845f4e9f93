/** `sell-sink validate`: is the configuration in order, and what does it come to? Online: do the services agree? */
import { stringify } from "yaml";
import { masked } from "../config/secrets.ts";
import type { Config } from "../config/spec.ts";
import { systemClock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import type { Result, Status } from "../online/check.ts";
import { printable, scrubbed } from "../telemetry/text.ts";
import { readConfig } from "./config-file.ts";
import { EXIT } from "./exit.ts";
import type { Register } from "./register.ts";
import { stopSignals } from "./stop-signals.ts";
import { styled, type Terminal } from "./terminal.ts";
import { version } from "./version.ts";

interface Options {
  readonly config: string;
  readonly online?: true;
  readonly print?: true;
  readonly json?: true;
}

const EXIT_CODES = `
Exit codes: 0 in order (warnings included), 1 a check of --online failed, 2 the configuration is wrong.
`;

export const validateCommand: Register = (program, terminal, done) => {
  program
    .command("validate")
    .description("check a configuration and say everything that is wrong with it")
    .requiredOption("-c, --config <file>", "configuration file (YAML)")
    .option("--online", "then ask Kafka, the registry, Redis and Sell, and compare some records with their route")
    .option("--print", "print the configuration in force, defaults filled in, secrets as ***")
    .option("--json", "print it as JSON; with --online the checks")
    .addHelpText("after", EXIT_CODES)
    .action(async (options: Options) => {
      const config = readConfig(options.config, terminal);
      if (config === null) return done(EXIT.usage);
      if (options.online && options.json) return done(await validateOnline(config, terminal, asJson(terminal)));
      if (options.json) terminal.out(`${JSON.stringify(masked(config), null, 2)}\n`);
      else if (options.print) terminal.out(stringify(masked(config)));
      else
        terminal.out(
          `${options.config} is in order: ${config.routes.map(({ topic, entity }) => `${topic} -> ${entity}`).join(", ")}\n`,
        );
      done(options.online ? await validateOnline(config, terminal, asLines(terminal)) : EXIT.done);
    });
};

interface Report {
  add(result: Result): void;
  end(): void;
}

/** What the services answer may hold anything, so each sentence is made printable and rid of secrets. */
const validateOnline = async (config: Config, terminal: Terminal, report: Report): Promise<number> => {
  using signals = stopSignals(process, (code) => process.exit(code));
  // Loaded only here: without --online nobody pays for the clients of Kafka, Redis and Sell.
  const { onlineChecks } = await import("./online-checks.ts");
  const { runChecks } = await import("../online/check.ts");
  const clean = (text: string): string => scrubbed(printable(text), terminal.secrets);
  let code: number = EXIT.done;
  await using online = onlineChecks(config, { clock: systemClock, random: systemRandom, version });
  try {
    for await (const { sentence, next, ...result } of runChecks(online.checks, systemClock, signals.signal)) {
      report.add({ ...result, sentence: clean(sentence), next: next === null ? null : clean(next) });
      if (result.status === "failed") code = EXIT.failed;
    }
  } catch (error) {
    if (!signals.signal.aborted) throw error;
    terminal.err("Interrupted.\n");
    return EXIT.failed;
  }
  report.end();
  return code;
};

const asJson = ({ out }: Terminal): Report => {
  const results: Result[] = [];
  return { add: (result) => void results.push(result), end: () => out(`${JSON.stringify(results, null, 2)}\n`) };
};

const STYLES = { ok: "green", warning: "yellow", failed: "red" } as const;

const asLines = (terminal: Terminal): Report => {
  const counts: Record<Status, number> = { ok: 0, warning: 0, failed: 0 };
  return {
    add({ name, status, sentence, next }) {
      counts[status] += 1;
      terminal.out(`${styled(terminal, STYLES[status], status.padEnd("warning".length))}  ${name}: ${sentence}\n`);
      if (next !== null) terminal.out(`         next: ${next}\n`);
    },
    end: () => terminal.out(`${counts.ok} ok, ${counts.warning} warnings, ${counts.failed} failed\n`),
  };
};
