/**
 * How far a resync has come, kept where Kafka keeps such things: as offsets of a group of its own, `<group>.resync`, one row a
 * partition of the topic, with the rest in the metadata. So a pass that was broken off goes on from any machine, and Kafka's own
 * tools show its progress. Like all offsets of a group without members they are forgotten after `offsets.retention.minutes`.
 */
import { z } from "zod";
import type { EndOffset, OffsetCommit } from "../domain/stages.ts";
import type { KafkaAdmin } from "../source/admin.ts";
import { ALL_KEYS } from "./newest.ts";

export interface Checkpoint {
  /** Names the pass in the headers of its records. */
  readonly id: string;
  /** Fingerprint of what is selected, and by which routes: another selection is another pass. */
  readonly selection: string;
  /** When the ends were read, milliseconds since 1970. */
  readonly startedAtMs: number;
  /** Records that count: from where the selection begins to the ends of the topic as they were then. */
  readonly ranges: readonly EndOffset[];
  /** Keys whose hash is below `from` are done, those below `to` under way; `from` is ALL_KEYS at the end. */
  readonly from: number;
  readonly to: number;
  /** Of the keys under way, records below this offset of their partition are sent. */
  readonly next: ReadonlyMap<number, bigint>;
}

type Rows = Pick<KafkaAdmin, "commit" | "committed">;

const metadata = z.strictObject({
  id: z.string(),
  selection: z.string(),
  startedAtMs: z.int(),
  low: z.string().regex(/^\d{1,19}$/),
  high: z.string().regex(/^\d{1,19}$/),
  from: z.int().min(0).max(ALL_KEYS),
  to: z.int().min(0).max(ALL_KEYS),
});

const resyncGroup = (groupId: string): string => `${groupId}.resync`;

export const saveCheckpoint = async (groupId: string, checkpoint: Checkpoint, admin: Rows): Promise<void> => {
  const { ranges, next, ...rest } = checkpoint;
  const rows: readonly OffsetCommit[] = ranges.map(({ topic, partition, low, high }) => ({
    ...{ topic, partition },
    offset: next.get(partition) ?? low,
    metadata: JSON.stringify({ ...rest, low: String(low), high: String(high) } satisfies z.input<typeof metadata>),
  }));
  await admin.commit(resyncGroup(groupId), rows);
};

/** Of the last pass over that topic, done or not; null: there was none, or nobody can read what is stored. */
export const loadCheckpoint = async (
  groupId: string,
  ends: readonly EndOffset[],
  admin: Rows,
): Promise<Checkpoint | null> => {
  const stored = await admin.committed(resyncGroup(groupId), ends);
  const rows = stored.flatMap(({ topic, partition, offset, metadata }) => {
    const said = readMetadata(metadata);
    return offset === null || said === null ? [] : [{ topic, partition, offset, ...said }];
  });
  const [first] = rows.toSorted((a, b) => a.from - b.from);
  // All rows are stored together, so that a row of another pass is of an earlier one, and of a broken one.
  if (first === undefined || rows.some(({ id }) => id !== first.id)) return null;
  const { id, selection, startedAtMs, from, to } = first;
  const ranges = rows.map(({ topic, partition, low, high }) => ({
    topic,
    partition,
    low: BigInt(low),
    high: BigInt(high),
  }));
  // One that is further on has sent all of the keys under way.
  const next = new Map(rows.map((row) => [row.partition, row.from > from ? BigInt(row.high) : row.offset]));
  return { id, selection, startedAtMs, ranges, from, to, next };
};

const readMetadata = (text: string | null): z.output<typeof metadata> | null => {
  try {
    return metadata.parse(JSON.parse(text ?? ""));
  } catch {
    return null;
  }
};
