/** Asking again where the answer can be hoped for: a bounded number of times, since a person waits. */
import { isConnectorError } from "../domain/errors.ts";
import { backoffMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";

export interface PatienceDeps {
  readonly clock: Clock;
  readonly random: () => number;
}

/** With waits up to 2, 4, 8 ... 60 s between them: some minutes in all. */
export const TRIES = 8;

/** Rejects with the last error of `question`, with any that is not retriable, or with `signal.reason`. */
export const patiently = async <T>(
  question: () => Promise<T>,
  { clock, random }: PatienceDeps,
  signal: AbortSignal,
): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await question();
    } catch (error) {
      signal.throwIfAborted();
      if (!isConnectorError(error) || !error.retriable || attempt === TRIES) throw error;
      await clock.sleep(backoffMs(attempt, random, { floorMs: 500 }), signal);
    }
  }
};
