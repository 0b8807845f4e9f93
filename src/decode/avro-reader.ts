/** Avro by the schema whose id the record carries. */
import type { ConsumerRecord } from "../domain/record.ts";
import type { Framing } from "./avro-framing.ts";
import type { Datum } from "./plan.ts";
import type { SchemaId } from "./schema-id.ts";
import type { SchemaSource } from "./schema-source.ts";

/** Thrown when a schema is not at hand yet: `load` the id and decode again. */
export class ColdSchema extends Error {
  readonly id: SchemaId;

  constructor(id: SchemaId) {
    super(`schema ${id} is not loaded`);
    this.id = id;
  }
}

/** Throws DecodeError, or ColdSchema. */
export const createAvroReader =
  (schemas: SchemaSource, framing: Framing) =>
  (bytes: Buffer, { headers, timestampMs }: ConsumerRecord): Datum => {
    const { id, from } = framing(bytes, headers);
    const schema = schemas.find(id, timestampMs);
    if (schema === undefined) throw new ColdSchema(id);
    return { raw: schema.read(bytes, from), plan: schema.plan };
  };
