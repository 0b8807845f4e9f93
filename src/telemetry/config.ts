/** How much is said on stdout. */
import { z } from "zod";

export const logConfig = z.strictObject({
  level: z.enum(["debug", "info", "warn", "error", "silent"]).default("info").meta({
    description:
      "Lowest level that is logged: info for start, stop and rebalance, warn when the connector recovers alone, error when a person must act.",
  }),
});

export type LogConfig = z.infer<typeof logConfig>;
