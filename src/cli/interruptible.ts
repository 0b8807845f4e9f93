/** Commands that take a while and end with a result: Ctrl-C or SIGTERM calls them off. */
import { exitOf } from "./exit.ts";
import { stopSignals } from "./stop-signals.ts";
import type { Terminal } from "./terminal.ts";

/** The exit code of `work`, or of the signal that called it off; a second signal ends the process at once. */
export const interruptible = async (
  terminal: Pick<Terminal, "err" | "failures">,
  work: (signal: AbortSignal) => Promise<number>,
): Promise<number> => {
  using signals = stopSignals(process, (code) => process.exit(code));
  const { signal } = signals;
  try {
    return await work(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    return interrupted(signal, terminal);
  }
};

/** Says so, and gives the exit code. */
export const interrupted = (
  { reason }: AbortSignal,
  { err, failures }: Pick<Terminal, "err" | "failures">,
  sentence = "Interrupted.",
): number => {
  // Whoever closed the pipe has seen enough.
  if (reason !== "SIGPIPE") err(`${sentence}\n`);
  failures.push({ code: "INTERRUPTED", message: `Interrupted by ${String(reason)}.` });
  return exitOf(reason);
};
