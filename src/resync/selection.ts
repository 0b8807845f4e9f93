/** Which records a resync is about: a topic or a route, some keys or all, from where on. */
import { createHash, randomUUID } from "node:crypto";
import type { Config } from "../config/spec.ts";
import { usageError } from "../domain/errors.ts";
import { partitionName } from "../domain/record.ts";
import type { EndOffset } from "../domain/stages.ts";
import { routeName } from "../map/config.ts";
import type { KafkaAdmin } from "../source/admin.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { ALL_KEYS } from "./newest.ts";
import type { Wanted } from "./resync.ts";

/** An offset is one of every partition. */
export type From = "earliest" | { readonly timestampMs: number } | { readonly offset: bigint };

export interface Selection extends Wanted {
  readonly topic: string;
  readonly from: From;
  /** As it was given: `24h` is the same selection a minute later. */
  readonly fromText: string;
}

/** Throws ConnectorError `USAGE` for a topic or a route that the configuration does not have. */
export const topicOf = (
  { routes }: Config,
  { topic, route }: { readonly topic?: string; readonly route?: string },
): Pick<Selection, "topic" | "route"> => {
  if ((topic === undefined) === (route === undefined)) throw usageError("Give either --topic or --route.");
  const found = routes.find((each) => (route === undefined ? each.topic === topic : routeName(each) === route));
  if (found !== undefined) return { topic: found.topic, route: route ?? null };
  const known = routes.map((each) => `"${route === undefined ? each.topic : routeName(each)}"`);
  const what = route === undefined ? `No route reads the topic "${topic}"` : `There is no route "${route}"`;
  throw usageError(`${what}; the configuration has ${[...new Set(known)].join(", ")}.`);
};

/** The same for the same selection by the same routes. */
const fingerprintOf = (selection: Selection, { routes }: Config): string => {
  const { topic, route, keys, fromText } = selection;
  const read = routes.filter((each) => each.topic === topic);
  const text = JSON.stringify([topic, route, keys === null ? null : [...keys].toSorted(), fromText, read]);
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
};

/** A pass that has sent nothing yet, up to the ends of the topic now. */
export const firstCheckpoint = async (
  selection: Selection,
  config: Config,
  admin: Pick<KafkaAdmin, "endOffsets" | "offsetsAt">,
  nowMs: number,
): Promise<Checkpoint> => ({
  id: randomUUID().slice(0, 8),
  selection: fingerprintOf(selection, config),
  startedAtMs: nowMs,
  ranges: await rangesOf(selection, admin),
  from: 0,
  to: ALL_KEYS,
  next: new Map(),
});

const rangesOf = async (
  { topic, from }: Selection,
  admin: Pick<KafkaAdmin, "endOffsets" | "offsetsAt">,
): Promise<readonly EndOffset[]> => {
  const ends = await admin.endOffsets([topic]);
  if (from === "earliest") return ends;
  const rows = "timestampMs" in from ? await admin.offsetsAt(topic, from.timestampMs) : [];
  const firsts = new Map(rows.map((row) => [partitionName(row), row.offset]));
  return ends.map((end) => {
    const first = "offset" in from ? from.offset : (firsts.get(partitionName(end)) ?? end.low);
    const low = first < end.low ? end.low : first;
    return { ...end, low: low > end.high ? end.high : low };
  });
};
