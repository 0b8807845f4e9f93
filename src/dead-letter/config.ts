/** Where records go that can never be delivered. */
import { z } from "zod";

const massFailure = z.strictObject({
  outOf: z.int().min(10).max(10_000).default(100).meta({
    description: "How many of the last records of a topic are looked back on, in each replica.",
  }),
  moreThan: z.int().min(1).max(10_000).default(50).meta({
    description:
      "How many of them may become dead letters. One more, and the topic stops until the process is restarted: then the mapping is wrong, not the records. As many as outOf: it never stops.",
  }),
});

export const deadLetterConfig = z.strictObject({
  topic: z
    .string()
    .min(1)
    .max(249)
    .regex(/^[A-Za-z0-9._-]+$/)
    .meta({
      description:
        "Kafka topic for dead letters: key, value and headers intact, the reason in the header x-sink.reason. It must exist.",
    }),
  massFailure: massFailure
    .prefault({})
    .meta({ description: "When so many records fail that the topic stops instead of filling the dead letters." }),
});

export type DeadLetterConfig = z.infer<typeof deadLetterConfig>;
