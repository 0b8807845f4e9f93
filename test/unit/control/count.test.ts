/** Counting for a brake in one process. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { LocalCount } from "../../../src/control/count.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const HOUR_MS = 3_600_000;

test("in no hour do more keys pass than the limit, and none is refused while fewer have", async () => {
  const ask = fc.record({
    afterMs: fc.integer({ min: 0, max: HOUR_MS }),
    keys: fc.array(fc.constantFrom("1", "2", "3", "4", "5", "6"), { minLength: 1, maxLength: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.nat(4), fc.array(ask, { maxLength: 20 }), async (limit, asks) => {
      const clock = new FakeClock();
      const count = new LocalCount(clock);
      /** When a key passed and was not counted before. */
      const counted: { readonly key: string; readonly atMs: number }[] = [];
      for (const { afterMs, keys } of asks) {
        clock.advance(afterMs);
        const atMs = clock.monotonicMs();
        const { within } = await count.count("deletions", "r", limit, keys);
        for (const [i, key] of keys.entries()) {
          const recent = new Set(counted.filter((one) => one.atMs > atMs - HOUR_MS).map((one) => one.key));
          const tripped = within.slice(0, i).includes(false);
          expect(within[i]).toBe(!tripped && (recent.has(key) || recent.size < limit));
          if (within[i] === true && !recent.has(key)) counted.push({ key, atMs });
        }
      }
    }),
    { numRuns: 500 },
  );
});
