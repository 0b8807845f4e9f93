import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Watermark } from "../../../src/commit/watermark.ts";

const ascending = (a: bigint, b: bigint): number => (a < b ? -1 : 1);

describe("watermark", () => {
  test("commits nothing past an unsettled record", () => {
    const watermark = new Watermark(10n);
    for (const offset of [10n, 11n, 12n]) watermark.track(offset, 0);
    watermark.settle(11n);
    watermark.settle(12n);
    expect(watermark.committable).toBe(10n);
    expect([...watermark.settledOffsets()]).toEqual([11n, 12n]);
    watermark.settle(10n);
    expect(watermark.committable).toBe(13n);
    expect(watermark.settledAbove).toBe(0);
  });

  test("a record settles when the last of its mutations has", () => {
    const watermark = new Watermark(0n);
    watermark.track(0n, 0);
    watermark.expect(0n, 3, "live");
    expect([watermark.settle(0n), watermark.settle(0n)]).toEqual([false, false]);
    expect(watermark.committable).toBe(0n);
    expect(watermark.settle(0n)).toBe(true);
    expect(watermark.committable).toBe(1n);
  });

  test("behind a record of which one part is settled, everything comes again", () => {
    const watermark = new Watermark(0n);
    for (const offset of [0n, 1n, 2n, 3n]) watermark.track(offset, 0);
    watermark.expect(2n, 2, "live");
    for (const offset of [1n, 2n, 3n]) watermark.settle(offset);
    expect([...watermark.settledOffsets()]).toEqual([1n]);
    watermark.settle(2n);
    expect([...watermark.settledOffsets()]).toEqual([1n, 2n, 3n]);
  });

  test("offsets that an earlier owner settled are not delivered again", () => {
    const watermark = new Watermark(5n, [6n, 8n]);
    expect([5n, 6n, 7n, 8n].map((offset) => watermark.track(offset, 0))).toEqual([true, false, true, false]);
    watermark.settle(5n);
    expect(watermark.committable).toBe(7n);
    watermark.settle(7n);
    expect(watermark.committable).toBe(9n);
  });

  test("steps over what an earlier owner settled, though it was not read again yet", () => {
    const watermark = new Watermark(5n, [6n, 7n, 9n]);
    watermark.track(5n, 0);
    watermark.settle(5n);
    expect(watermark.committable).toBe(8n);
    expect([...watermark.settledOffsets()]).toEqual([9n]);
    expect([6n, 7n, 8n].map((offset) => watermark.track(offset, 0))).toEqual([false, false, true]);
  });

  test("an end without records is passed, once nothing before it is left", () => {
    const watermark = new Watermark(5n, [7n]);
    watermark.track(5n, 0);
    watermark.pass(7n);
    expect([watermark.next, watermark.committable]).toEqual([7n, 5n]);
    watermark.settle(5n);
    expect(watermark.committable).toBe(8n);
    watermark.pass(4n);
    expect([watermark.next, watermark.committable]).toEqual([8n, 8n]);
  });

  test("the oldest pending record is told by lane", () => {
    const watermark = new Watermark(0n);
    for (const offset of [0n, 1n]) watermark.track(offset, 100 + Number(offset));
    watermark.expect(0n, 1, "backfill");
    expect([watermark.oldestPendingMs("backfill"), watermark.oldestPendingMs("live")]).toEqual([100, 101]);
    watermark.settle(1n);
    expect(watermark.oldestPendingMs("live")).toBeNull();
  });

  // The model is the definition itself: the longest prefix of tracked records that are all settled.
  test("is the longest settled prefix, whatever order records settle in, across owners", () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant("fetch" as const),
        gap: fc.integer({ min: 0, max: 3 }),
        owed: fc.integer({ min: 1, max: 3 }),
      }),
      fc.record({ do: fc.constant("settle" as const), pick: fc.nat() }),
      fc.record({ do: fc.constant("pass" as const), gap: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ do: fc.constant("refetch" as const) }),
      fc.record({ do: fc.constant("reassign" as const) }),
      fc.record({ do: fc.constant("late" as const), offset: fc.nat(50) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        let watermark = new Watermark(0n);
        let end = 0n;
        const owed = new Map<bigint, number>();
        const settled = new Set<bigint>();
        const fetched: bigint[] = [];
        const partly = new Set<bigint>();
        const known = (): bigint[] => {
          const cut = [...partly].sort(ascending)[0];
          return [...settled]
            .filter((offset) => offset > watermark.committable && (cut === undefined || offset < cut))
            .sort(ascending);
        };
        let floor = 0n;
        for (const action of steps) {
          if (action.do === "fetch") {
            const offset = end + BigInt(action.gap);
            end = offset + 1n;
            fetched.push(offset);
            expect(watermark.track(offset, 0)).toBe(true);
            watermark.expect(offset, action.owed, "live");
            owed.set(offset, action.owed);
          } else if (action.do === "settle" && owed.size > 0) {
            const offset = [...owed.keys()][action.pick % owed.size] as bigint;
            const left = (owed.get(offset) as number) - 1;
            expect(watermark.settle(offset)).toBe(left === 0);
            if (left > 0) {
              owed.set(offset, left);
              partly.add(offset);
            } else {
              owed.delete(offset);
              partly.delete(offset);
              settled.add(offset);
            }
          } else if (action.do === "pass") {
            end += BigInt(action.gap);
            watermark.pass(end);
            if (owed.size === 0) expect(watermark.committable).toBe(end);
          } else if (action.do === "refetch") {
            for (const offset of fetched) expect(watermark.track(offset, 0)).toBe(false);
          } else if (action.do === "late" && !owed.has(BigInt(action.offset))) {
            expect(watermark.settle(BigInt(action.offset))).toBe(false);
          } else if (action.do === "reassign") {
            const start = watermark.committable;
            const handedOver = known();
            watermark = new Watermark(start, [...watermark.settledOffsets()]);
            owed.clear();
            partly.clear();
            for (const offset of settled) if (offset >= start && !handedOver.includes(offset)) settled.delete(offset);
            for (const offset of fetched.filter((offset) => offset >= start)) {
              const isNew = watermark.track(offset, 0);
              expect(isNew).toBe(!settled.has(offset));
              if (isNew) owed.set(offset, 1);
            }
          }
          const firstUnsettled = fetched.find((offset) => owed.has(offset));
          const expected = firstUnsettled ?? end;
          // Between the last settled record and the first unsettled one there may be a gap without records.
          expect(fetched.some((offset) => offset >= watermark.committable && offset < expected)).toBe(false);
          expect(watermark.committable <= expected).toBe(true);
          expect(watermark.committable >= floor).toBe(true);
          floor = watermark.committable;
          expect([...watermark.settledOffsets()]).toEqual(known());
        }
      }),
      { numRuns: 500 },
    );
  });
});
