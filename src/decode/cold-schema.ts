/** Thrown when a schema is not at hand, or is not what a record needs: `load` the id, which says so, and decode again. */
import type { Part } from "./avro-framing.ts";
import type { ReadableKind } from "./schema-fault.ts";
import type { SchemaId } from "./schema-id.ts";

export class ColdSchema extends Error {
  readonly id: SchemaId;
  readonly part: Part;
  readonly expects: ReadableKind;

  constructor(id: SchemaId, part: Part, expects: ReadableKind) {
    super(`schema ${id} is not loaded`);
    this.id = id;
    this.part = part;
    this.expects = expects;
  }
}
