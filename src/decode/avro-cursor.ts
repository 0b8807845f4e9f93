/**
 * Avro's binary encoding, read from front to end. Every read checks the end: broken bytes end in a DecodeError
 * `truncated-avro`, never in a read beyond them or in an allocation that they ask for.
 */
import { isUtf8 } from "node:buffer";
import { badValue, DecodeError } from "./decode-error.ts";
import { markNumber, markText, type Raw } from "./raw.ts";

const LOW_BITS = 28;
/** What the high part counts in, once the sign's bit is gone. */
const HALF = 2 ** (LOW_BITS - 1);
/** A high part below this makes a number of about 53 bits, and one up to the other a number of 64. */
const SAFE_HIGH = 2 ** (53 - LOW_BITS + 1);
const MAX_HIGH = 2 ** (64 - LOW_BITS);
/** Of the last of six bytes of the high part. */
const MAX_SCALE = 128 ** 5;

/** No connector's schema comes near: an envelope is about ten structs, and each item of a list has a byte at least. */
const FREE_VALUES = 100_000;
const VALUES_PER_BYTE = 10;

export class AvroCursor {
  readonly bytes: Buffer;
  /** Nesting of structs, lists and maps, for schemas that refer to themselves. */
  depth = 0;
  #at: number;
  /** What may still be built. */
  #budget: number;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.#at = at;
    this.#budget = FREE_VALUES + VALUES_PER_BYTE * bytes.length;
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
    const byte = this.bytes[this.#at];
    if (byte === undefined || byte >= 0x80) return this.#longer();
    this.#at++;
    return (byte >>> 1) ^ -(byte & 1);
  }

  #longer(): number | string {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < LOW_BITS; shift += 7) {
      const byte = this.byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (low >>> 1) ^ -(low & 1);
    }
    for (let scale = 1; scale <= MAX_SCALE; scale *= 128) {
      const byte = this.byte();
      high += (byte & 0x7f) * scale;
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

  /**
   * To be paid for each field and item before it is read. Nulls, empty structs and fixed types of no bytes
   * cost nothing on the wire, and a few schemas that name each other make a billion of them out of an empty record.
   */
  spend(values: number): void {
    this.#budget -= values;
    if (this.#budget < 0) throw broken("announce more than they hold");
  }

  /** Items of an array or map, block by block. */
  blocks(readItem: () => void): void {
    for (let count = this.int(); count !== 0; count = this.int()) {
      if (count < 0) this.long(); // the block's size in bytes, for readers that skip
      const items = Math.abs(count);
      this.spend(items);
      for (let item = 0; item < items; item++) readItem();
    }
  }
}

export const broken = (what: string): DecodeError => new DecodeError("truncated-avro", `The Avro bytes ${what}.`);

/** JSON has no word for these; JsonConverter writes them as text, and so do we. */
const double = (number: number): number | string => (Number.isFinite(number) ? number : String(number));

const unzigzag = (low: number, high: number): number | string => {
  if (high < SAFE_HIGH) {
    const half = high * HALF + (low >>> 1);
    const number = (low & 1) === 0 ? half : -half - 1;
    if (Number.isSafeInteger(number)) return number;
  }
  if (high >= MAX_HIGH) throw broken("hold a number of more than 64 bits");
  const half = BigInt(high) * BigInt(HALF) + BigInt(low >>> 1);
  return markNumber(String((low & 1) === 0 ? half : -half - 1n));
};

export type AvroReader = (cursor: AvroCursor) => Raw;
