/** Sell refuses the credential or the right: nothing is wrong with the records, so everything waits until it is worth another try. */
import type { Target } from "./domain/stages.ts";
import type { Clock } from "./lib/clock.ts";

/** Permissions change on the other side unseen. */
const RETRY_MS = 60_000;

/** Resolves when the credential's file changed, and after a minute all the same. */
export const worthAnotherTry = async (target: Target, clock: Clock, signal: AbortSignal): Promise<void> => {
  const first = new AbortController();
  const either = AbortSignal.any([signal, first.signal]);
  const waits = [target.credentialChanged(either), clock.sleep(RETRY_MS, either)];
  await Promise.race(waits);
  first.abort();
  await Promise.allSettled(waits);
};
