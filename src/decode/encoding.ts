/** Encodings: how the bytes of a key or value become values. Configured per topic, since none can be told by looking. */
import type { ConsumerRecord } from "../domain/record.ts";
import {
  apicurio8Framing,
  apicurioHeaderFraming,
  confluentFraming,
  type Framing,
  guidHeaderFraming,
  type Part,
} from "./avro-framing.ts";
import { createAvroReader } from "./avro-reader.ts";
import { ColdSchema } from "./cold-schema.ts";
import { DecodeError } from "./decode-error.ts";
import { createJsonReader, utf8 } from "./json-reader.ts";
import { type Datum, NO_PLAN } from "./plan.ts";
import { isStruct, markText } from "./raw.ts";
import type { SchemaSource } from "./schema-source.ts";

export type Encoding =
  /** Kafka Connect's JSON, with or without a schema around the payload. */
  | "json"
  /** A zero, four bytes of schema id, and JSON. The schema adds nothing that hints do not. */
  | "confluent-json-schema"
  /** Apicurio's ExtJsonConverter: `{"schemaId":3,"payload":..}`, or a zero, an id of eight or four bytes, and JSON. */
  | "apicurio-json"
  | "confluent-avro"
  | "confluent-avro-guid-header"
  | "apicurio-avro-headers"
  | "apicurio-avro-8";

/** Keys may also be bare text, as StringConverter writes them. */
export type KeyEncoding = Encoding | "text";

/** Throws DecodeError; where schemas are needed also ColdSchema. */
export type ReadDatum = (bytes: Buffer, record: ConsumerRecord) => Datum;

type ReadJson = (bytes: Buffer) => Datum;

/** One reader for the keys and one for the values of a topic. Null: the encoding needs a registry, and there is none. */
export const createReader = (encoding: KeyEncoding, part: Part, schemas: SchemaSource | null): ReadDatum | null => {
  const avro = (framing: Framing): ReadDatum | null =>
    schemas === null ? null : createAvroReader(schemas, framing, part);
  switch (encoding) {
    case "json":
      return unlessRegistered(createJsonReader(), part, schemas);
    case "confluent-json-schema":
      return unlessRegistered(jsonBehindId(createJsonReader(), PREFIX_BYTES), part, schemas);
    case "apicurio-json":
      return apicurioJson(createJsonReader());
    case "text":
      return (bytes) => ({ raw: markText(utf8(bytes)), plan: NO_PLAN });
    case "confluent-avro":
      return avro(confluentFraming);
    case "confluent-avro-guid-header":
      return avro(guidHeaderFraming(part));
    case "apicurio-avro-headers":
      return avro(apicurioHeaderFraming(part));
    case "apicurio-avro-8":
      return avro(apicurio8Framing);
  }
};

/**
 * A topic that a serializer wrote in another format than JSON would be a topic of dead letters. So what begins with a
 * schema id and cannot be read is asked about first; a broken record of JSON keeps its own fault.
 */
const unlessRegistered =
  (readJson: ReadJson, part: Part, schemas: SchemaSource | null): ReadDatum =>
  (bytes, record) => {
    try {
      return readJson(bytes);
    } catch (error) {
      if (schemas === null || bytes[0] !== 0 || bytes.length <= PREFIX_BYTES) throw error;
      const { id } = confluentFraming(bytes, record.headers);
      const kind = schemas.kind(id, record.timestampMs);
      throw kind === "JSON" || kind === "missing" ? error : new ColdSchema(id, part, "JSON");
    }
  };

const PREFIX_BYTES = 5;
const LONG_PREFIX_BYTES = 9;

/** JSON text never begins with a zero, so bytes without the prefix are those whose id travels in a header. */
const jsonBehindId =
  (readJson: ReadJson, prefixBytes: number): ReadJson =>
  (bytes) => {
    if (bytes[0] !== 0) return readJson(bytes);
    if (bytes.length <= prefixBytes) throw new DecodeError("invalid-json", "It ends before its schema id does.");
    return readJson(bytes.subarray(prefixBytes));
  };

/** No id is 0, so four zeros are the upper half of one with eight bytes. What stands behind the id is bare JSON. */
const apicurioJson = (readJson: ReadJson): ReadJson => {
  const [short, long] = [jsonBehindId(readJson, PREFIX_BYTES), jsonBehindId(readJson, LONG_PREFIX_BYTES)];
  return (bytes) => {
    if (bytes[0] === 0) return bytes.length > PREFIX_BYTES && bytes.readUInt32BE(1) > 0 ? short(bytes) : long(bytes);
    const { raw, plan } = readJson(bytes);
    // Its first versions say `id`.
    const isWrapped = isStruct(raw) && "payload" in raw && ("schemaId" in raw || "id" in raw);
    if (isWrapped) return { raw: raw.payload ?? null, plan };
    throw new DecodeError("shape-mismatch", "It is no JSON of Apicurio's converter: schemaId and payload are missing.");
  };
};
