/**
 * Compression codecs for kafkajs: its own gzip without a limit, and the three that it lacks. Each refuses to unpack more than
 * 64 MiB a batch, because a few kilobytes can unpack to gigabytes; a refusal stops the consumer with a sentence.
 */
import { promisify } from "node:util";
import { gunzip, gzip, zstdCompress, zstdDecompress } from "node:zlib";
import snappy from "kafkajs-snappy";
import { compressFrame, decompressFrame } from "lz4-napi";
import { ConnectorError } from "../domain/errors.ts";

/** Most bytes that one batch may unpack to. Brokers accept batches of 1 MiB by default, and compress up to about 1:50. */
export const UNPACKED_BYTES_MAX = 64 * 1024 * 1024;

interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(buffer: Buffer): Promise<Buffer>;
}

/** Factories by kafkajs's numbers of the codecs. */
export const codecs = (types: Readonly<Record<"GZIP" | "Snappy" | "LZ4" | "ZSTD", number>>) => ({
  [types.GZIP]: () => gzipCodec,
  [types.Snappy]: () => snappyCodec,
  [types.LZ4]: () => lz4Codec,
  [types.ZSTD]: () => zstdCodec,
});

const limit = { maxOutputLength: UNPACKED_BYTES_MAX };

export const gzipCodec: Codec = {
  compress: ({ buffer }) => promisify(gzip)(buffer),
  decompress: (buffer) => unpack("gzip", () => promisify(gunzip)(buffer, limit)),
};

export const zstdCodec: Codec = {
  compress: ({ buffer }) => promisify(zstdCompress)(buffer),
  decompress: (buffer) => unpack("zstd", () => promisify(zstdDecompress)(buffer, limit)),
};

// These two libraries know no limit, but both formats announce their sizes.
const xerialSnappy = snappy();

export const snappyCodec: Codec = {
  compress: (encoder) => xerialSnappy.compress(encoder),
  async decompress(buffer) {
    if (snappyBytes(buffer) > UNPACKED_BYTES_MAX) throw tooLarge("snappy");
    return unpack("snappy", () => xerialSnappy.decompress(buffer));
  },
};

export const lz4Codec: Codec = {
  compress: ({ buffer }) => compressFrame(buffer),
  async decompress(buffer) {
    if (lz4BytesMax(buffer) > UNPACKED_BYTES_MAX) throw tooLarge("lz4");
    return unpack("lz4", () => decompressFrame(buffer));
  },
};

const unpack = async (name: string, run: () => Promise<Buffer>): Promise<Buffer> => {
  try {
    return await run();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(name);
    throw new ConnectorError(
      "BATCH_UNREADABLE",
      `A ${name} batch from Kafka cannot be unpacked: ${(cause as Error).message}; the log line of the partition's last commit shows where reading stopped.`,
      { retriable: false, cause },
    );
  }
};

const tooLarge = (name: string): ConnectorError =>
  new ConnectorError(
    "BATCH_TOO_LARGE",
    `A ${name} batch from Kafka unpacks to more than ${UNPACKED_BYTES_MAX} bytes; find its producer, then move the group's offset past it.`,
    { retriable: false },
  );

const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER_BYTES = 16;

/** Unpacked size of a snappy batch, raw or in the xerial framing of Kafka's Java clients (blocks behind 4-byte lengths). */
const snappyBytes = (buffer: Buffer): number => {
  if (!buffer.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return snappyBlockBytes(buffer, 0);
  let total = 0;
  for (let at = XERIAL_HEADER_BYTES; at + 4 <= buffer.length; at += 4 + buffer.readUInt32BE(at)) {
    total += snappyBlockBytes(buffer, at + 4);
  }
  return total;
};

/** A block begins with its unpacked length as a little-endian base-128 number of at most five bytes. */
const snappyBlockBytes = (buffer: Buffer, start: number): number => {
  let bytes = 0;
  for (let i = 0; i < 5; i++) {
    const byte = buffer[start + i] ?? 0;
    bytes += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) break;
  }
  return bytes;
};

const LZ4_MAGIC = 0x184d2204;

/**
 * Upper bound of what LZ4 frames unpack to: a full block for each compressed one. An empty or foreign buffer gives 0: the
 * library then says what is wrong. https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 */
const lz4BytesMax = (buffer: Buffer): number => {
  let total = 0;
  let at = 0;
  while (at + 7 <= buffer.length && buffer.readUInt32LE(at) === LZ4_MAGIC) {
    const flags = buffer.readUInt8(at + 4);
    const blockBytes = 2 ** (8 + 2 * ((buffer.readUInt8(at + 5) >> 4) & 7));
    at += 6 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0) + 1; // content size, dictionary id, header checksum
    while (at + 4 <= buffer.length) {
      const word = buffer.readUInt32LE(at);
      at += 4;
      if (word === 0) break;
      const packedBytes = word & 0x7fffffff;
      total += word & 0x80000000 ? packedBytes : blockBytes;
      at += packedBytes + (flags & 0x10 ? 4 : 0);
    }
    at += flags & 0x04 ? 4 : 0;
  }
  return total;
};
