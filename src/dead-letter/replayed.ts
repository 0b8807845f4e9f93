/** A record of the replay topic becomes the record again that it once was. */
import type { ReplayOf } from "../domain/mutation.ts";
import type { ConsumerRecord } from "../domain/record.ts";
import { readLetter } from "./letter.ts";
import { readResync } from "./resync-headers.ts";

export interface Replayed {
  /** As its own topic had it; only the epoch is that of the replay topic's partition. */
  readonly record: ConsumerRecord;
  readonly replayOf: ReplayOf;
  /** Entity ids of what it may write; null: of all that it gives. */
  readonly only: ReadonlySet<string> | null;
}

/**
 * Null for what is no whole letter, or stands in another partition than its record did: only whoever owns that one knows what
 * was written of its keys since.
 */
export const replayedRecord = (record: ConsumerRecord): Replayed | null => {
  const letter = readLetter(record);
  if (letter === null || letter.omitted !== "nothing" || letter.origin.partition !== record.position.partition)
    return null;
  const resync = readResync(record);
  if (resync === null) return null;
  const { origin, headers, recordTimestampMs, lastAttemptMs } = letter;
  const position = { ...origin, epoch: record.position.epoch };
  return {
    record: { ...record, position, headers, timestampMs: recordTimestampMs },
    replayOf: { ...origin, kind: resync === "letter" ? "letter" : "resync", sinceMs: lastAttemptMs },
    only: resync === "letter" ? null : new Set(resync.keys),
  };
};
