/** The one way in which bytes fail. Thrown inside this folder only: the decoder turns it into an errant record. */

/** Stable names: operators filter dead letters by them. */
export type DecodeReason =
  /** Zero bytes, which is neither a value nor a tombstone. */
  | "empty-value"
  /** More bytes than any change of a row has. */
  | "too-large"
  /** The text does not parse, is not UTF-8, or is nested too deep. */
  | "invalid-json"
  /** Avro was expected and the first byte is not the framing's zero. */
  | "unknown-magic-byte"
  /** The registry does not have the schema id, also after a time of grace. */
  | "schema-unknown"
  /** Avro bytes end too early, go on too long, or break the encoding. */
  | "truncated-avro"
  /** Neither the shape the topic is configured for nor one of its control records. */
  | "shape-mismatch"
  | "unknown-op"
  /** An insert, update or read without the row it is about. */
  | "missing-after"
  /** A delete that names no row. */
  | "unidentifiable-delete"
  /** A column does not fit its type: base64, scale, date, number. */
  | "bad-value";

/** `message` is one sentence for a person and never quotes a payload. */
export class DecodeError extends Error {
  readonly reason: DecodeReason;

  constructor(reason: DecodeReason, message: string) {
    super(message);
    this.name = "DecodeError";
    this.reason = reason;
  }
}

export const badValue = (message: string): DecodeError => new DecodeError("bad-value", message);
