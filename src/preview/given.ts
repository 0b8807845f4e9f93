/** Records that somebody wrote down, in a file or in a test: as a row, as an envelope, or as they lie in the topic. Pure. */
import type { TopicFormat } from "../decode/decoder.ts";
import type { Format } from "../decode/formats.ts";
import type { ConsumerRecord, RecordHeader } from "../domain/record.ts";

/**
 * `row` has the columns alone; `deleted` is the row that was; `envelope` has op, before and after; `record` has key and value
 * in the topic's own shape. All but the last are typed by JSON, whatever the topic's encoding is.
 */
export type Kind = "row" | "deleted" | "envelope" | "record";

export interface Given {
  readonly kind: Kind;
  readonly key: unknown;
  readonly value: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

const ENVELOPES: ReadonlySet<Format> = new Set(["debezium-json", "debezium-avro"]);
const FLATTENED: ReadonlySet<Format> = new Set(["debezium-json-flattened", "debezium-avro-flattened"]);

/** How a record of this kind is read in place of the topic's own: the hints of another encoding say nothing about it. */
export const formatOf = (kind: Kind, topic: TopicFormat): TopicFormat => {
  const format = plainFormat(kind, topic.format);
  if (format === topic.format && topic.encoding === undefined) return topic;
  return { ...topic, format, encoding: undefined, keyEncoding: undefined, hints: undefined, uses: undefined };
};

const plainFormat = (kind: Kind, format: Format): Format => {
  switch (kind) {
    case "deleted":
    case "envelope":
      return "debezium-json";
    case "row":
      return "json";
    case "record":
      if (ENVELOPES.has(format)) return "debezium-json";
      if (FLATTENED.has(format)) return "debezium-json-flattened";
      return format === "avro" ? "json" : format;
  }
};

/**
 * What a line of a file is, by its members; `text` is the line as it was written. A row that has only columns called key and
 * value is taken for a record.
 */
export const givenLine = (value: unknown, text: string, format: Format): Given => {
  const rest = { key: null, headers: {} };
  if (!isObject(value)) return { ...rest, kind: "record", value: text };
  const names = Object.keys(value);
  if (names.includes("value") && names.every((name) => RECORD_MEMBERS.has(name))) {
    const { key = null, headers } = value;
    return { kind: "record", key, value: value["value"], headers: isObject(headers) ? textsOf(headers) : {} };
  }
  const inner = isObject(value["payload"]) ? value["payload"] : value;
  if (typeof inner["op"] === "string" && ("after" in inner || "before" in inner))
    return { ...rest, kind: "envelope", value: text };
  const isPlain = ENVELOPES.has(format) || format === "json" || format === "avro";
  return { ...rest, kind: isPlain ? "row" : "record", value: text };
};

const RECORD_MEMBERS = new Set(["key", "value", "headers"]);

const textsOf = (headers: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

/** The record of a topic that holds it: text as it is, null as a tombstone, anything else as JSON. */
export const recordOf = ({ kind, key, value, headers }: Given, topic: string, offset: number): ConsumerRecord => {
  const bytes = {
    key: bytesOf(key),
    value: bytesOf(kind === "deleted" ? { op: "d", before: value, after: null } : value),
    headers: Object.entries(headers).map(([name, text]): RecordHeader => [name, Buffer.from(text)]),
  };
  const size = (bytes.key?.length ?? 0) + (bytes.value?.length ?? 0);
  const position = { topic, partition: 0, offset: BigInt(offset), epoch: 0 };
  return { position, timestampMs: 0, ...bytes, bytes: size };
};

const bytesOf = (value: unknown): Buffer | null => {
  if (value === null || value === undefined) return null;
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
};

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
