/**
 * What a record carries that a resync sends to the replay topic: the block of a letter, so that it is read, waited for and
 * buried like one, with the name of the pass and the keys that are to be written. They can only narrow what the record gives.
 */
import type { ConsumerRecord, RecordHeader } from "../domain/record.ts";
import { blockIn, FIRST, header, RESYNC } from "./letter.ts";

export interface Resync {
  /** Names the pass. */
  readonly id: string;
  /** Entity ids, `accounts/C-1`: of these, and no others, the record is the newest. */
  readonly keys: readonly string[];
}

const KEYS = `${RESYNC}-keys`;

/** `startedAtMs`: when the ends of the topic were read, milliseconds since 1970. */
export const resyncHeaders = (
  { position, timestampMs, headers }: ConsumerRecord,
  { id, keys }: Resync,
  startedAtMs: number,
): readonly RecordHeader[] => [
  ...headers,
  header(FIRST, position.topic),
  header("__connect.errors.partition", String(position.partition)),
  header("__connect.errors.offset", String(position.offset)),
  header("x-sink.reason", "resync"),
  header("x-sink.first-attempt-ms", String(startedAtMs)),
  header("x-sink.last-attempt-ms", String(startedAtMs)),
  header("x-sink.record-timestamp", String(timestampMs)),
  header(RESYNC, id),
  header(KEYS, JSON.stringify(keys)),
];

/** `letter`: it names no resync; null: it names one, and no keys of it. */
export const readResync = ({ headers }: Pick<ConsumerRecord, "headers">): Resync | "letter" | null => {
  const block = blockIn(headers)?.block;
  const id = block?.get(RESYNC);
  if (id === undefined) return "letter";
  const keys = keysIn(block?.get(KEYS) ?? "");
  return keys === null ? null : { id, keys };
};

const keysIn = (text: string): readonly string[] | null => {
  try {
    const keys: unknown = JSON.parse(text);
    return Array.isArray(keys) && keys.every((key) => typeof key === "string") ? keys : null;
  } catch {
    return null;
  }
};
