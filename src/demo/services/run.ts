/** Short-lived commands: to their end, or a sentence with their last words. */
import { type ChildProcess, execFile } from "node:child_process";
import { once } from "node:events";
import { promisify, stripVTControlCharacters } from "node:util";
import { ConnectorError } from "../../domain/errors.ts";

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<NodeJS.ProcessEnv>;
  /** 0 sets no bound. */
  readonly timeoutMs?: number;
}

const OUTPUT_BYTES_MAX = 4 * 1024 * 1024;
const LAST_LINES = 5;
const ERROR_LINES = 3; // what follows is a stack, or advice to run Maven differently

/** What `command` printed (stdout, then stderr). Throws COMMAND_FAILED, or the signal's reason when aborted. */
export const run = async (
  command: string,
  args: readonly string[],
  { cwd, env, timeoutMs = 0 }: RunOptions,
  signal: AbortSignal,
): Promise<string> => {
  signal.throwIfAborted();
  const running = promisify(execFile)(command, [...args], {
    cwd,
    env,
    signal,
    timeout: timeoutMs,
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  try {
    const { stdout, stderr } = await running;
    return stdout + stderr;
  } catch (cause) {
    await gone(running.child);
    signal.throwIfAborted();
    const line = [command, ...args].join(" ");
    throw new ConnectorError("COMMAND_FAILED", `"${line}" failed. ${lastWords(outputOf(cause))}`, {
      retriable: false,
      cause,
    });
  }
};

/** execFile rejects when it sends its signal; the command may write a little longer. */
const gone = async (child: ChildProcess): Promise<void> => {
  const isRunning = child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  if (isRunning) await once(child, "exit");
};

/** What a log says about a failure, fit for an error sentence: from its first error on, else its last lines. */
export const lastWords = (log: string): string => {
  const lines = stripVTControlCharacters(log)
    .split("\n")
    .filter((line) => line.trim() !== "");
  const first = lines.findIndex((line) => /\berror\b/i.test(line));
  const told = first < 0 ? lines.slice(-LAST_LINES) : lines.slice(first, first + ERROR_LINES);
  return told.length === 0 ? "It printed nothing." : `It said:\n  ${told.join("\n  ")}`;
};

const outputOf = (cause: unknown): string => {
  if (!(cause instanceof Error)) return String(cause);
  const { stdout, stderr } = cause as { stdout?: string; stderr?: string };
  return `${stdout ?? ""}${stderr ?? ""}` || cause.message;
};
