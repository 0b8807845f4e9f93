/** GET /lag: what `sell-sink lag` asks the running process. Positions and ages only, no record. */
import type { Snapshot } from "../telemetry/snapshot.ts";

/** JSON of the partitions that this process owns. Offsets beyond 2^53 do not occur. */
export const lagPage = (groupId: string, { partitions, gate, halted, pauses }: Snapshot): string =>
  JSON.stringify({
    groupId,
    halted,
    pauses,
    permitsPerSecond: gate.permitsPerSecond,
    cooldownLeftS: gate.cooldownLeftMs / 1_000,
    partitions: partitions.map(({ topic, partition, endOffset, lag, oldestPendingAgeS: ages, paused }) => ({
      topic,
      partition,
      next: lag === null || endOffset === null ? null : endOffset - lag,
      end: endOffset,
      ageS: Math.max(ages.live, ages.backfill),
      paused,
    })),
  });
