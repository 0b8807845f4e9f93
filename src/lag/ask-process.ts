/** Asks a running replica, by its admin port, how far its partitions are. */
import { z } from "zod";
import { askAdmin } from "../lib/ask-admin.ts";
import type { Clock } from "../lib/clock.ts";
import type { PauseSnapshot } from "../telemetry/snapshot.ts";
import type { Sample } from "./sample.ts";

const answerSchema = z.object({
  groupId: z.string(),
  halted: z.boolean(),
  permitsPerSecond: z.number(),
  cooldownLeftS: z.number(),
  pauses: z.array(
    z.object({
      route: z.string(),
      topic: z.string(),
      who: z.string(),
      why: z.string(),
      sinceMs: z.number().nullable(),
    }),
  ),
  partitions: z.array(
    z.object({
      topic: z.string(),
      partition: z.int(),
      next: z.number().nullable(),
      end: z.number().nullable(),
      ageS: z.number().nullable(),
      paused: z.string().nullable(),
    }),
  ),
});

export interface ProcessSample extends Sample {
  readonly groupId: string;
  /** A rejected credential or setting stops all requests. */
  readonly halted: boolean;
  readonly permitsPerSecond: number;
  readonly cooldownLeftS: number;
  readonly pauses: readonly PauseSnapshot[];
}

/** `adminUrl` as `http://127.0.0.1:8080`. Rejects with ConnectorError `UNREACHABLE` when no replica of sell-sink answers there. */
export const askProcess = async (adminUrl: string, clock: Clock, signal: AbortSignal): Promise<ProcessSample> => {
  const { partitions: looks, ...rest } = await askAdmin(adminUrl, PAGE, clock, signal);
  return { atMs: clock.monotonicMs(), looks, ...rest };
};

const PAGE = { path: "/lag", schema: answerSchema, tells: "its lag" };
