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
import { DecodeError } from "./decode-error.ts";
import { createJsonReader, utf8 } from "./json-reader.ts";
import { type Datum, NO_PLAN } from "./plan.ts";
import { markText } from "./raw.ts";
import type { SchemaSource } from "./schema-source.ts";

export type Encoding =
  /** Kafka Connect's JSON, with or without a schema around the payload. */
  | "json"
  /** A zero, four bytes of schema id, and JSON. The schema adds nothing that hints do not. */
  | "confluent-json-schema"
  | "confluent-avro"
  | "confluent-avro-guid-header"
  | "apicurio-avro-headers"
  | "apicurio-avro-8";

/** Keys may also be bare text, as StringConverter writes them. */
export type KeyEncoding = Encoding | "text";

/** Throws DecodeError; where schemas are needed also ColdSchema. */
export type ReadDatum = (bytes: Buffer, record: ConsumerRecord) => Datum;

/** One reader for the keys and one for the values of a topic. Null: the encoding needs a registry, and there is none. */
export const createReader = (encoding: KeyEncoding, part: Part, schemas: SchemaSource | null): ReadDatum | null => {
  const avro = (framing: Framing): ReadDatum | null => (schemas === null ? null : createAvroReader(schemas, framing));
  switch (encoding) {
    case "json":
      return createJsonReader();
    case "confluent-json-schema":
      return jsonBehindId(createJsonReader());
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

const PREFIX_BYTES = 5;

/** JSON text never begins with a zero, so bytes without the prefix are those whose id travels in a header. */
const jsonBehindId =
  (readJson: (bytes: Buffer) => Datum): ReadDatum =>
  (bytes) => {
    if (bytes[0] !== 0) return readJson(bytes);
    if (bytes.length <= PREFIX_BYTES) throw new DecodeError("invalid-json", "It ends before its schema id does.");
    return readJson(bytes.subarray(PREFIX_BYTES));
  };
