/** How changes are gathered into batches, and how many may wait in memory. */
import { z } from "zod";

export const batchConfig = z.strictObject({
  maxItems: z.int().min(1).max(50).default(50).meta({
    description: "Most records in one bulk request; Sell's bulk dialect takes 50. The core dialect always sends one.",
  }),
  lingerMs: z.int().min(0).max(60_000).default(1_000).meta({
    description: "How long a change may wait for others to share its request, in milliseconds.",
  }),
  maxInFlight: z.int().min(1).max(64).optional().meta({
    description:
      "Requests on the wire at once. Default 4 in the bulk dialect, 8 in core; more does not raise the quota.",
  }),
});

export const windowConfig = z.strictObject({
  maxRecords: z.int().min(100).max(1_000_000).default(20_000).meta({
    description:
      "Most records held in memory, whatever their state; each partition has a guaranteed share of half of it.",
  }),
  maxBytes: z.int().min(1_048_576).default(67_108_864).meta({
    description: "Most bytes of raw records held in memory.",
  }),
  maxSpan: z.int().min(100).max(20_000).default(20_000).meta({
    description:
      "Most offsets between a partition's committed position and its newest record; beyond it the partition pauses.",
  }),
  parkTimeoutMs: z.int().min(1_000).default(900_000).meta({
    description:
      "How long a record waits for the record it refers to, counted only while Sell accepts and once the topics of that record are worked off as far as they went when it came; then it is a dead letter `unresolved-reference`.",
  }),
});

export type BatchConfig = z.infer<typeof batchConfig>;
export type WindowConfig = z.infer<typeof windowConfig>;
