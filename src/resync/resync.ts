/**
 * The repair after people edited Sell by hand: the newest record of each key goes out once more. It only produces, to the replay
 * topic; the owner of each partition writes it under its own locks, in the backfill lane, unless something newer was accepted.
 *
 * Passes over the topic: read it and find the newest record of as many keys as fit into memory, then send those records, then
 * the next keys. How far it is stands in Kafka (checkpoint.ts).
 */
import type { ConsumerRecord } from "../domain/record.ts";
import type { EndOffset, RecordProducer } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import { A_MOMENT, patiently } from "../lib/patiently.ts";
import type { Progress, Step } from "../lib/progress.ts";
import { NEVER } from "../lib/within.ts";
import type { KafkaConnection } from "../source/connect-kafka.ts";
import { type Checkpoint, saveCheckpoint } from "./checkpoint.ts";
import { type Reading, seenIn } from "./fates.ts";
import { ALL_KEYS, KEYS_MAX, NewestTable } from "./newest.ts";
import { chosenOf, type SendDeps, sendChosen } from "./send.ts";
import { Tally } from "./tally.ts";

export interface Wanted {
  /** Null: all that read the topic. */
  readonly route: string | null;
  /** Keys as Sell holds them; null: all. */
  readonly keys: ReadonlySet<string> | null;
}

export interface ResyncDeps {
  readonly groupId: string;
  readonly kafka: Pick<KafkaConnection, "admin" | "read">;
  readonly reading: Reading;
  /** Null: a dry run, which only counts. */
  readonly replay: { readonly topic: string; readonly producer: Pick<RecordProducer, "send"> } | null;
  readonly clock: Clock;
  readonly progress: Progress;
  /** Default KEYS_MAX. */
  readonly keysMax?: number;
}

export interface Resynced {
  readonly tally: Tally;
  /** Records read in the first pass over the topic, and those of them that nobody can read. */
  readonly records: number;
  readonly unreadable: number;
  /** Records sent. */
  readonly sent: number;
  /** Wanted keys that no record is about. */
  readonly missing: readonly string[];
}

/** Of keys under way: what a kill may send twice. */
const SAVE_EVERY = 5_000;

/** From where `start` stands. Rejects when Kafka or a registry that is needed does not answer; then `--resume` goes on. */
export const resync = async (
  start: Checkpoint,
  wanted: Wanted,
  deps: ResyncDeps,
  signal: AbortSignal,
): Promise<Resynced> => {
  const { progress, replay, clock } = deps;
  const tally = new Tally();
  const missing = new Set(wanted.keys);
  let [records, unreadable, sent] = [0, 0, 0];
  let at = start;
  const save = (checkpoint: Checkpoint): Promise<void> => {
    at = checkpoint;
    if (replay === null) return Promise.resolve();
    // What was sent is to be remembered also when the pass is called off.
    return patiently(clock, A_MOMENT, () => saveCheckpoint(deps.groupId, checkpoint, deps.kafka.admin), NEVER);
  };
  for (let pass = 1; at.from < ALL_KEYS; pass++) {
    const name = pass === 1 ? "" : `, pass ${pass}`;
    const table = await progress.step(`Reading ${topicOf(at)}${name}`, async (step) => {
      const found = await findNewest(at, wanted, deps, step, signal);
      if (pass === 1) [records, unreadable] = [found.records, found.unreadable];
      return found.table;
    });
    tally.add(table);
    for (const id of table.newest.keys()) missing.delete(keyOf(id));
    await save({ ...at, to: table.to });
    if (replay !== null) {
      sent += await progress.step(`Sending to ${replay.topic}${name}`, async (step) => {
        const sending = { ...replay, id: at.id, startedAtMs: at.startedAtMs, read: deps.kafka.read };
        const present = await stillThere(at.ranges, deps.kafka);
        return send(at, present, table, { ...sending, nowMs: () => clock.now() }, save, step, signal);
      });
    }
    await save({ ...at, from: table.to, to: ALL_KEYS, next: new Map() });
  }
  return { tally, records, unreadable, sent, missing: [...missing] };
};

const findNewest = async (
  { ranges, from, to }: Checkpoint,
  wanted: Wanted,
  { kafka, reading, keysMax = KEYS_MAX }: ResyncDeps,
  { tell }: Step,
  signal: AbortSignal,
) => {
  const table = new NewestTable(from, to, keysMax);
  const present = await stillThere(ranges, kafka);
  const total = present.reduce((sum, { low, high }) => sum + Number(high - low), 0);
  let [records, unreadable] = [0, 0];
  for await (const page of kafka.read(present, signal)) {
    for (const record of page) {
      const isReadable = await note(record, wanted, reading, table);
      if (!isReadable) unreadable += 1;
    }
    records += page.length;
    tell(`${records.toLocaleString("en-US")} of ${total.toLocaleString("en-US")} records`);
  }
  return { table, records, unreadable };
};

const note = async (
  record: ConsumerRecord,
  { route, keys }: Wanted,
  reading: Reading,
  table: NewestTable,
): Promise<boolean> => {
  const found = await seenIn(record, reading);
  for (const [id, by, seen] of found ?? []) {
    if (route !== null && by !== route) continue;
    if (keys === null || keys.has(keyOf(id))) table.note(id, seen);
  }
  return found !== null;
};

/** Retention goes on meanwhile. */
const stillThere = async (
  ranges: readonly EndOffset[],
  { admin }: ResyncDeps["kafka"],
): Promise<readonly EndOffset[]> => {
  const ends = await admin.endOffsets([...new Set(ranges.map(({ topic }) => topic))]);
  return ranges.flatMap((range) => {
    const low = ends.find(({ partition }) => partition === range.partition)?.low ?? range.high;
    const present = { ...range, low: low > range.low ? low : range.low };
    return present.low < present.high ? [present] : [];
  });
};

const send = async (
  start: Checkpoint,
  present: readonly EndOffset[],
  table: NewestTable,
  deps: SendDeps,
  save: (checkpoint: Checkpoint) => Promise<void>,
  { tell }: Step,
  signal: AbortSignal,
): Promise<number> => {
  const chosen = chosenOf(table);
  const next = new Map(start.next);
  let [sent, saved] = [0, 0];
  try {
    for (const range of present) {
      const done = next.get(range.partition) ?? range.low;
      const isLeft = ([offset]: readonly [bigint, unknown]): boolean => offset >= range.low && offset >= done;
      const offsets = new Map([...(chosen.get(range.partition) ?? [])].filter(isLeft));
      for await (const { partition, next: reached, records } of sendChosen(range, offsets, deps, signal)) {
        next.set(partition, reached);
        sent += records;
        tell(`${sent.toLocaleString("en-US")} records`);
        if (sent - saved < SAVE_EVERY) continue;
        saved = sent;
        await save({ ...start, to: table.to, next });
      }
      next.set(range.partition, range.high);
    }
    return sent;
  } finally {
    if (sent > saved) await save({ ...start, to: table.to, next });
  }
};

const topicOf = ({ ranges }: Checkpoint): string => ranges[0]?.topic ?? "an empty topic";

/** Entities have no slash in their names. */
const keyOf = (id: string): string => id.slice(id.indexOf("/") + 1);
