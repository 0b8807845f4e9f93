/** Where the status page, probes and metrics are served. */
import { z } from "zod";

export const adminConfig = z.strictObject({
  port: z.int().min(0).max(65_535).default(8080).meta({
    description: "Port of the status page (/), /livez, /readyz, /startupz and /metrics; 0 takes any free one.",
  }),
  host: z.string().min(1).default("0.0.0.0").meta({
    description: "Address to listen on. Nothing here can be changed by a request, and nothing shows a record.",
  }),
});

export type AdminConfig = z.infer<typeof adminConfig>;
