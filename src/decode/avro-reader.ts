/** Avro by the schema whose id the record carries. */
import type { ConsumerRecord } from "../domain/record.ts";
import type { Framing, Part } from "./avro-framing.ts";
import { ColdSchema } from "./cold-schema.ts";
import type { Datum } from "./plan.ts";
import type { SchemaSource } from "./schema-source.ts";

/** Throws DecodeError, or ColdSchema. */
export const createAvroReader =
  (schemas: SchemaSource, framing: Framing, part: Part) =>
  (bytes: Buffer, { headers, timestampMs }: ConsumerRecord): Datum => {
    const { id, from } = framing(bytes, headers);
    const schema = schemas.find(id, timestampMs);
    if (schema === undefined) throw new ColdSchema(id, part, "AVRO");
    return { raw: schema.read(bytes, from), plan: schema.plan };
  };
