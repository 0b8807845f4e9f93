/**
 * Headers as they are on the wire. kafkajs keeps them in an object, which loses the order between names, and cannot write a
 * null value at all; a dead letter must carry them untouched. Its record codec calls `reduce` on the list it has read, and
 * `map` on the list of values of each name it writes: a list of ours that answers both with itself passes through unchanged.
 */
import type { IHeaders } from "kafkajs";
import type { RecordHeader } from "../domain/record.ts";

interface WireHeader {
  readonly key: string;
  readonly value: Buffer | null;
}

class WireHeaders extends Array<WireHeader> {
  override reduce(): never {
    return this as never;
  }

  override map(): never {
    return Array.from(this) as never;
  }
}

// Stands for a null value while kafkajs measures the record: both lengths, 0 and -1, take one byte on the wire.
const NULL_VALUE = Buffer.alloc(0);

/** For a produced message. */
export const toWireHeaders = (headers: readonly RecordHeader[]): IHeaders => {
  const wire = new WireHeaders();
  for (const [key, value] of headers) wire.push({ key, value: value ?? NULL_VALUE });
  return { all: wire } as unknown as IHeaders;
};

/** Of a consumed message, in wire order; the values are slices of the fetch buffer. */
export const fromWireHeaders = (headers: IHeaders | undefined): readonly WireHeader[] =>
  headers instanceof WireHeaders && headers.length > 0 ? Array.from(headers) : NO_HEADERS;

const NO_HEADERS: readonly WireHeader[] = [];

interface EncoderInside {
  prototype: { writeVarIntBytes(this: unknown, value: Buffer | null): unknown };
}
interface DecoderInside {
  // Record headers are the only thing that kafkajs reads with it.
  prototype: { readVarIntArray(this: unknown, read: (decoder: unknown) => WireHeader): WireHeader[] };
}

/** Patches kafkajs's encoder and decoder; call it once. */
export const keepWireHeaders = (encoder: EncoderInside, decoder: DecoderInside): void => {
  const { writeVarIntBytes } = encoder.prototype;
  encoder.prototype.writeVarIntBytes = function (value) {
    return writeVarIntBytes.call(this, value === NULL_VALUE ? null : value);
  };
  const { readVarIntArray } = decoder.prototype;
  decoder.prototype.readVarIntArray = function (read) {
    const headers = new WireHeaders();
    headers.push(...readVarIntArray.call(this, read));
    return headers;
  };
};
