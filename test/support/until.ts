/** Waiting for something to be true, without guessing how long it takes. */
import { isConnectorError } from "../../src/domain/errors.ts";
import { systemClock } from "../../src/lib/clock.ts";

const POLL_MS = 10;
const LONGEST_MS = 90_000;

/** Asks until `condition` holds; throws, naming `what` was awaited, when it does not within 90 s. */
export const until = async (condition: () => boolean | Promise<boolean>, what: string): Promise<void> => {
  const deadline = systemClock.monotonicMs() + LONGEST_MS;
  while (!(await holds(condition))) {
    if (systemClock.monotonicMs() > deadline) throw new Error(`not within ${LONGEST_MS / 1_000} s: ${what}`);
    await systemClock.sleep(POLL_MS);
  }
};

/** A broker that still loads its groups answers a moment later: what may be tried again does not hold yet. */
const holds = async (condition: () => boolean | Promise<boolean>): Promise<boolean> => {
  try {
    return await condition();
  } catch (error) {
    if (isConnectorError(error) && error.retriable) return false;
    throw error;
  }
};

/**
 * A scenario proves something only under the circumstance it is about: a kill that met no call on the wire shows nothing,
 * and must not pass for a proof.
 */
export const guard = (isMet: boolean, circumstance: string): void => {
  if (!isMet) throw new Error(`inconclusive: ${circumstance}`);
};
