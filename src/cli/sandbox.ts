/** `sell-sink sandbox`: the simulator of Zendesk Sell, to try a mapping without an account. */
import { InvalidArgumentError, Option } from "commander";
import { usageError } from "../domain/errors.ts";
import { systemClock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import type { SandboxOptions } from "../sandbox/config.ts";
import { withExamples } from "./examples.ts";
import { EXIT } from "./exit.ts";
import type { Register } from "./register.ts";
import { stopSignals } from "./stop-signals.ts";

const PORT = 8600;
const PROFILES = ["customer", "sell-documented", "none"] as const;

interface Options {
  readonly host: string;
  readonly port: number;
  readonly quota: (typeof PROFILES)[number];
  readonly bulk: boolean;
  readonly json?: true;
}

export const sandboxCommand: Register = (program, terminal, done) => {
  const command = program
    .command("sandbox")
    .description("serve a simulator of Zendesk Sell until Ctrl-C")
    .option("--host <address>", "address to listen on; 0.0.0.0 lets others in, for containers", "127.0.0.1")
    .option("-p, --port <port>", "port to listen on, 0 for any free one", portOf, PORT)
    .addOption(new Option("--quota <profile>", "limit it enforces").choices(PROFILES).default("customer"))
    .option("--no-bulk", "offer only what Zendesk documents: one record a request")
    .option("--json", "print its address as JSON")
    .action(async ({ host, port, quota, bulk, json }: Options) => {
      using signals = stopSignals(process, (code) => process.exit(code));
      const sandbox = await start({ host, port, rate: { profile: quota }, settings: { bulk } });
      const sentence = `A simulator of Zendesk Sell listens at ${sandbox.url}; any token is accepted. Ctrl-C ends it.`;
      terminal.out(json ? `${JSON.stringify({ url: sandbox.url })}\n` : `${sentence}\n`);
      await aborted(signals.signal);
      await sandbox.close();
      done(EXIT.done);
    });
  withExamples(command, {
    examples: [
      ["sell-sink sandbox", `at http://127.0.0.1:${PORT}, as sell.baseUrl`],
      ["sell-sink sandbox --host 0.0.0.0 --no-bulk", "in a container, as Zendesk documents Sell"],
      ["sell-sink sandbox --port 0 --json | jq -r .url"],
    ],
    exits: "0 ended by Ctrl-C, 1 failed, 2 wrong usage, or the port is taken",
  });
};

const start = async (options: SandboxOptions) => {
  const { startSandbox } = await import("../sandbox/index.ts");
  try {
    return await startSandbox(options, { clock: systemClock, random: systemRandom });
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE")) throw cause;
    const message = `Port ${options.port} is taken by another process; choose another one with --port.`;
    throw usageError(message, cause);
  }
};

const portOf = (text: string): number => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 65_535) throw new InvalidArgumentError("It must be a number from 0 to 65535.");
  return value;
};

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
