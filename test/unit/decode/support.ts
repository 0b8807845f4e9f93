/** Builders for decode tests: records from text or bytes, decoders of one topic, schemas without a registry. */
import { type AvroSchema, compileAvroSchema } from "../../../src/decode/avro-schema.ts";
import { DecodeError } from "../../../src/decode/decode-error.ts";
import { createDecoder, type TopicFormat } from "../../../src/decode/decoder.ts";
import type { SchemaSource } from "../../../src/decode/schema-source.ts";
import type { Change, Decoded } from "../../../src/domain/change.ts";
import type { ConsumerRecord, RecordHeader } from "../../../src/domain/record.ts";

export const TOPIC = "erp.sales.customers";

type Bytes = string | Buffer | null;

const bytesOf = (bytes: Bytes): Buffer | null => (typeof bytes === "string" ? Buffer.from(bytes) : bytes);

export const aRecord = (
  value: Bytes,
  key: Bytes = '{"id":1}',
  headers: readonly RecordHeader[] = [],
): ConsumerRecord => ({
  position: { topic: TOPIC, partition: 0, offset: 7n, epoch: 1 },
  timestampMs: 1_795_516_614_742,
  key: bytesOf(key),
  value: bytesOf(value),
  headers,
  bytes: 0,
});

/** Schemas that are all known from the start, by the id alone: its kind is the registry's affair. */
const givenSchemas = (schemas: Readonly<Record<string, unknown>>): SchemaSource => {
  const compiled = new Map<string, AvroSchema>();
  for (const [id, schema] of Object.entries(schemas)) compiled.set(id, compileAvroSchema([schema]));
  return {
    find(id) {
      const schema = compiled.get(String(id).replace(/^\w+:/, ""));
      if (schema === undefined) throw new DecodeError("schema-unknown", `no schema ${id}`);
      return schema;
    },
    kind: () => "missing",
    load: () => Promise.reject(new Error("every schema is known")),
  };
};

/** Decodes without waiting: fails where a promise comes. */
export const decoderOf = (format: TopicFormat, schemas: Readonly<Record<string, unknown>> = {}) => {
  const decoder = createDecoder(new Map([[TOPIC, format]]), { schemas: givenSchemas(schemas) });
  return (record: ConsumerRecord): Decoded => {
    const decoded = decoder.decode(record);
    if (decoded instanceof Promise) throw new Error("decode was not synchronous");
    return decoded;
  };
};

/** All changes of a record. */
export const changesOf = (decoded: Decoded): readonly Change[] => {
  if (decoded.status !== "changes") throw new Error(`expected changes and got ${JSON.stringify(decoded)}`);
  return decoded.changes;
};

export const changeOf = (decoded: Decoded): Change => {
  if (decoded.status !== "changes" || decoded.changes[0] === undefined)
    throw new Error(`expected a change and got ${JSON.stringify(decoded)}`);
  return decoded.changes[0];
};

export const reasonOf = (decoded: Decoded): string =>
  decoded.status === "errant" ? decoded.errant.reason : decoded.status === "skip" ? decoded.reason : "a change";
