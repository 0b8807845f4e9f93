/** A changed limit needs no restart: the quota section of the configuration file is taken up while the connector runs. */
import { problemLines } from "../config/problem.ts";
import type { Reread } from "../config/reread.ts";
import type { QuotaConfig } from "../gate/config.ts";
import type { Clock } from "../lib/clock.ts";
import type { Emit } from "../telemetry/events.ts";

export interface QuotaWatchDeps {
  readonly clock: Clock;
  readonly emit: Emit;
}

const EVERY_MS = 2_000;

/** Until `signal` is aborted. A file that is refused is said once, and the limits stay as they were. */
export const watchQuota = async (
  quota: QuotaConfig,
  reread: Reread,
  adjust: (quota: QuotaConfig) => void,
  { clock, emit }: QuotaWatchDeps,
  signal: AbortSignal,
): Promise<void> => {
  let current = JSON.stringify(quota);
  while (!signal.aborted) {
    const loaded = reread();
    if (loaded?.status === "refused") emit("config-refused", { cause: problemLines(loaded.problems)[0] ?? "" });
    if (loaded?.status === "ok" && JSON.stringify(loaded.config.quota) !== current) {
      current = JSON.stringify(loaded.config.quota);
      adjust(loaded.config.quota);
    }
    await clock.sleep(EVERY_MS, signal).catch(() => {});
  }
};
