/** `sell-sink run`: the connector, until a signal or until it cannot go on. */
import { rereadConfig } from "../config/reread.ts";
import { systemClock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import { createLogger } from "../telemetry/logger.ts";
import { createRegistry } from "../telemetry/metrics.ts";
import { observe } from "../telemetry/observe.ts";
import { readConfig } from "./config-file.ts";
import { withExamples } from "./examples.ts";
import { EXIT, failed } from "./exit.ts";
import type { Register } from "./register.ts";
import { stopSignals } from "./stop-signals.ts";
import { supervise } from "./supervise.ts";
import type { Terminal } from "./terminal.ts";
import { version } from "./version.ts";

export const runCommand: Register = (program, terminal, done) => {
  const command = program
    .command("run")
    .description("deliver changes from Kafka to Sell until SIGTERM or Ctrl-C")
    .requiredOption("-c, --config <file>", "configuration file (YAML)")
    .action(async (options: { config: string }) => done(await run(options.config, terminal)));
  withExamples(command, {
    intro: "Its log is JSON, one object a line, on stdout. A second signal ends it at once.",
    examples: [["sell-sink run -c config.yaml"], ["SELL_TOKEN=... sell-sink run -c config.yaml | jq -r .msg"]],
    exits: "0 stopped cleanly, 1 failed: start it again, 2 wrong usage or configuration: that would not help",
  });
};

const run = async (file: string, terminal: Terminal): Promise<number> => {
  const config = readConfig(file, terminal);
  if (config === null) return EXIT.usage;
  using signals = stopSignals(process, (code) => process.exit(code));
  const { signal } = signals;
  const logger = createLogger({ level: config.log.level, fields: { group: config.kafka.groupId } });
  const registry = createRegistry(config.kafka.groupId, version);
  const emit = observe({ logger, registry, secrets: terminal.secrets });
  // Loaded only here: no other command pays for the clients of Kafka, Redis and Sell.
  const { startConnector } = await import("../connector.ts");
  const reread = rereadConfig(file, terminal.env);
  const deps = { clock: systemClock, random: systemRandom, emit, registry, version, signal, reread };
  try {
    return await supervise(await startConnector(config, deps), systemClock, signal);
  } catch (error) {
    // A start that was called off before it had begun is a clean stop.
    return error === signal.reason ? EXIT.done : failed(error, terminal);
  }
};
