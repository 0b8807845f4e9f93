/** How long calls take at the configured quota. Pure. */
import type { Config } from "../config/spec.ts";
import { quotaOf } from "../gate/quota.ts";

/** Records of one call at best. `auto` is taken for bulk, whose endpoint only a call could find. */
export const itemsPerCall = ({ sell, batch }: Pick<Config, "sell" | "batch">): number =>
  sell.dialect === "core" ? 1 : batch.maxItems;

/** Milliseconds for so many calls at the even pace of the quota; 0 without one. */
export const callsMs = ({ quota }: Pick<Config, "quota">, calls: number): number => calls * quotaOf(quota).slotMs;
