/** Which topics `init` looks at: those that were named, or all that people made. Pure. */
import { type ConnectorError, usageError } from "../domain/errors.ts";
import { nearest } from "../lib/nearest.ts";
import { PROPOSED } from "./entity.ts";
import type { Asked } from "./look.ts";
import type { Proposed } from "./synonyms.ts";

/** `erp.sales.*`, or `erp.sales.kna1=accounts`. */
export interface Wish {
  readonly pattern: string;
  readonly wanted: Proposed | null;
}

/** Each is fetched from once; a cluster may have thousands. */
export const TOPICS_MAX = 200;

/** Throws ConnectorError `USAGE`. */
export const wishOf = (text: string): Wish => {
  const [pattern = "", entity, ...more] = text.split("=");
  if (entity === undefined) return { pattern, wanted: null };
  const wanted = PROPOSED.find((known) => known === entity);
  if (wanted !== undefined && more.length === 0) return { pattern, wanted };
  const meant = nearest(entity, PROPOSED);
  const hint = meant === null ? `there are ${PROPOSED.join(", ")}.` : `did you mean ${meant}?`;
  throw usageError(`--topic ${text} names no entity that init proposes; ${hint}`);
};

/** In the order of their names. Throws ConnectorError `USAGE` for a wish that no topic meets. */
export const chosenTopics = (all: readonly string[], wishes: readonly Wish[]): readonly Asked[] => {
  const names = all.toSorted();
  if (wishes.length === 0)
    return names.filter((name) => !isInternal(name)).map((topic) => ({ topic, isNamed: false, wanted: null }));
  const chosen = new Map<string, Asked>();
  for (const { pattern, wanted } of wishes) {
    const met = names.filter((name) => matches(pattern, name));
    if (met.length === 0) throw unmet(pattern, names);
    for (const topic of met) chosen.set(topic, { topic, isNamed: !pattern.includes("*") || wanted !== null, wanted });
  }
  return [...chosen.values()];
};

const matches = (pattern: string, name: string): boolean => {
  const parts = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(name);
};

const unmet = (pattern: string, names: readonly string[]): ConnectorError => {
  const meant = nearest(pattern, names);
  const hint = meant === null ? "or this user may not see it." : `did you mean ${meant}?`;
  return usageError(`Kafka has no topic ${pattern}; ${hint}`);
};

/** What Kafka, Connect, Streams and sell-sink keep for themselves. */
const isInternal = (topic: string): boolean =>
  topic.startsWith("_") ||
  /^connect-(configs?|offsets?|status)$|-(changelog|repartition)$|dead-letters?(\.|$)|\bdlq\b|\.heartbeat/i.test(
    topic,
  ) ||
  topic.startsWith("schema-changes.");
