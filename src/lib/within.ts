/** An end for work that may not hear of it: what is late goes on unobserved, and nobody waits for it. */
import type { Clock } from "./clock.ts";

/** Instead of a value: the time was over first. */
export const LATE = Symbol("late");

/** For work that nothing but its time calls off. */
export const NEVER: AbortSignal = new AbortController().signal;

/**
 * What `work` resolves or rejects with, or LATE after `ms`; its signal then aborts, for what can be called off. Rejects with
 * `signal.reason`. Leaves no timer behind.
 */
export const within = async <T>(
  clock: Clock,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T | typeof LATE> => {
  signal.throwIfAborted();
  const cut = new AbortController();
  const done = new AbortController();
  const late = clock.sleep(ms, AbortSignal.any([done.signal, signal])).then((): typeof LATE => LATE);
  try {
    return await Promise.race([work(AbortSignal.any([cut.signal, signal])), late]);
  } finally {
    cut.abort(LATE);
    done.abort(LATE);
    await late.catch(() => {});
  }
};
