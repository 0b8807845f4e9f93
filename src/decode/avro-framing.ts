/**
 * Where a record's schema id stands, and where its Avro begins. Ids in headers come first: behind them the bytes are bare
 * Avro, which may itself begin with the zero that opens the framings with an id in the bytes.
 */
import type { RecordHeader } from "../domain/record.ts";
import { DecodeError } from "./decode-error.ts";
import type { SchemaId } from "./schema-id.ts";

export type Part = "key" | "value";

export interface Framed {
  readonly id: SchemaId;
  /** Offset of the datum. */
  readonly from: number;
}

/** Throws DecodeError `unknown-magic-byte` or `truncated-avro`. */
export type Framing = (bytes: Buffer, headers: readonly RecordHeader[]) => Framed;

/** A zero and the id in four bytes, big-endian. */
export const confluentFraming: Framing = (bytes) => {
  checkMagic(bytes, 4);
  return { id: bytes.readUInt32BE(1), from: 5 };
};

/** A zero and the id in eight bytes, big-endian. It looks like Confluent's id 0, so it is never guessed. */
export const apicurio8Framing: Framing = (bytes) => {
  checkMagic(bytes, 8);
  return { id: `apicurioId:${bytes.readBigUInt64BE(1)}`, from: 9 };
};

/** `__value_schema_id`: one byte that tells what follows, 1 for a GUID of 16 bytes and 0 for an id of four. */
export const guidHeaderFraming = (part: Part): Framing => {
  const name = `__${part}_schema_id`;
  return (bytes, headers) => {
    const header = headerOf(headers, name);
    if (header === null) return confluentFraming(bytes, headers);
    if (header[0] === 0 && header.length === 5) return { id: header.readUInt32BE(1), from: 0 };
    if (header[0] === 1 && header.length === 17) return { id: `guid:${guidText(header.subarray(1))}`, from: 0 };
    throw unreadable(name);
  };
};

/** `apicurio.value.globalId` or `.contentId`: a long. */
export const apicurioHeaderFraming = (part: Part): Framing => {
  const kinds = ["globalId", "contentId"] as const;
  const names = kinds.map((kind) => ({ kind, name: `apicurio.${part}.${kind}` }));
  return (bytes, headers) => {
    for (const { kind, name } of names) {
      const header = headerOf(headers, name);
      if (header === null) continue;
      if (header.length !== 8) throw unreadable(name);
      return { id: `${kind}:${header.readBigUInt64BE()}`, from: 0 };
    }
    return apicurio8Framing(bytes, headers);
  };
};

const checkMagic = (bytes: Buffer, idBytes: number): void => {
  if (bytes[0] !== 0)
    throw new DecodeError(
      "unknown-magic-byte",
      "It is not Avro as its encoding frames it: the first byte is not zero.",
    );
  if (bytes.length <= idBytes) throw new DecodeError("truncated-avro", "It ends before its schema id does.");
};

/** The last of a name, as Kafka's clients take it: a record that was passed on may carry the ids of its former life. */
const headerOf = (headers: readonly RecordHeader[], name: string): Buffer | null =>
  headers.findLast(([other]) => other === name)?.[1] ?? null;

const guidText = (bytes: Buffer): string =>
  bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");

const unreadable = (header: string): DecodeError =>
  new DecodeError("unknown-magic-byte", `Its header ${header} does not have the size of a schema id.`);
