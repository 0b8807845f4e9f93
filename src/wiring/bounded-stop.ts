/** The way out after an error: orderly if it can be, but no part that hangs may keep the process, or the error, from ending. */
import { STOP_MAX_MS } from "../domain/times.ts";
import type { Clock } from "../lib/clock.ts";
import { NEVER, within } from "../lib/within.ts";

/** Resolves when `stop` has ended in whatever way, and after 10 s all the same. The error that led here is the one to tell. */
export const boundedStop = async (stop: () => Promise<void>, clock: Clock): Promise<void> => {
  await within(clock, STOP_MAX_MS, stop, NEVER).catch(() => {});
};
