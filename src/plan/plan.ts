/** A dry run over the backlog: read without the group, mapped, and counted as the connector would write it. */
import type { StartFrom } from "../commit/ownership.ts";
import type { Config } from "../config/spec.ts";
import type { Lane, Mutation } from "../domain/mutation.ts";
import { partitionName } from "../domain/record.ts";
import type { Decoder, EndOffset, EntityStore, Mapper } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import { A_MOMENT, patiently } from "../lib/patiently.ts";
import { outcomeOf } from "../preview/outcome.ts";
import type { KafkaConnection } from "../source/connect-kafka.ts";
import { entryId } from "../window/entry.ts";
import { topicsOf } from "../wiring/topic-formats.ts";
import { type Counts, idsOf, lastOfEach, NO_COUNTS, planChunk, sumOfCounts } from "./chunk.ts";
import { callsMs, itemsPerCall } from "./pace.ts";

export interface PlanDeps {
  readonly kafka: KafkaConnection;
  readonly decoder: Decoder;
  readonly mapper: Mapper;
  /** Null: nothing is remembered yet, or there is no Redis. */
  readonly store: EntityStore | null;
  readonly startFrom: (topic: string) => StartFrom;
  readonly clock: Clock;
  readonly progress: (read: number, total: number) => void;
}

export interface Plan {
  readonly records: number;
  /** Mutations before compaction. */
  readonly changes: number;
  readonly skipped: Readonly<Record<string, number>>;
  readonly deadLetters: Readonly<Record<string, number>>;
  readonly lanes: Readonly<Record<Lane, Counts>>;
  /** Records a second that arrived in the last hour, and the share of the quota they take at this plan's calls a record. */
  readonly arrivedPerS: number;
  readonly arrivalShare: number;
  /** Seconds until live changes, and all changes, are worked off while others arrive; null: never at this rate. */
  readonly liveCaughtUpS: number | null;
  readonly drainedS: number | null;
  /** What would be new is counted twice from here on: more was new than is kept in mind. */
  readonly isUpperBound: boolean;
}

const RECALL_MAX = 500;
const CREATED_MAX = 500_000;
const HOUR_MS = 3_600_000;

/** Memory is that of one window. Rejects when Kafka or a registry that is needed does not answer. */
export const planBacklog = async (config: Config, deps: PlanDeps, signal: AbortSignal): Promise<Plan> => {
  const { kafka, decoder, mapper, progress } = deps;
  const { maxRecords, maxBytes } = config.window;
  const ranges = await patiently(deps.clock, A_MOMENT, () => backlogOf(config, deps), signal);
  const total = ranges.reduce((sum, { low, high }) => sum + Number(high - low), 0);
  const skipped: Record<string, number> = {};
  const deadLetters: Record<string, number> = {};
  const created = new Set<string>();
  let lanes: Readonly<Record<Lane, Counts>> = { live: NO_COUNTS, backfill: NO_COUNTS };
  let [records, changes, isUpperBound] = [0, 0, false];
  let waiting: Mutation[] = [];
  let waitingBytes = 0;

  const close = async (): Promise<void> => {
    const last = lastOfEach(waiting);
    waiting = [];
    waitingBytes = 0;
    const known = await recalled(idsOf(last.values()), deps.store, signal);
    const memory = { of: (id: string) => known.get(id) ?? null, isNew: (id: string) => created.has(id) };
    const counts = planChunk(last, memory, itemsPerCall(config), (id) => {
      if (created.size < CREATED_MAX) created.add(id);
      else isUpperBound = true;
    });
    lanes = {
      live: sumOfCounts(lanes.live, counts.live),
      backfill: sumOfCounts(lanes.backfill, counts.backfill),
    };
  };

  for await (const page of kafka.read(ranges, signal)) {
    for (const record of page) {
      const mapped = await outcomeOf(record, decoder, mapper);
      records += 1;
      if (mapped.status === "skip") skipped[mapped.reason] = (skipped[mapped.reason] ?? 0) + 1;
      else if (mapped.status === "errant")
        deadLetters[mapped.errant.reason] = (deadLetters[mapped.errant.reason] ?? 0) + 1;
      else {
        changes += mapped.mutations.length;
        waiting.push(...mapped.mutations);
        waitingBytes += record.bytes;
      }
      if (waiting.length >= maxRecords || waitingBytes >= maxBytes) await close();
    }
    progress(records, total);
  }
  await close();
  const arrivedPerS = await arrivals(config, deps);
  const calls = lanes.live.calls + lanes.backfill.calls;
  const arrivalShare = records === 0 ? 0 : callsMs(config, (calls / records) * arrivedPerS) / 1_000;
  const secondsFor = (some: number): number | null => {
    if (some === 0) return 0;
    return arrivalShare < 1 ? callsMs(config, some) / 1_000 / (1 - arrivalShare) : null;
  };
  return {
    ...{ records, changes, skipped, deadLetters, lanes, arrivedPerS, arrivalShare, isUpperBound },
    liveCaughtUpS: secondsFor(lanes.live.calls),
    drainedS: secondsFor(calls),
  };
};

/** From where the group would go on, to the end. */
const backlogOf = async (config: Config, { kafka, startFrom }: PlanDeps): Promise<readonly EndOffset[]> => {
  const { admin } = kafka;
  const ends = await admin.endOffsets(topicsOf(config));
  const committed = new Map(
    (await admin.committed(config.kafka.groupId, ends)).map((row) => [partitionName(row), row.offset]),
  );
  const firsts = new Map<string, bigint>();
  for (const topic of topicsOf(config)) {
    const from = startFrom(topic);
    const found = typeof from === "object" ? await admin.offsetsAt(topic, from.timestampMs) : [];
    for (const row of found) firsts.set(partitionName(row), row.offset);
    if (from === "latest")
      for (const end of ends.filter((each) => each.topic === topic)) firsts.set(partitionName(end), end.high);
  }
  return ends.map((end) => {
    const next = committed.get(partitionName(end)) ?? firsts.get(partitionName(end)) ?? end.low;
    return { ...end, low: next < end.low ? end.low : next };
  });
};

const recalled = async (ids: ReturnType<typeof idsOf>, store: EntityStore | null, signal: AbortSignal) => {
  const known = new Map<string, Awaited<ReturnType<EntityStore["recall"]>>[number]>();
  for (let at = 0; store !== null && at < ids.length; at += RECALL_MAX) {
    const part = ids.slice(at, at + RECALL_MAX);
    const answers = await store.recall(part, signal);
    for (const [i, { entity, key }] of part.entries()) known.set(entryId(entity, key), answers[i] ?? null);
  }
  return known;
};

const arrivals = async (config: Config, { kafka, clock }: PlanDeps): Promise<number> => {
  let records = 0;
  for (const topic of topicsOf(config)) {
    const before = new Map(
      (await kafka.admin.offsetsAt(topic, clock.now() - HOUR_MS)).map((row) => [partitionName(row), row.offset]),
    );
    for (const end of await kafka.admin.endOffsets([topic]))
      records += Number(end.high - (before.get(partitionName(end)) ?? end.high));
  }
  return records / (HOUR_MS / 1_000);
};
