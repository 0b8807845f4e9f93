/** Asks again what may be answered later, a bounded number of times. */
import { isConnectorError } from "../domain/errors.ts";
import type { Clock } from "./clock.ts";

export interface Patience {
  readonly tries: number;
  /** Milliseconds before the next try, from the number of the one that failed. */
  readonly waitMs: (attempt: number) => number;
}

/** Some 10 s: a broker that has just started loads its groups first. */
export const A_MOMENT: Patience = { tries: 20, waitMs: () => 500 };

/** Rejects with the last error of `ask`, with any that is not retriable, or with `signal.reason`. */
export const patiently = async <T>(
  clock: Clock,
  { tries, waitMs }: Patience,
  ask: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      signal.throwIfAborted();
      if (!isConnectorError(error) || !error.retriable || attempt === tries) throw error;
      await clock.sleep(waitMs(attempt), signal);
    }
  }
};
