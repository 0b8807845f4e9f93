/** GET /quota: the state of the gate, what this process did with its calls, and the settings in force. No record, no token. */
import type { Registry } from "prom-client";
import type { QuotaFigures } from "../advice/figures.ts";
import { type QuotaConfig, quotaGuardMs, quotaWindows } from "../gate/config.ts";
import { callsOf } from "../telemetry/calls.ts";
import { backlogOf, type Snapshot } from "../telemetry/snapshot.ts";

export interface FiguresDeps {
  readonly groupId: string;
  readonly registry: Registry;
  readonly nowMs: number;
  /** In force, and since when; 0: since the start. */
  readonly quota: QuotaConfig;
  readonly sinceMs: number;
  readonly isShared: boolean;
  readonly maxItems: number;
  /** What the dialect allows. */
  readonly mostItems: number;
  readonly lingerMs: number;
}

export const quotaFiguresOf = async (
  { gate, halted, partitions }: Snapshot,
  { groupId, registry, nowMs, quota, sinceMs, isShared, maxItems, mostItems, lingerMs }: FiguresDeps,
): Promise<QuotaFigures> => {
  const { reserve, spacingMs, catchUp, burst, cooldown } = quota;
  const windows = quotaWindows(quota).map((window) => ({ ...window, guardMs: quotaGuardMs(quota, window) }));
  return {
    ...{ groupId, halted, gate, atMs: nowMs },
    backlog: backlogOf(partitions),
    calls: await callsOf(registry),
    settings: {
      ...{ windows, sinceMs, reserve, spacingMs, catchUp, burst, afterMs: cooldown.afterMs },
      ...{ shared: isShared, maxItems: Math.min(maxItems, mostItems), mostItems, lingerMs },
    },
  };
};
