/** Where records go that can never be delivered. */
import { z } from "zod";

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
});

export type DeadLetterConfig = z.infer<typeof deadLetterConfig>;
