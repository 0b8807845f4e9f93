/** `sell-sink validate`: is the configuration in order, and what does it come to? Online: do the services agree? */
import { stringify } from "yaml";
import { masked } from "../config/secrets.ts";
import type { Config } from "../config/spec.ts";
import { systemClock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import { readConfig } from "./config-file.ts";
import { withExamples } from "./examples.ts";
import { EXIT } from "./exit.ts";
import type { Register } from "./register.ts";
import { tellChecks } from "./tell-checks.ts";
import type { Terminal } from "./terminal.ts";
import { version } from "./version.ts";

interface Options {
  readonly config: string;
  readonly online?: true;
  readonly print?: true;
  readonly json?: true;
}

export const validateCommand: Register = (program, terminal, done) => {
  const command = program
    .command("validate")
    .description("check a configuration and say everything that is wrong with it")
    .requiredOption("-c, --config <file>", "configuration file (YAML)")
    .option("--online", "then ask Kafka, the registry, Redis and Sell, and compare some records with their route")
    .option("--print", "print the configuration in force, defaults filled in, secrets as ***")
    .option("--json", "print it as JSON; with --online the checks")
    .action(async (options: Options) => {
      const config = readConfig(options.config, terminal);
      if (config === null) return done(EXIT.usage);
      if (options.online && options.json) return done(await validateOnline(config, terminal, "json"));
      if (options.json) terminal.out(`${JSON.stringify(masked(config), null, 2)}\n`);
      else if (options.print) terminal.out(stringify(masked(config)));
      else
        terminal.out(
          `${options.config} is in order: ${config.routes.map(({ topic, entity }) => `${topic} -> ${entity}`).join(", ")}\n`,
        );
      done(options.online ? await validateOnline(config, terminal, "lines") : EXIT.done);
    });
  withExamples(command, {
    examples: [
      ["sell-sink validate -c config.yaml", "everything that is wrong, at once, with line numbers"],
      ["sell-sink validate -c config.yaml --print", "the configuration in force, secrets as ***"],
      ["sell-sink validate -c config.yaml --online", "whether services, records and account agree with it"],
    ],
    exits: "0 in order (warnings included), 1 a check of --online failed, 2 the configuration is wrong",
  });
};

const validateOnline = (config: Config, terminal: Terminal, form: "json" | "lines"): Promise<number> =>
  tellChecks(
    async () => {
      // Loaded only here: without --online nobody pays for the clients of Kafka, Redis and Sell.
      const { onlineChecks } = await import("./online-checks.ts");
      return onlineChecks(config, { clock: systemClock, random: systemRandom, version });
    },
    terminal,
    form,
  );
