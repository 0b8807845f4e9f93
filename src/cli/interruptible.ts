/** Commands that take a while and end with a result: Ctrl-C or SIGTERM calls them off. */
import { EXIT } from "./exit.ts";
import { stopSignals } from "./stop-signals.ts";
import type { Terminal } from "./terminal.ts";

/** The exit code of `work`, or that of a failure when it was called off; a second signal ends the process at once. */
export const interruptible = async (
  { err }: Pick<Terminal, "err">,
  work: (signal: AbortSignal) => Promise<number>,
): Promise<number> => {
  using signals = stopSignals(process, (code) => process.exit(code));
  const { signal } = signals;
  try {
    return await work(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    err("Interrupted.\n");
    return EXIT.failed;
  }
};
