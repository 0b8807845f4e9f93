/** What commands share that ask a running replica: whom they ask, how often, and until when. */
import { type Command, InvalidArgumentError } from "commander";
import type { Config } from "../config/spec.ts";
import { usageError } from "../domain/errors.ts";
import { readConfig } from "./config-file.ts";
import { EXIT } from "./exit.ts";
import { interrupted } from "./interruptible.ts";
import { stopSignals } from "./stop-signals.ts";
import type { Terminal } from "./terminal.ts";

export interface AskOptions {
  readonly admin?: string;
  readonly config?: string;
  readonly every: number;
  readonly watch?: true;
  readonly json?: true;
}

/** `config` and `every`: the help of these two options. */
export const askOptions = (command: Command, { config, every }: { config: string; every: string }): Command =>
  command
    .option("-a, --admin <url>", "admin address of the replica to ask", url)
    .option("-c, --config <file>", config)
    .option("--every <seconds>", every, seconds, 3)
    .option("-w, --watch", "go on until Ctrl-C")
    .option("--json", "print JSON; with --watch one object a line");

/** The exit code: being called off is the end of a watch, and of anything else an interruption. `config` null: none was named. */
export const asking = async (
  { config: file, watch }: AskOptions,
  terminal: Terminal,
  tell: (config: Config | null, signal: AbortSignal) => Promise<void>,
): Promise<number> => {
  const config = file === undefined ? null : readConfig(file, terminal);
  if (config === null && file !== undefined) return EXIT.usage;
  using signals = stopSignals(process, (code) => process.exit(code));
  const { signal } = signals;
  try {
    await tell(config, signal);
    return EXIT.done;
  } catch (error) {
    if (!signal.aborted) throw error;
    return watch ? EXIT.done : interrupted(signal, terminal);
  }
};

const LOCAL = "http://127.0.0.1:8080";

/** Of the configuration, seen from the same machine; null: the usual one. */
export const adminUrlOf = (config: Pick<Config, "admin"> | null): string => {
  if (config === null) return LOCAL;
  const { host, port } = config.admin;
  const name = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
};

const url = (text: string): string => {
  // Not as an InvalidArgumentError, whose sentence repeats the value.
  if (text.includes("@")) throw usageError("--admin takes no user and password: the admin port has no login.");
  const protocol = URL.parse(text)?.protocol;
  if (protocol === "http:" || protocol === "https:") return text;
  throw new InvalidArgumentError("It must be an address like http://127.0.0.1:8080.");
};

const seconds = (text: string): number => {
  const number = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= 3_600) return number;
  throw new InvalidArgumentError("It must be a whole number from 1 to 3600.");
};
