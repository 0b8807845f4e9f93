/** The ERP's side: which keys there are, and what of each is compared. From the route's topic, or from a file of pairs. */
import { ConnectorError, usageError } from "../domain/errors.ts";
import type { ConsumerRecord } from "../domain/record.ts";
import type { Decoder, EndOffset, Mapper } from "../domain/stages.ts";
import { mutationsOf } from "../wiring/read-mutations.ts";
import { type Match, textOfMutation } from "./match.ts";

/** One line a key is kept in memory; so many, compared with as many records, take half a gigabyte. More are refused. */
export const KEYS_MAX = 1_000_000;

export interface ErpKeys {
  /** By key what is compared; null: its row has nothing there. */
  readonly texts: ReadonlyMap<string, string | null>;
  /** Records of the topic that the route cannot read: they would be dead letters. */
  readonly unreadable: number;
}

export interface TopicReading {
  readonly match: Match;
  readonly decoder: Decoder;
  /** Of `match.route` alone. */
  readonly mapper: Mapper;
  readonly admin: { endOffsets(topics: readonly string[]): Promise<readonly EndOffset[]> };
  read(ranges: readonly EndOffset[], signal: AbortSignal): AsyncIterable<readonly ConsumerRecord[]>;
  /** Records read so far, and all there were at the start. */
  readonly tell: (read: number, total: number) => void;
}

/**
 * The latest row of each key, of all that were in the topic when it began; rows that were deleted, where the route deletes, are
 * gone. Rejects with ConnectorError `TOO_MANY_KEYS` beyond `KEYS_MAX`.
 */
export const readTopicKeys = async (reading: TopicReading, signal: AbortSignal): Promise<ErpKeys> => {
  const { match, admin, tell } = reading;
  const texts = new Map<string, string | null>();
  const ends = await admin.endOffsets([match.route.topic]);
  const total = Number(ends.reduce((sum, { low, high }) => sum + high - low, 0n));
  let [read, unreadable] = [0, 0];
  for await (const page of reading.read(ends, signal)) {
    for (const record of page) {
      const mutations = await mutationsOf(record, reading);
      if (mutations === null) unreadable += 1;
      for (const mutation of mutations ?? []) {
        const { key, action, isDelete, complete } = mutation;
        if (action === "delete") texts.delete(key);
        // A column that was not sent is as it was; a deleted row only tells its key.
        else if (isDelete || !complete) texts.set(key, texts.get(key) ?? null);
        else texts.set(key, textOfMutation(match, mutation));
        if (texts.size > KEYS_MAX) throw tooMany(`The topic ${match.route.topic}`);
      }
    }
    read += page.length;
    tell(read, total);
  }
  return { texts, unreadable };
};

/**
 * Lines of `key,id`, as spreadsheets write them: quotes around a field are taken off, a first line without an id is a heading.
 * Throws ConnectorError `USAGE` for a line that is none, and for a key that stands twice.
 */
export const keysOfCsv = (text: string, file: string): ErpKeys => {
  const texts = new Map<string, string>();
  for (const [at, line] of text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .entries()) {
    if (line.trim() === "") continue;
    const [, quoted, bare, id] = CSV_LINE.exec(line.trim()) ?? [];
    const key = quoted?.replaceAll('""', '"') ?? bare?.trim();
    if (id === undefined || key === undefined || key === "") {
      if (at === 0) continue;
      throw usageError(`${file}, line ${at + 1}: it must be a key and an id of Sell, like C-1001,90017.`);
    }
    if (texts.has(key))
      throw usageError(`${file}, line ${at + 1}: the key stands in an earlier line too; keep one of them.`);
    texts.set(key, String(Number(id)));
    if (texts.size > KEYS_MAX) throw tooMany(file);
  }
  return { texts, unreadable: 0 };
};

const CSV_LINE = /^(?:"((?:[^"]|"")*)"\s*|([^",;]*))[,;]\s*"?(\d{1,15})"?$/;

const tooMany = (what: string): ConnectorError =>
  new ConnectorError(
    "TOO_MANY_KEYS",
    `${what} holds more than ${KEYS_MAX.toLocaleString("en-US")} keys, which is more than one run can compare: adopt them in parts, by --csv.`,
    { retriable: false },
  );
