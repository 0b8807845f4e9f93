/** Avro in Confluent's framing: a zero, the schema id in four bytes, big-endian, and the datum. */
import type { AvroSchema } from "./avro-schema.ts";
import { DecodeError } from "./decode-error.ts";
import type { Datum } from "./plan.ts";
import type { SchemaSource } from "./schema-source.ts";

const HEADER_BYTES = 5;

/** Thrown when a schema is not at hand yet: `load` the id and decode again. */
export class ColdSchema extends Error {
  readonly id: number;

  constructor(id: number) {
    super(`schema ${id} is not loaded`);
    this.id = id;
  }
}

/** Throws DecodeError, or ColdSchema. */
export const createAvroReader =
  (schemas: SchemaSource) =>
  (bytes: Buffer, recordTimestampMs: number): Datum => {
    const id = schemaIdOf(bytes);
    const schema: AvroSchema | undefined = schemas.find(id, recordTimestampMs);
    if (schema === undefined) throw new ColdSchema(id);
    return { raw: schema.read(bytes, HEADER_BYTES), plan: schema.plan };
  };

const schemaIdOf = (bytes: Buffer): number => {
  if (bytes[0] !== 0)
    throw new DecodeError("unknown-magic-byte", "It is not Avro in Confluent's framing: the first byte is not zero.");
  if (bytes.length < HEADER_BYTES) throw new DecodeError("truncated-avro", "It ends before its schema id does.");
  return bytes.readUInt32BE(1);
};
