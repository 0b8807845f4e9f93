/** What a registry may say to the question for a schema. */

export type RegistryAnswer =
  /** Parsed; the ones it refers to first, its own last. */
  | { readonly status: "found"; readonly schemas: readonly unknown[] }
  /** There is a schema, and it is none of Avro's: `PROTOBUF` or `JSON`. */
  | { readonly status: "other-kind"; readonly kind: string }
  /** The registry answers and has no such id. */
  | { readonly status: "missing" }
  /** A credential, a permission or the address is wrong. */
  | { readonly status: "refused"; readonly cause: string }
  | { readonly status: "unreachable"; readonly cause: string };

/** Thrown in the middle of a question that is answered by it. Causes hold no secret. */
export class Answered extends Error {
  readonly answer: RegistryAnswer;

  constructor(answer: Exclude<RegistryAnswer, { status: "found" }>) {
    super(answer.status);
    this.answer = answer;
  }
}

/** The first line of a message, for a sentence. */
export const shortCause = (text: string): string => text.split("\n", 1)[0]?.slice(0, 200) ?? "";

/** The schema is there, and what it refers to is not: that says nothing about the record. */
const REFERENCE_MISSING = { status: "unreachable", cause: "a schema that it refers to is missing" } as const;

/** For the `catch` of a question for a reference. */
export const ofReference = (error: unknown): never => {
  throw error instanceof Answered && error.answer.status === "missing" ? new Answered(REFERENCE_MISSING) : error;
};
