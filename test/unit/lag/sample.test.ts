import fc from "fast-check";
import { expect, test } from "vitest";
import { type Look, lagReport, type Sample } from "../../../src/lag/sample.ts";

const aLook = (look: Partial<Look> = {}): Look => ({
  ...{ topic: "t", partition: 0, next: 10, end: 110, ageS: 60, paused: null },
  ...look,
});
const at = (seconds: number, ...looks: readonly Look[]): Sample => ({ atMs: seconds * 1_000, looks });

test("two looks tell rates and the time to drain at them", () => {
  const report = lagReport(at(0, aLook()), at(5, aLook({ next: 60, end: 135 })));
  const expected = { records: 75, ageS: 60, workedPerS: 10, arrivedPerS: 5, drainS: 15 };
  expect(report.partitions).toEqual([{ topic: "t", partition: 0, paused: null, ...expected }]);
  expect(report.total).toEqual(expected);
});

test("what arrives faster than it is worked off never drains", () => {
  const [lag] = lagReport(at(0, aLook()), at(1, aLook({ next: 15, end: 120 }))).partitions;
  expect(lag).toMatchObject({ workedPerS: 5, arrivedPerS: 10, drainS: null });
});

test("nothing pending is drained, whatever the rates", () => {
  expect(lagReport(null, at(0, aLook({ next: 110 }))).partitions).toMatchObject([{ records: 0, drainS: 0 }]);
});

test("a new partition and one that was reset have no rates; an unknown position has no lag", () => {
  const { partitions } = lagReport(
    at(0, aLook({ next: 50 })),
    at(1, aLook({ next: 20 }), aLook({ partition: 1 }), aLook({ partition: 2, next: null })),
  );
  expect(partitions).toMatchObject([
    { partition: 0, workedPerS: null, drainS: null },
    { partition: 1, workedPerS: null, arrivedPerS: null, records: 100 },
    { partition: 2, records: null, drainS: null },
  ]);
});

test("partitions come by topic and number, and the total is that of all of them", () => {
  const looks = fc.uniqueArray(
    fc.record({
      topic: fc.constantFrom("a", "b"),
      partition: fc.nat(20),
      next: fc.nat(1_000),
      end: fc.integer({ min: 1_000, max: 2_000 }),
      ageS: fc.nat(),
      paused: fc.constant(null),
    }),
    { selector: ({ topic, partition }) => `${topic} ${partition}`, minLength: 1 },
  );
  fc.assert(
    fc.property(looks, (some) => {
      const { partitions, total } = lagReport(null, at(1, ...some));
      const names = partitions.map(({ topic, partition }) => `${topic} ${String(partition).padStart(2, "0")}`);
      expect(names).toEqual([...names].sort());
      expect(total.records).toBe(some.reduce((sum, { next, end }) => sum + end - next, 0));
      expect(total.ageS).toBe(Math.max(...some.map(({ ageS }) => ageS)));
    }),
  );
});
