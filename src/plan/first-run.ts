/** The first run creates what the CRM does not know by key: whether that is much is asked before, of a sample of each route. */
import type { Config } from "../config/spec.ts";
import type { Clock } from "../lib/clock.ts";
import { A_MOMENT, patiently } from "../lib/patiently.ts";
import { routeName } from "../map/config.ts";
import { type Check, type Result, runChecks } from "../online/check.ts";
import type { KafkaConnection } from "../source/connect-kafka.ts";
import { topicsOf } from "../wiring/topic-formats.ts";

/** Checks that those of the keys build on; the others have nothing to do with them. */
const GROUND: ReadonlySet<string> = new Set(["kafka", "redis", "quota", "sell"]);

/**
 * What was found about the keys of the routes that were never run, and why not all of them could be asked for. `checks` are
 * those of `validate --online`; empty, and nothing is asked, when the group has read from all topics.
 */
export const firstRunFindings = async (
  config: Config,
  { admin }: { readonly admin: Pick<KafkaConnection["admin"], "endOffsets" | "committed"> },
  checks: readonly Check[],
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly Result[]> => {
  const ends = await patiently(clock, A_MOMENT, () => admin.endOffsets(topicsOf(config)), signal);
  const stored = await patiently(clock, A_MOMENT, () => admin.committed(config.kafka.groupId, ends), signal);
  const begun = new Set(stored.filter(({ offset }) => offset !== null).map(({ topic }) => topic));
  const routes = config.routes.filter(({ topic }) => !begun.has(topic));
  const wanted = new Set(routes.map((route) => `keys of ${routeName(route)}`));
  if (!checks.some(({ name }) => wanted.has(name))) return [];
  const findings: Result[] = [];
  const asked = checks.filter(({ name }) => GROUND.has(name) || wanted.has(name));
  for await (const result of runChecks(asked, clock, signal))
    if (wanted.has(result.name) || result.status === "failed") findings.push(result);
  return findings;
};
