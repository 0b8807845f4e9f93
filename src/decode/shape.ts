/** A shape turns what an encoding read into changes. It knows the members of its JSON object or Avro record, not their bytes. */
import type { Decoded, Row } from "../domain/change.ts";
import type { StructPlan } from "./plan.ts";
import type { RawStruct } from "./raw.ts";

export interface ShapeInput {
  readonly value: RawStruct;
  readonly plan: StructPlan;
  readonly hints: StructPlan["columns"];
  /** The decoded record key; null when the record has none, or only a bare value nobody named. */
  readonly key: Row | null;
}

/** Throws DecodeError for what is neither the shape nor one of its control records. */
export type Shape = (input: ShapeInput) => Decoded;

export const skip = (reason: string): Decoded => ({ status: "skip", reason });
