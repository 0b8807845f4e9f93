/** How a command shows its progress, on stderr: nothing beside JSON, in place on a terminal, few plain lines elsewhere. */
import { systemClock } from "../lib/clock.ts";
import type { Progress } from "../lib/progress.ts";
import type { Terminal } from "./terminal.ts";

export const progressOf = async (json: boolean, { err, hasColors }: Terminal): Promise<Progress> => {
  // Loaded only here: most commands are done at once.
  const { lineProgress, silentProgress, spinnerProgress } = await import("../lib/progress.ts");
  if (json) return silentProgress;
  const deps = { clock: systemClock, out: err };
  // In a terminal that does not know its size (0 columns) the spinner would clear lines for ever.
  return hasColors && process.stderr.isTTY && process.stderr.columns > 0
    ? spinnerProgress(deps, process.stderr)
    : lineProgress(deps);
};
