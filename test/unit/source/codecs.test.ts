import { gzipSync, zstdCompressSync } from "node:zlib";
import snappy from "kafkajs-snappy";
import { compressFrameSync } from "lz4-napi";
import { describe, expect, it } from "vitest";
import { gzipCodec, lz4Codec, snappyCodec, UNPACKED_BYTES_MAX, zstdCodec } from "../../../src/source/codecs.ts";

const codecs = { gzip: gzipCodec, snappy: snappyCodec, lz4: lz4Codec, zstd: zstdCodec };
const bomb = Buffer.alloc(UNPACKED_BYTES_MAX + 1);

describe.each(Object.entries(codecs))("%s", (name, codec) => {
  it.each([0, 1, 70_000, 5_000_000])("returns the %d bytes it was given", async (size) => {
    const bytes = Buffer.from(Array.from({ length: Math.min(size, 1_000) }, (_, i) => i % 251));
    const input = size > 1_000 ? Buffer.alloc(size, bytes) : bytes;
    const output = await codec.decompress(await codec.compress({ buffer: input }));
    expect(output.equals(input)).toBe(true);
  });

  it("refuses to unpack more than its limit", async () => {
    await expect(codec.decompress(await packed(name))).rejects.toMatchObject({
      code: "BATCH_TOO_LARGE",
      retriable: false,
    });
  });

  it("refuses garbage with a sentence", async () => {
    await expect(codec.decompress(Buffer.from("no such thing, at least 16 bytes"))).rejects.toMatchObject({
      code: expect.stringMatching(/BATCH_/),
      retriable: false,
    });
  });
});

const packed = async (name: string): Promise<Buffer> => {
  switch (name) {
    case "gzip":
      return gzipSync(bomb);
    case "zstd":
      return zstdCompressSync(bomb);
    case "lz4":
      return compressFrameSync(bomb);
    default:
      return snappyBomb();
  }
};

/** Kafka's own framing, many blocks of 1 MiB zeros. */
const snappyBomb = async (): Promise<Buffer> => {
  const block = await snappy().compress({ buffer: Buffer.alloc(1_048_576) });
  const length = Buffer.alloc(4);
  length.writeUInt32BE(block.length);
  const header = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
  return Buffer.concat([header, ...Array.from({ length: 65 }, () => [length, block]).flat()]);
};
