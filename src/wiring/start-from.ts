/** Where a topic is read from that the group has committed nothing of. */
import type { StartFrom } from "../commit/ownership.ts";
import type { Config } from "../config/spec.ts";

/** Routes of one topic agree in it: `validate` sees to that. */
export const startFromOf =
  ({ routes }: Pick<Config, "routes">) =>
  (topic: string): StartFrom => {
    const from = routes.find((route) => route.topic === topic)?.startFrom ?? "earliest";
    return from === "earliest" || from === "latest" ? from : { timestampMs: Date.parse(from) };
  };
