/**
 * A dead letter on the wire: key and value as they came, the record's own headers, and behind them a block of ours that says
 * where the record stood and why it could not be delivered. A replay is the same letter, sent to the replay topic.
 */
import { createHash } from "node:crypto";
import type { Errant } from "../domain/change.ts";
import type { RequestNames } from "../domain/receipt.ts";
import type { ConsumerRecord, RecordHeader, TopicPartition } from "../domain/record.ts";

/** The topic that brings letters back; partition p of it is for records of partition p of whatever topic. */
export const replayTopicOf = (deadLetterTopic: string): string => `${deadLetterTopic}.replay`;

export interface Letter {
  /** Where the record stood in the topic it came from. */
  readonly origin: TopicPartition & { readonly offset: bigint };
  readonly stage: string;
  readonly reason: string;
  readonly message: string;
  readonly attempts: number;
  /** Milliseconds since 1970; of a letter that was replayed and came back, the first time of all. */
  readonly firstAttemptMs: number;
  readonly lastAttemptMs: number;
  /** Of the record, milliseconds since 1970. */
  readonly recordTimestampMs: number;
  readonly replayCount: number;
  readonly httpStatus: string | null;
  /** Sell's own error code, and the field it names. */
  readonly code: string | null;
  readonly field: string | null;
  /** The request whose answer it was: as our log calls it, and as Sell does. */
  readonly batchId: string | null;
  readonly requestId: string | null;
  /** Key, value or headers that the dead-letter topic refused for their size; they are still where the record stood. */
  readonly omitted: "nothing" | "value" | "all";
  /** The headers that the record came with. */
  readonly headers: readonly RecordHeader[];
}

/** Who writes the letter; stands in each. */
export interface Sender {
  readonly connectorName: string;
  readonly connectorVersion: string;
  /** Names the process. */
  readonly taskId: string;
  /** Fingerprint of the routes that the record was read by. */
  readonly configHash: string;
}

export interface Burial {
  readonly record: ConsumerRecord;
  readonly errant: Errant;
  readonly attempts: number;
  readonly firstAttemptMs: number;
  /** Null: no request's answer made it one. */
  readonly names: RequestNames | null;
  readonly nowMs: number;
  /** The letter that this record was replayed from; null: it came from its own topic. */
  readonly replayed: Letter | null;
}

export const FIRST = "__connect.errors.topic";
/** Header of a record that a resync sends, and beginning of the names of all that only such a record has. */
export const RESYNC = "x-sink.resync";
const REPLAY_COUNT = "x-sink.replay-count";
const OMITTED = "x-sink.omitted";
const MESSAGE_BYTES_MAX = 1_024;

/** Kafka Connect's names where it has one, so that its tools can read them; ours under `x-sink.`. */
export const letterHeaders = (burial: Burial, sender: Sender): readonly RecordHeader[] => {
  const { record, errant, attempts, firstAttemptMs, names, nowMs, replayed } = burial;
  const { topic, partition, offset } = replayed?.origin ?? record.position;
  const block: readonly (readonly [name: string, value: string | number | bigint | null | undefined])[] = [
    [FIRST, topic],
    ["__connect.errors.partition", partition],
    ["__connect.errors.offset", offset],
    ["__connect.errors.connector.name", sender.connectorName],
    ["__connect.errors.task.id", sender.taskId],
    ["__connect.errors.stage", errant.stage],
    ["__connect.errors.class.name", `sell-sink.${errant.stage}`],
    ["__connect.errors.exception.class.name", `sell-sink.${errant.reason}`],
    [
      "__connect.errors.exception.message",
      cutTo(MESSAGE_BYTES_MAX, [errant.message, errant.about ?? ""].join(" ").trim()),
    ],
    ["x-sink.reason", errant.reason],
    ["x-sink.attempts", attempts],
    ["x-sink.first-attempt-ms", replayed?.firstAttemptMs ?? firstAttemptMs],
    ["x-sink.last-attempt-ms", nowMs],
    ["x-sink.http-status", errant.httpStatus],
    ["x-sink.item-code", errant.code],
    ["x-sink.item-field", errant.field],
    ["x-sink.request-id", names?.requestId],
    ["x-sink.batch-id", names?.batchId],
    ["x-sink.record-timestamp", replayed?.recordTimestampMs ?? record.timestampMs],
    ["x-sink.key-hash", record.key === null ? null : hashOf(record.key)],
    ["x-sink.schema-id", schemaIdOf(record.value)],
    ["x-sink.connector-version", sender.connectorVersion],
    ["x-sink.config-hash", sender.configHash],
    [REPLAY_COUNT, replayed?.replayCount ?? 0],
  ];
  return block.flatMap(([name, value]) => (value == null ? [] : [header(name, String(value))]));
};

export const omittedHeader = (what: "value" | "all"): RecordHeader => header(OMITTED, what);

/** Where the last of our blocks begins, and what it says; null: there is none. */
export const blockIn = (headers: ConsumerRecord["headers"]) => {
  // The record may have had headers of these names itself, when its topic holds the dead letters of somebody else.
  const start = headers.findLastIndex(([name]) => name === FIRST);
  if (start < 0) return null;
  return { start, block: new Map(headers.slice(start).map(([name, value]) => [name, value?.toString() ?? ""])) };
};

/** Null for a record that is no letter of ours. */
export const readLetter = ({ headers }: Pick<ConsumerRecord, "headers">): Letter | null => {
  const found = blockIn(headers);
  if (found === null) return null;
  const { start, block } = found;
  const text = (name: string): string => block.get(name) ?? "";
  const partition = text("__connect.errors.partition");
  const offset = text("__connect.errors.offset");
  if (!block.has("x-sink.reason") || !/^\d{1,9}$/.test(partition) || !/^\d{1,18}$/.test(offset)) return null;
  const number = (name: string): number => (/^\d{1,15}$/.test(text(name)) ? Number(text(name)) : 0);
  return {
    origin: { topic: text(FIRST), partition: Number(partition), offset: BigInt(offset) },
    stage: text("__connect.errors.stage"),
    reason: text("x-sink.reason"),
    message: text("__connect.errors.exception.message"),
    attempts: number("x-sink.attempts"),
    firstAttemptMs: number("x-sink.first-attempt-ms"),
    lastAttemptMs: number("x-sink.last-attempt-ms"),
    recordTimestampMs: number("x-sink.record-timestamp"),
    replayCount: number(REPLAY_COUNT),
    httpStatus: block.get("x-sink.http-status") ?? null,
    code: block.get("x-sink.item-code") ?? null,
    field: block.get("x-sink.item-field") ?? null,
    batchId: block.get("x-sink.batch-id") ?? null,
    requestId: block.get("x-sink.request-id") ?? null,
    omitted: block.has(OMITTED) ? (text(OMITTED) === "all" ? "all" : "value") : "nothing",
    headers: headers.slice(0, start),
  };
};

/** The headers of a letter that goes out again: whole, one replay more. `original` has what the letter had to leave out. */
export const replayHeaders = (
  letter: Pick<ConsumerRecord, "headers">,
  original: readonly RecordHeader[] | null,
): readonly RecordHeader[] => {
  const { replayCount, headers } = readLetter(letter) ?? { replayCount: 0, headers: [] };
  const start = letter.headers.findLastIndex(([name]) => name === FIRST);
  // A letter that names a resync was not written by us.
  const isOurs = (name: string): boolean => !name.startsWith(RESYNC) && name !== REPLAY_COUNT && name !== OMITTED;
  const block = letter.headers.slice(start).filter(([name]) => isOurs(name));
  return [...(original ?? headers), ...block, header(REPLAY_COUNT, String(replayCount + 1))];
};

export const header = (name: string, value: string): RecordHeader => [name, Buffer.from(value)];

/** Cut between characters. */
const cutTo = (bytesMax: number, text: string): string => {
  const bytes = Buffer.from(text);
  if (bytes.length <= bytesMax) return text;
  return bytes
    .subarray(0, bytesMax)
    .toString()
    .replace(/\uFFFD+$/, "");
};

const hashOf = (key: Buffer): string => createHash("sha256").update(key).digest("hex").slice(0, 16);

/** Confluent's framing: a zero byte, the schema's id in four more. Other encodings name no schema. */
const schemaIdOf = (value: Buffer | null): number | null =>
  value !== null && value.length > 5 && value[0] === 0 ? value.readUInt32BE(1) : null;
