/** What the advice on the quota goes by: one look at the gate, at what this process did, and at the settings in force. */
import { z } from "zod";
import type { GateState, Incident } from "../domain/stages.ts";

const windowUse = z.object({ limit: z.number(), perMs: z.number(), used: z.number() });

const incident: z.ZodType<Incident> = z.object({
  atMs: z.number(),
  hintMs: z.number().nullable(),
  source: z.string(),
  windows: z.array(windowUse),
  foreign: z.number().nullable(),
});

const gateState: z.ZodType<GateState> = z.object({
  mode: z.enum(["redis", "local", "closed"]),
  windows: z.array(windowUse),
  guardMs: z.number(),
  cooldownLeftMs: z.number(),
  cooldownTotalMs: z.number(),
  permitsPerSecond: z.number(),
  slotMs: z.number(),
  share: z.number(),
  announced: z.object({ remaining: z.number(), foreign: z.number(), resetsInMs: z.number().nullable() }).nullable(),
  replicas: z.number(),
  lostTurns: z.number(),
  incidents: z.array(incident),
});

/** Of this process since it started. */
const callFigures = z.object({
  /** Batches by the reason they left for: `count` full, `age` waited long enough, `retry` sent again. */
  batches: z.record(z.string(), z.number()),
  /** Records in them, and the changes these stood for. */
  items: z.number(),
  changes: z.number(),
  /** Permits that were used for a call, and those that were dropped. */
  permits: z.number(),
  unusedPermits: z.number(),
  /** Answers that the quota is used up. */
  throttled: z.number(),
  /** From the permit to the answer, at most: of half of the calls, and of 999 in a thousand. */
  answered: z.object({ halfMs: z.number(), nearlyAllMs: z.number() }).nullable(),
});

const quotaSettings = z.object({
  /** When they were changed while this process ran, milliseconds since 1970; 0: they were not. */
  sinceMs: z.number(),
  /** `limit` with the reserve. */
  windows: z.array(z.object({ limit: z.number(), perMs: z.number(), guardMs: z.number() })),
  reserve: z.number(),
  spacingMs: z.number(),
  catchUp: z.number(),
  burst: z.number(),
  afterMs: z.number(),
  /** The quota is shared through Redis. */
  shared: z.boolean(),
  maxItems: z.number(),
  /** What the dialect allows. */
  mostItems: z.number(),
  lingerMs: z.number(),
});

export const quotaFigures = z.object({
  groupId: z.string(),
  /** Milliseconds since 1970. */
  atMs: z.number(),
  /** A rejected credential or setting stops all requests. */
  halted: z.boolean(),
  /** Records not committed in the partitions of this process; null until it is known. */
  backlog: z.number().nullable(),
  gate: gateState,
  calls: callFigures,
  settings: quotaSettings,
});

export type QuotaFigures = z.infer<typeof quotaFigures>;
export type CallFigures = z.infer<typeof callFigures>;
export type QuotaSettings = z.infer<typeof quotaSettings>;
