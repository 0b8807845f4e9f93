/** `sell-sink sandbox`: the simulator of Zendesk Sell, to try a mapping without an account. */
import { type Command, InvalidArgumentError } from "commander";
import { systemClock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import { EXIT } from "./exit.ts";
import { stopSignals } from "./stop-signals.ts";
import type { Terminal } from "./terminal.ts";

const PORT = 8600;

export const sandboxCommand = (program: Command, terminal: Terminal, done: (code: number) => void): void => {
  program
    .command("sandbox")
    .description("serve a simulator of Zendesk Sell on 127.0.0.1 until Ctrl-C")
    .option("-p, --port <port>", "port to listen on, 0 for any free one", port, PORT)
    .action(async (options: { port: number }) => {
      using signals = stopSignals(process, (code) => process.exit(code));
      const { startSandbox } = await import("../sandbox/index.ts");
      const sandbox = await startSandbox({ port: options.port }, { clock: systemClock, random: systemRandom });
      terminal.out(`A simulator of Zendesk Sell listens at ${sandbox.url}; any token is accepted. Ctrl-C ends it.\n`);
      await aborted(signals.signal);
      await sandbox.close();
      done(EXIT.done);
    });
};

const port = (text: string): number => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 65_535) throw new InvalidArgumentError("It must be a number from 0 to 65535.");
  return value;
};

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
