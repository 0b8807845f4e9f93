/** Asks again what may be answered in a moment: a broker that has just started loads its groups first. */
import { isConnectorError } from "../domain/errors.ts";
import type { Clock } from "./clock.ts";

const TRIES = 20;
const RETRY_MS = 500;

/** For some 10 s. Rejects with the last error, or with one that is not retriable at once. */
export const patiently = async <T>(clock: Clock, ask: () => Promise<T>, signal: AbortSignal): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (!isConnectorError(error) || !error.retriable || attempt === TRIES) throw error;
      await clock.sleep(RETRY_MS, signal);
    }
  }
};
