/** What stands still by a person's word, or for want of it. */
import type { Config } from "../config/spec.ts";
import { redisBoard } from "../control/board.ts";
import type { ControlledRoute } from "../control/controls.ts";
import { type Standing, standingOf } from "../control/standing.ts";
import type { RedisConnection } from "../lib/redis.ts";
import { type Check, type Finding, ok, warning } from "../online/check.ts";
import { controlledRoutes, controlPrefix } from "../wiring/controlled.ts";

/** `redis` null: only the configuration can pause. */
export const controlsCheck = (
  config: Pick<Config, "routes" | "sell" | "kafka">,
  redis: RedisConnection | null,
): Check => ({
  name: "pauses",
  needs: redis === null ? [] : ["redis"],
  waitsFor: "redis.url",
  async run() {
    const notes = redis === null ? new Map() : (await redisBoard(redis, controlPrefix(config)).look()).notes;
    const findings = controlledRoutes(config).flatMap((route) => findingsOf(route, standingOf(route, notes)));
    return findings.length > 0 ? findings : [ok("No route is paused, and no brake holds one.")];
  },
});

const findingsOf = ({ name, paused }: ControlledRoute, { pause, trips }: Standing): readonly Finding[] => [
  ...(paused === null
    ? []
    : [warning(`Route "${name}" is paused by the configuration: ${paused}`, "take its line `paused` out and restart")]),
  ...(pause === null
    ? []
    : [warning(`Route "${name}" is paused by ${pause.who}: ${pause.why}`, `sell-sink resume "${name}"`)]),
  ...trips.map(({ kind, limit, samples }) =>
    warning(
      `The brake of route "${name}" holds it: ${limit} ${kind} an hour were reached, the last keys are ${samples.join(", ")}.`,
      `if it is meant so, sell-sink resume "${name}" --accept N, or set brake.${kind} and restart`,
    ),
  ),
];
