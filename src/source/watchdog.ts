/**
 * Notices a consumer that went silent without a crash, as kafkajs can, while the broker does answer: one that is away makes
 * every consumer silent, and no restart of ours repairs that. It counts looks instead of time, so that a process
 * that was itself suspended is not taken for a dead consumer when it wakes.
 */
import type { Clock } from "../lib/clock.ts";

const LOOKS = 8;

export interface Watchdog {
  /** Something happened: an event, a log line, a request. */
  alive(): void;
}

export interface WatchdogDeps {
  readonly clock: Clock;
  readonly silenceMs: () => number;
  /** Whether the broker answers somebody else; bounded, and never rejects. */
  readonly brokerAnswers: () => Promise<boolean>;
  readonly onSilence: () => void;
}

/**
 * `onSilence` runs once if `alive` was not called for `silenceMs()`, within an eighth of it, and the broker answers. `done`
 * ends, without error, when `signal` is aborted or the silence was reported.
 */
export const startWatchdog = (
  { clock, silenceMs, brokerAnswers, onSilence }: WatchdogDeps,
  signal: AbortSignal,
): Watchdog & { readonly done: Promise<void> } => {
  let quietLooks = 0;
  const watch = async (): Promise<void> => {
    while (quietLooks < LOOKS) {
      await clock.sleep(silenceMs() / LOOKS, signal);
      quietLooks++;
      if (quietLooks >= LOOKS && !(await brokerAnswers())) quietLooks = 0;
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
