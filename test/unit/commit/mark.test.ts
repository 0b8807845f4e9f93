import fc from "fast-check";
import { expect, test } from "vitest";
import { readMark, writeMark } from "../../../src/commit/mark.ts";

const header = fc.record({
  state: fc.constantFrom("open" as const, "clean" as const),
  nonce: fc.stringMatching(/^[0-9a-z-]{1,24}$/),
  account: fc.stringMatching(/^[0-9a-f]{8}$/),
  cooldownUntilMs: fc.integer({ min: 0, max: 4e12 }),
});

test("what is written is read again, within the broker's limit", () => {
  fc.assert(
    fc.property(
      header,
      fc.bigInt({ min: 0n, max: 2n ** 62n }),
      fc.uniqueArray(fc.integer({ min: 1, max: 19_999 })),
      (mark, committed, above) => {
        const settled = above.sort((a, b) => a - b).map((bit) => committed + BigInt(bit));
        const text = writeMark({ ...mark, trustedFrom: committed + 7n }, committed, settled);
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(3_900);
        expect(readMark(text, committed)).toEqual({ ...mark, trustedFrom: committed + 7n, settled });
      },
    ),
  );
});

test("offsets beyond the longest bitmap are left out and simply come again", () => {
  const mark = { state: "clean", nonce: "n", account: "a", cooldownUntilMs: 0, trustedFrom: 0n } as const;
  const text = writeMark(mark, 0n, [1n, 19_999n, 1_000_000n]);
  expect(readMark(text, 0n)?.settled).toEqual([1n, 19_999n]);
});

test("any other text is no mark, and never an error", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.constant(null)), (text) => {
      expect(readMark(text, 0n)).toBeNull();
    }),
  );
});
