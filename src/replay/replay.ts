/**
 * Sends dead letters out again: only to the replay topic, into the partition their record stood in. Whoever owns that one
 * applies them under its own locks, and drops what a newer record of the key has passed meanwhile.
 */
import { replayHeaders } from "../dead-letter/letter.ts";
import { type ConsumerRecord, positionName } from "../domain/record.ts";
import type { ProducedRecord, RecordProducer } from "../domain/stages.ts";
import type { KafkaConnection } from "../source/connect-kafka.ts";
import type { JudgedLetter, LetterState } from "./states.ts";

export interface ReplayDeps {
  readonly topic: string;
  readonly producer: Pick<RecordProducer, "send">;
  readonly kafka: Pick<KafkaConnection, "admin" | "read">;
  readonly nowMs: () => number;
  /** Nothing is written. */
  readonly isDry: boolean;
  /** Also what might overwrite something newer. */
  readonly isDaring: boolean;
}

export interface ReplayCounts {
  readonly replayed: number;
  /** Left alone, since a newer record of the key was accepted, or no route reads the topic any more. */
  readonly healed: number;
  readonly unrouted: number;
  /** Left alone, since nobody remembers whether a newer record was accepted; 0 when they are wanted all the same. */
  readonly unknown: number;
  /** Positions whose record was too large for the dead-letter topic, and is gone from its own. */
  readonly lost: readonly string[];
}

export const NOTHING: ReplayCounts = { replayed: 0, healed: 0, unrouted: 0, unknown: 0, lost: [] };

/** At most `limit` of those that are open, oldest record first. Resolves when Kafka has stored them. */
export const replayLetters = async (
  letters: readonly JudgedLetter[],
  limit: number,
  deps: ReplayDeps,
  signal: AbortSignal,
): Promise<ReplayCounts> => {
  const countOf = (state: LetterState): number => letters.filter((letter) => letter.state === state).length;
  const open = letters.filter(({ state }) => state === "open" || (state === "unknown" && deps.isDaring));
  const records: ProducedRecord[] = [];
  const lost: string[] = [];
  for (const letter of open.toSorted(byOrigin).slice(0, limit)) {
    const record = await replayOf(letter, deps, signal);
    if (record === null) lost.push(positionName(letter.letter.origin));
    else records.push(record);
  }
  if (!deps.isDry) await deps.producer.send(records);
  const unknown = deps.isDaring ? 0 : countOf("unknown");
  return { replayed: records.length, healed: countOf("healed"), unrouted: countOf("unrouted"), unknown, lost };
};

export const sumOf = (a: ReplayCounts, b: ReplayCounts): ReplayCounts => ({
  replayed: a.replayed + b.replayed,
  healed: a.healed + b.healed,
  unrouted: a.unrouted + b.unrouted,
  unknown: a.unknown + b.unknown,
  lost: [...a.lost, ...b.lost],
});

const byOrigin = ({ letter: a }: JudgedLetter, { letter: b }: JudgedLetter): number => {
  if (a.origin.topic !== b.origin.topic) return a.origin.topic < b.origin.topic ? -1 : 1;
  if (a.origin.partition !== b.origin.partition) return a.origin.partition - b.origin.partition;
  return a.origin.offset < b.origin.offset ? -1 : 1;
};

const replayOf = async (
  { stored, letter }: JudgedLetter,
  deps: ReplayDeps,
  signal: AbortSignal,
): Promise<ProducedRecord | null> => {
  const original = letter.omitted === "nothing" ? stored : await originalOf(letter.origin, deps, signal);
  if (original === null) return null;
  const { key, value } = original;
  const headers = replayHeaders(stored, original === stored ? null : original.headers);
  // Dated by now: by the record's own age Kafka might delete it before it is read.
  return { topic: deps.topic, partition: letter.origin.partition, key, value, headers, timestampMs: deps.nowMs() };
};

/** Null when its topic has deleted it. */
const originalOf = async (
  { topic, partition, offset }: JudgedLetter["letter"]["origin"],
  { kafka }: ReplayDeps,
  signal: AbortSignal,
): Promise<ConsumerRecord | null> => {
  const ends = await kafka.admin.endOffsets([topic]);
  const end = ends.find((candidate) => candidate.partition === partition);
  if (end === undefined || offset < end.low || offset >= end.high) return null;
  for await (const page of kafka.read([{ topic, partition, low: offset, high: offset + 1n }], signal))
    for (const record of page) return record;
  return null;
};
