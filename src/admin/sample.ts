/** Two looks at the running pipeline, one after the other, become one sample of the history. Pure. */
import { partitionName } from "../domain/record.ts";
import { backlogOf, type PartitionSnapshot, type Snapshot } from "../telemetry/snapshot.ts";
import type { Totals } from "../telemetry/totals.ts";
import type { Sample } from "./history.ts";

export interface Look {
  readonly atMs: number;
  readonly snapshot: Snapshot;
  readonly totals: Totals;
}

/** `drainS` until all is worked off, as far as that can be told. Beside what `totals` count: `arrived` and `workedOff` records, of the partitions that were owned at both looks. */
export const sampleOf = (before: Look, after: Look, drainS: number | null): Sample => {
  const counts = new Map<string, number>();
  for (const [name, total] of after.totals) counts.set(name, Math.max(0, total - (before.totals.get(name) ?? 0)));
  for (const [name, count] of moves(before, after)) counts.set(name, count);
  const levels = levelsOf(after.snapshot);
  if (drainS !== null && Number.isFinite(drainS)) levels.set("drainS", drainS);
  return { atMs: after.atMs, forMs: after.atMs - before.atMs, counts, levels };
};

const moves = (before: Look, after: Look): readonly (readonly [string, number])[] => {
  const earlier = new Map(before.snapshot.partitions.map((each) => [partitionName(each), each]));
  let [arrived, workedOff] = [0, 0];
  for (const now of after.snapshot.partitions) {
    const then = earlier.get(partitionName(now));
    if (then === undefined) continue;
    arrived += grown(then.endOffset, now.endOffset);
    workedOff += grown(nextOf(then), nextOf(now));
  }
  return [
    ["arrived", arrived],
    ["workedOff", workedOff],
  ];
};

const nextOf = ({ endOffset, lag }: PartitionSnapshot): number | null =>
  endOffset === null || lag === null ? null : endOffset - lag;

/** What is not known, or went backwards, as after a reset, did not grow. */
const grown = (then: number | null, now: number | null): number =>
  then === null || now === null ? 0 : Math.max(0, now - then);

const levelsOf = ({ partitions, gate, maxItems }: Snapshot): Map<string, number> => {
  const { live, backfill } = agesOf(partitions);
  const levels = new Map<string, number>([
    ["liveAgeS", live],
    ["backfillAgeS", backfill],
    ["cooldownLeftS", gate.cooldownLeftMs / 1_000],
    ["replicas", gate.replicas],
  ]);
  const lag = backlogOf(partitions);
  if (lag !== null) levels.set("lag", lag);
  if (gate.permitsPerSecond > 0) levels.set("permittedPerS", maxItems * gate.permitsPerSecond);
  if (gate.windows.length > 0) levels.set("quotaUsed", fullestOf(gate.windows));
  return levels;
};

/** Seconds since the timestamp of the first uncommitted record, by lane. */
export const agesOf = (partitions: readonly PartitionSnapshot[]): PartitionSnapshot["oldestPendingAgeS"] => {
  let [live, backfill] = [0, 0];
  for (const { oldestPendingAgeS: age } of partitions) {
    live = Math.max(live, age.live);
    backfill = Math.max(backfill, age.backfill);
  }
  return { live, backfill };
};

/** Of the window that leaves the least room: used part of its limit. */
export const fullestOf = (windows: Snapshot["gate"]["windows"]): number =>
  windows.reduce((most, { limit, used }) => Math.max(most, limit > 0 ? used / limit : 1), 0);
