/** Waits for a running connector to end, by itself or because somebody asked for it. */
import { STOP_MAX_MS } from "../domain/times.ts";
import type { Clock } from "../lib/clock.ts";
import { EXIT } from "./exit.ts";

export interface Supervised {
  /** Resolves with the exit code once it has ended by itself or by `stop`. */
  readonly done: Promise<number>;
  stop(reason: string): Promise<void>;
}

/** Resolves with the exit code: the connector's own, or 1 when its stop takes too long; the next start settles the rest. */
export const supervise = async (connector: Supervised, clock: Clock, signal: AbortSignal): Promise<number> => {
  const asked = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => asked.resolve(), { once: true });
  if (signal.aborted) asked.resolve();
  const ended = await Promise.race([connector.done, asked.promise]);
  if (ended !== undefined) return ended;

  const timer = new AbortController();
  const late = clock.sleep(STOP_MAX_MS, timer.signal).catch(() => {});
  try {
    const stopped = connector.stop(String(signal.reason)).then(() => connector.done);
    return await Promise.race([stopped, late.then(() => EXIT.failed)]);
  } finally {
    timer.abort();
  }
};
