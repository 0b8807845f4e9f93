/**
 * From a record's bytes to the changes they tell of. A format is an encoding (how bytes become values) and a shape (which
 * values are the row); each is one file, and the table below says which go together.
 */
import type { Change, Decoded, Row } from "../domain/change.ts";
import { ConnectorError } from "../domain/errors.ts";
import type { ConsumerRecord } from "../domain/record.ts";
import type { Decoder } from "../domain/stages.ts";
import { ColdSchema } from "./cold-schema.ts";
import { DecodeError } from "./decode-error.ts";
import { createReader, type Encoding, type KeyEncoding, type ReadDatum } from "./encoding.ts";
import { FORMATS, type Format, type FormatSpec } from "./formats.ts";
import { compileHints, type Datum, type Hints, toRow } from "./plan.ts";
import { isStruct, type Raw, type RawStruct } from "./raw.ts";
import type { SchemaSource } from "./schema-source.ts";
import { type DeleteFlag, type ShapeSettings, skip } from "./shape.ts";
import { unavailableBy } from "./unavailable.ts";
import { type ColumnUses, guardsOf, type OnUntyped } from "./untyped.ts";

export interface TopicFormat {
  readonly format: Format;
  /** Another encoding than the format's own. */
  readonly encoding?: Encoding | undefined;
  /** Another one for the keys, since key and value converters may differ. */
  readonly keyEncoding?: KeyEncoding | undefined;
  /** Types of columns that carry none of their own, key columns included. */
  readonly hints?: Hints | undefined;
  /** The key of rows whose record key does not tell it. A single one also names a record key that is a bare value. */
  readonly keyColumns?: readonly string[] | undefined;
  /** Of plain rows: columns that rise with every change. */
  readonly versionColumns?: readonly string[] | undefined;
  /** Of plain rows: what marks a deleted one. */
  readonly deleteFlag?: DeleteFlag | undefined;
  /** Of DMS: the member that holds the row before an update, as its task names it. */
  readonly beforeField?: string | undefined;
  /** Debezium's `unavailable.value.placeholder`, where it is not the default. */
  readonly unavailableValuePlaceholder?: string | undefined;
  /** What the mapping reads columns as, for those that a schemaless record leaves without a type; none: nothing is guarded. */
  readonly uses?: ColumnUses | undefined;
}

export interface DecoderDependencies {
  /** Null: no registry is configured, and no topic may be in Avro. */
  readonly schemas: SchemaSource | null;
  /** Given: told of columns without type, instead of refusing the records of those that need one. */
  readonly onUntyped?: OnUntyped;
}

/** Everything known of a topic before its first record. */
interface CompiledTopic {
  readonly format: FormatSpec;
  readonly settings: ShapeSettings;
  /** Null: the record key is not looked at. */
  readonly readKey: ReadDatum | null;
  readonly readValue: ReadDatum;
  /** Avro inside a value that is itself JSON. */
  readonly readNested: ReadDatum | null;
  readonly keyColumn: string | undefined;
}

/** Throws ConnectorError `REGISTRY_MISSING` when a topic is in Avro and there is no registry. Records of other topics are skipped. */
export const createDecoder = (topics: ReadonlyMap<string, TopicFormat>, deps: DecoderDependencies): Decoder => {
  const { schemas } = deps;
  const compiled = new Map([...topics].map(([topic, format]) => [topic, compileTopic(topic, format, deps)]));

  const decode = (record: ConsumerRecord): Decoded | Promise<Decoded> => {
    const topic = compiled.get(record.position.topic);
    if (topic === undefined) return skip("no-route");
    try {
      return decodeRecord(record, topic);
    } catch (error) {
      if (!(error instanceof ColdSchema) || schemas === null) throw error;
      // Once for each schema a record names, at most three: what has been loaded is at hand in the next turn.
      const { id, part, expects } = error;
      const use = { topic: record.position.topic, part, expects, recordTimestampMs: record.timestampMs };
      return schemas.load(id, use).then(() => decode(record));
    }
  };
  return { decode };
};

const compileTopic = (name: string, topic: TopicFormat, { schemas, onUntyped }: DecoderDependencies): CompiledTopic => {
  const format = FORMATS[topic.format];
  const { encoding = format.encoding, keyEncoding = encoding, hints = {}, keyColumns = [] } = topic;
  const reader = (encoding: KeyEncoding, part: "key" | "value"): ReadDatum => {
    const read = createReader(encoding, part, schemas);
    if (read !== null) return read;
    const message = `The topic ${name} is in Avro; say in schemaRegistry.url where its schemas are.`;
    throw new ConnectorError("REGISTRY_MISSING", message, { retriable: false });
  };
  return {
    format,
    settings: {
      hints: compileHints(hints),
      keyColumns,
      versionColumns: topic.versionColumns ?? [],
      deleteFlag: topic.deleteFlag ?? null,
      beforeField: topic.beforeField ?? null,
      isUnavailable: unavailableBy(topic.unavailableValuePlaceholder),
      guards: topic.uses && guardsOf(topic.uses, onUntyped),
    },
    readKey: format.key === "ignored" ? null : reader(keyEncoding, "key"),
    readValue: reader(encoding, "value"),
    readNested: createReader("confluent-avro", "value", schemas),
    keyColumn: keyColumns.length > 1 ? undefined : (keyColumns[0] ?? format.keyColumn),
  };
};

/** Throws ColdSchema. */
const decodeRecord = (record: ConsumerRecord, topic: CompiledTopic): Decoded => {
  if (record.key === null && record.value === null) return skip("null-key-null-value");
  const { readKey, readNested, format, settings } = topic;
  let part = "key";
  try {
    const key = record.key === null || readKey === null ? null : keyOf(read(readKey, record.key, record), topic);
    part = "value";
    // The broker's tombstone: usually the echo of a delete just before, but alone where that was compacted away.
    if (record.value === null) return deletion(key, true);
    const { raw, plan } = read(topic.readValue, record.value, record);
    const value = format.open === undefined ? raw : format.open(raw);
    // `null` as text or as payload: a delete whose row a transform dropped.
    if (value === null) return deletion(key, false);
    if (!isStruct(value)) throw new DecodeError("shape-mismatch", "It is not a struct.");
    const readAvro = readNested === null ? null : (bytes: Buffer) => readNested(bytes, record);
    return format.shape({ value, plan, key, settings, readAvro });
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const message = `The record's ${part} cannot be decoded. ${error.message}`;
    return { status: "errant", errant: { stage: "decode", reason: error.reason, message } };
  }
};

/** Whatever is done with a record takes time and memory in proportion to its bytes, so that this bounds both. */
const MAX_BYTES = 32 * 1024 * 1024;

const read = (readDatum: ReadDatum, bytes: Buffer, record: ConsumerRecord): Datum => {
  if (bytes.length === 0)
    throw new DecodeError("empty-value", "It has zero bytes, which is neither a value nor a tombstone.");
  if (bytes.length > MAX_BYTES) throw new DecodeError("too-large", `It has more than ${MAX_BYTES} bytes.`);
  return readDatum(bytes, record);
};

const keyOf = ({ raw, plan }: Datum, { format, settings, keyColumn }: CompiledTopic): Row | null => {
  const struct = typeof format.key === "function" ? format.key(raw) : namedKey(raw, keyColumn);
  // A bare value has no plan even where a schema says what it is, so that nothing is known to lack a type.
  return struct === null ? null : toRow(struct, plan, isStruct(raw) ? settings : { ...settings, guards: undefined });
};

const namedKey = (raw: Raw, keyColumn: string | undefined): RawStruct | null => {
  if (isStruct(raw)) return raw;
  return raw === null || keyColumn === undefined ? null : { [keyColumn]: raw };
};

const deletion = (key: Row | null, tombstone: boolean): Decoded => {
  if (key === null)
    throw new DecodeError(
      "unidentifiable-delete",
      "It is a delete, and no record key names its row; if the key is a bare value, name its column in keyColumns.",
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
