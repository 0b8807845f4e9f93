/** A hard end for something that waits, by the injected clock. */
import type { Clock } from "../lib/clock.ts";

/** Why `run` was cut off when it was neither done nor called off from outside. */
export const DEADLINE = Symbol("deadline");

/**
 * Runs `run` with a signal that aborts after `timeoutMs` (reason `DEADLINE`) or together with `signal` (its reason).
 * `run` must end soon after. Leaves neither timer nor listener behind.
 */
export const withDeadline = async <T>(
  clock: Clock,
  timeoutMs: number,
  run: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> => {
  signal.throwIfAborted();
  const cut = new AbortController();
  const done = new AbortController();
  const pass = (): void => cut.abort(signal.reason);
  signal.addEventListener("abort", pass, { once: true });
  const timer = clock.sleep(timeoutMs, done.signal).then(
    () => cut.abort(DEADLINE),
    () => undefined,
  );
  try {
    return await run(cut.signal);
  } finally {
    done.abort("done");
    signal.removeEventListener("abort", pass);
    await timer;
  }
};
