/**
 * Notices a consumer that went silent without a crash, as kafkajs can. It counts looks instead of time, so that a process
 * that was itself suspended is not taken for a dead consumer when it wakes.
 */
import type { Clock } from "../lib/clock.ts";

const LOOKS = 8;

export interface Watchdog {
  /** Something happened: an event, a log line, a request. */
  alive(): void;
}

/**
 * `onSilence` runs once if `alive` was not called for `silenceMs()`, within an eighth of it. The second result ends, without
 * error, when `signal` is aborted or the silence was reported.
 */
export const startWatchdog = (
  clock: Clock,
  silenceMs: () => number,
  onSilence: () => void,
  signal: AbortSignal,
): Watchdog & { readonly done: Promise<void> } => {
  let quietLooks = 0;
  const watch = async (): Promise<void> => {
    while (quietLooks < LOOKS) {
      await clock.sleep(silenceMs() / LOOKS, signal);
      quietLooks++;
    }
    onSilence();
  };
  return {
    alive() {
      quietLooks = 0;
    },
    done: watch().catch((error: unknown) => {
      if (!signal.aborted) throw error;
    }),
  };
};
