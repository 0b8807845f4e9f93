/** `sell-sink quota`: how the quota stands, what Sell refused, and what to change. */
import { advise } from "../advice/advise.ts";
import { quotaFigures } from "../advice/figures.ts";
import { ConnectorError, isConnectorError } from "../domain/errors.ts";
import { askAdmin } from "../lib/ask-admin.ts";
import { systemClock } from "../lib/clock.ts";
import { type AskOptions, adminUrlOf, asking, askOptions } from "./ask-replica.ts";
import { withExamples } from "./examples.ts";
import { quotaAsText } from "./quota-print.ts";
import type { Register } from "./register.ts";
import { clearScreen, type Terminal } from "./terminal.ts";

const INTRO = `
It asks the running replica by its admin port: that of the configuration, else http://127.0.0.1:8080. The state of the
quota and the last refusals are those of all replicas, calls and batches those of the replica that is asked.
The advice names the line of the configuration to change and the numbers that say so. A limit is never raised by advice:
that is Zendesk's to do, and then one line under quota.windows.
`;

export const quotaCommand: Register = (program, terminal, done) => {
  const command = program.command("quota").description("how the quota stands, what Sell refused, and what to change");
  askOptions(command, {
    config: "configuration file (YAML), for its admin port",
    every: "with --watch: time between two looks, 1 to 3600",
  }).action(async (options: AskOptions) =>
    done(
      await asking(options, terminal, (config, signal) =>
        tell(options.admin ?? adminUrlOf(config), options, terminal, signal).catch(withNextStep),
      ),
    ),
  );
  withExamples(command, {
    intro: INTRO,
    examples: [
      ["sell-sink quota", "in the container of a replica"],
      ["sell-sink quota --config config.yaml", "the replica of this configuration"],
      ["sell-sink quota --admin http://10.0.3.7:8080 --watch"],
      ["sell-sink quota --json | jq '.advice[].sentence'"],
    ],
    exits: "0 told, 1 nobody could be asked, 2 wrong usage or configuration",
  });
};

/** One look, or looks without end. */
const tell = async (url: string, { every, watch, json }: AskOptions, terminal: Terminal, signal: AbortSignal) => {
  for (;;) {
    const figures = await askAdmin(url, PAGE, systemClock, signal);
    const advice = advise(figures);
    if (json) terminal.out(`${JSON.stringify({ ...figures, advice }, null, watch ? 0 : 2)}\n`);
    else {
      if (watch) clearScreen(terminal);
      terminal.out(quotaAsText(url, figures, advice, terminal));
    }
    if (!watch) return;
    await systemClock.sleep(every * 1_000, signal);
  }
};

const PAGE = { path: "/quota", schema: quotaFigures, tells: "the state of its quota" };

const withNextStep = (error: unknown): never => {
  if (!isConnectorError(error) || error.code !== "UNREACHABLE") throw error;
  const message = `${error.message} Start it with sell-sink run, or name its admin address with --admin.`;
  throw new ConnectorError("UNREACHABLE", message, { retriable: true, cause: error });
};
