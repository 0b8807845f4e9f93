/** `sell-sink validate`: is the configuration in order, and what does it come to? */
import { stringify } from "yaml";
import { masked } from "../config/secrets.ts";
import { readConfig } from "./config-file.ts";
import { EXIT } from "./exit.ts";
import type { Register } from "./register.ts";

export const validateCommand: Register = (program, terminal, done) => {
  program
    .command("validate")
    .description("check a configuration and say everything that is wrong with it")
    .requiredOption("-c, --config <file>", "configuration file (YAML)")
    .option("--print", "print the configuration in force, defaults filled in, secrets as ***")
    .option("--json", "print it as JSON")
    .action((options: { config: string; print?: true; json?: true }) => {
      const config = readConfig(options.config, terminal);
      if (config === null) return done(EXIT.usage);
      if (options.json) terminal.out(`${JSON.stringify(masked(config), null, 2)}\n`);
      else if (options.print) terminal.out(stringify(masked(config)));
      else
        terminal.out(
          `${options.config} is in order: ${config.routes.map(({ topic, entity }) => `${topic} -> ${entity}`).join(", ")}\n`,
        );
      done(EXIT.done);
    });
};
