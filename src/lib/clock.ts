/** The only place that knows the time. Everything else asks a Clock, so that tests can turn its hands. */

export interface Clock {
  /** Wall clock, milliseconds since 1970: for time stamps only. */
  now(): number;
  /** Monotonic milliseconds, for every wait, lease and age within this process. */
  monotonicMs(): number;
  /** Resolves after `ms` (negative or NaN: at once; longer than 24 days: in chunks); rejects with `signal.reason` when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

const CHUNK_MS = 2 ** 31 - 1; // setTimeout fires after 1 ms beyond this

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  async sleep(ms, signal) {
    const until = performance.now() + (ms > 0 ? ms : 0);
    do {
      await once(Math.min(Math.max(until - performance.now(), 0), CHUNK_MS), signal);
    } while (performance.now() < until - 1);
  },
};

const once = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
