/**
 * Avro's binary encoding, read from front to end. Every read checks the end: broken bytes end in a DecodeError
 * `truncated-avro`, never in a read beyond them or in an allocation that they ask for.
 */
import { isUtf8 } from "node:buffer";
import { badValue, DecodeError } from "./decode-error.ts";
import { markNumber, markText, type Raw } from "./raw.ts";

const LOW_BITS = 28;
const LOW = 2 ** LOW_BITS;
/** A high part below this makes a number of at most 53 bits. */
const SAFE_HIGH = 2 ** (53 - LOW_BITS);

export class AvroCursor {
  readonly bytes: Buffer;
  /** Nesting of structs, lists and maps, for schemas that refer to themselves. */
  depth = 0;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.#at = at;
  }

  get left(): number {
    return this.bytes.length - this.#at;
  }

  byte(): number {
    const byte = this.bytes[this.#at++];
    if (byte === undefined) throw broken("end in the middle of a value");
    return byte;
  }

  /** A zigzag varint of at most 64 bits: a number up to 2^53, a marked number beyond. */
  long(): number | string {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < LOW_BITS; shift += 7) {
      const byte = this.byte();
      low += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return unzigzag(low, 0);
    }
    for (let shift = 0; shift < 42; shift += 7) {
      const byte = this.byte();
      high += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return unzigzag(low, high);
    }
    throw broken("hold a number of more than 64 bits");
  }

  /** A length, a count or an index. */
  int(): number {
    const long = this.long();
    if (typeof long === "string") throw broken("hold a length beyond 2^53");
    return long;
  }

  take(size: number): Buffer {
    const from = this.#skip(size);
    return this.bytes.subarray(from, this.#at);
  }

  text(): string {
    const from = this.#skip(this.int());
    const text = this.bytes.toString("utf8", from, this.#at);
    // Only a replacement character can be the trace of bytes that are no UTF-8.
    if (text.includes("\ufffd") && !isUtf8(this.bytes.subarray(from, this.#at))) throw badValue("A text is not UTF-8.");
    return markText(text);
  }

  /** The shortest decimal of the float, 0.1 and not 0.10000000149011612, as JSON has it. */
  float(): number | string {
    const float = this.bytes.readFloatLE(this.#skip(4));
    for (let digits = 6; digits < 9; digits++) {
      const number = Number(float.toPrecision(digits));
      if (Math.fround(number) === float) return number;
    }
    return double(float);
  }

  double(): number | string {
    return double(this.bytes.readDoubleLE(this.#skip(8)));
  }

  /** Where the next `size` bytes begin. */
  #skip(size: number): number {
    if (size < 0 || size > this.left) throw broken("end in the middle of a value");
    const from = this.#at;
    this.#at += size;
    return from;
  }

  /** Items of an array or map, block by block; every item takes at least one byte, so the count is bounded by the bytes. */
  blocks(readItem: () => void): void {
    for (let count = this.int(); count !== 0; count = this.int()) {
      if (count < 0) this.long(); // the block's size in bytes, for readers that skip
      const items = Math.abs(count);
      if (items > this.left) throw broken("announce more items than they hold");
      for (let item = 0; item < items; item++) readItem();
    }
  }
}

export const broken = (what: string): DecodeError => new DecodeError("truncated-avro", `The Avro bytes ${what}.`);

/** JSON has no word for these; JsonConverter writes them as text, and so do we. */
const double = (number: number): number | string => (Number.isFinite(number) ? number : String(number));

const unzigzag = (low: number, high: number): number | string => {
  if (high < SAFE_HIGH) {
    const number = high * LOW + low;
    return low % 2 === 0 ? number / 2 : -(number + 1) / 2;
  }
  const bits = BigInt.asUintN(64, (BigInt(high) << BigInt(LOW_BITS)) | BigInt(low));
  const number = (bits >> 1n) ^ -(bits & 1n);
  return Number.isSafeInteger(Number(number)) ? Number(number) : markNumber(String(number));
};

export type AvroReader = (cursor: AvroCursor) => Raw;
