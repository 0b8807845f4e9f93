/**
 * From a record's bytes to the changes they tell of. A format is an encoding (how bytes become values) and a shape (which
 * values are the row); each is one file, and the table below says which go together.
 */
import type { Change, Decoded, Row } from "../domain/change.ts";
import { ConnectorError } from "../domain/errors.ts";
import type { ConsumerRecord } from "../domain/record.ts";
import type { Decoder } from "../domain/stages.ts";
import { ColdSchema, createAvroReader } from "./avro-reader.ts";
import { DecodeError } from "./decode-error.ts";
import { decodeEnvelope } from "./envelope.ts";
import { decodeFlattened } from "./flattened.ts";
import { createJsonReader } from "./json-reader.ts";
import { compileHints, type Datum, type Hints, type StructPlan, toRow } from "./plan.ts";
import { isStruct } from "./raw.ts";
import type { SchemaSource } from "./schema-source.ts";
import { type Shape, skip } from "./shape.ts";

const FORMATS = {
  "debezium-json": { encoding: "json", shape: decodeEnvelope },
  "debezium-avro": { encoding: "avro", shape: decodeEnvelope },
  "debezium-json-flattened": { encoding: "json", shape: decodeFlattened },
  "debezium-avro-flattened": { encoding: "avro", shape: decodeFlattened },
} as const satisfies Readonly<Record<string, { encoding: "json" | "avro"; shape: Shape }>>;

export type Format = keyof typeof FORMATS;

export interface TopicFormat {
  readonly format: Format;
  /** Types of columns that carry none of their own, key columns included. */
  readonly hints?: Hints;
  /** The first names a record key that is a bare value; else the record's key columns come with their names. */
  readonly keyColumns?: readonly string[];
}

export interface DecoderDependencies {
  /** Null: no registry is configured, and no topic may be in Avro. */
  readonly schemas: SchemaSource | null;
}

/** Everything known of a topic before its first record. */
interface CompiledTopic {
  readonly readKey: ReadDatum;
  readonly readValue: ReadDatum;
  readonly shape: Shape;
  readonly hints: StructPlan["columns"];
  readonly keyColumn: string | undefined;
}

type ReadDatum = (bytes: Buffer, recordTimestampMs: number) => Datum;

/** Throws ConnectorError `REGISTRY_MISSING` when a topic is in Avro and there is no registry. Records of other topics are skipped. */
export const createDecoder = (topics: ReadonlyMap<string, TopicFormat>, { schemas }: DecoderDependencies): Decoder => {
  const compiled = new Map([...topics].map(([topic, format]) => [topic, compileTopic(topic, format, schemas)]));

  const decode = (record: ConsumerRecord): Decoded | Promise<Decoded> => {
    const topic = compiled.get(record.position.topic);
    if (topic === undefined) return skip("no-route");
    try {
      return decodeRecord(record, topic);
    } catch (error) {
      if (!(error instanceof ColdSchema) || schemas === null) throw error;
      // At most twice a record, for its key and for its value: what has been loaded is at hand in the next turn.
      return schemas.load(error.id, record.timestampMs).then(() => decode(record));
    }
  };
  return { decode };
};

const compileTopic = (
  name: string,
  { format, hints = {}, keyColumns = [] }: TopicFormat,
  schemas: SchemaSource | null,
): CompiledTopic => {
  const { encoding, shape } = FORMATS[format];
  const reader = (): ReadDatum => {
    if (encoding === "json") return createJsonReader();
    if (schemas !== null) return createAvroReader(schemas);
    throw new ConnectorError(
      "REGISTRY_MISSING",
      `The topic ${name} is in Avro; say in schemaRegistry.url where its schemas are.`,
      {
        retriable: false,
      },
    );
  };
  return { readKey: reader(), readValue: reader(), shape, hints: compileHints(hints), keyColumn: keyColumns[0] };
};

/** Throws ColdSchema. */
const decodeRecord = (record: ConsumerRecord, topic: CompiledTopic): Decoded => {
  if (record.key === null && record.value === null) return skip("null-key-null-value");
  let part = "key";
  try {
    const key = record.key === null ? null : keyOf(read(topic.readKey, record.key, record), topic);
    part = "value";
    // The broker's tombstone: usually the echo of a delete just before, but alone where that was compacted away.
    if (record.value === null) return deletion(key, true);
    const { raw, plan } = read(topic.readValue, record.value, record);
    // `null` as text or as payload: a delete whose row a transform dropped.
    if (raw === null) return deletion(key, false);
    if (!isStruct(raw)) throw new DecodeError("shape-mismatch", "It is not a struct.");
    return topic.shape({ value: raw, plan, hints: topic.hints, key });
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const message = `The record's ${part} cannot be decoded. ${error.message}`;
    return { status: "errant", errant: { stage: "decode", reason: error.reason, message } };
  }
};

const read = (readDatum: ReadDatum, bytes: Buffer, { timestampMs }: ConsumerRecord): Datum => {
  if (bytes.length === 0)
    throw new DecodeError("empty-value", "It has zero bytes, which is neither a value nor a tombstone.");
  return readDatum(bytes, timestampMs);
};

const keyOf = ({ raw, plan }: Datum, { hints, keyColumn }: CompiledTopic): Row | null => {
  if (isStruct(raw)) return toRow(raw, plan, hints);
  return raw === null || keyColumn === undefined ? null : toRow({ [keyColumn]: raw }, plan, hints);
};

const deletion = (key: Row | null, tombstone: boolean): Decoded => {
  if (key === null)
    throw new DecodeError(
      "unidentifiable-delete",
      "It is a delete, and the record key names no column; if the key is a bare value, name its column in keyColumns.",
    );
  const change: Change = {
    op: "d",
    key,
    before: null,
    after: null,
    version: null,
    origin: "unknown",
    tombstone,
    sourceTsMs: null,
    txId: null,
  };
  return { status: "changes", changes: [change] };
};
