import fc from "fast-check";
import { expect, test } from "vitest";
import { History, type Sample } from "../../../src/admin/history.ts";

const TEN_S = 10_000;

const aSample = (
  index: number,
  counts: Readonly<Record<string, number>> = {},
  levels: Readonly<Record<string, number>> = {},
): Sample => ({
  ...{ atMs: 1_000_000 + TEN_S * index, forMs: TEN_S },
  counts: new Map(Object.entries(counts)),
  levels: new Map(Object.entries(levels)),
});

const aHistory = (...samples: readonly Sample[]): History => {
  const history = new History();
  for (const sample of samples) history.add(sample);
  return history;
};

test("an hour is kept sample by sample, in order, and the oldest gives way", () => {
  const { atMs, counts } = aHistory(...Array.from({ length: 400 }, (_, i) => aSample(i, { calls: i }))).series("1h");
  expect(atMs).toHaveLength(360);
  expect([atMs[0], atMs.at(-1)]).toEqual([aSample(40).atMs, aSample(399).atMs]);
  expect([counts["calls"]?.[0], counts["calls"]?.at(-1)]).toEqual([40, 399]);
});

test("six hours are kept by the minute: counts are added up, of levels the highest stays", () => {
  const samples = [3, 9, 1, 0, 2, 4, 7].map((value, i) => aSample(i, { calls: value }, { lag: value }));
  expect(aHistory(...samples).series("6h")).toEqual({
    atMs: [aSample(5).atMs],
    counts: { calls: [19] },
    levels: { lag: [9] },
  });
});

test("what was not said is nothing for a count and unknown for a level, also after a whole turn", () => {
  const first = aHistory(aSample(0, { calls: 1 }, { lag: 5 }), aSample(1), aSample(2, { late: 2 }, { age: 7 }));
  expect(first.series("1h")).toMatchObject({
    counts: { calls: [1, 0, 0], late: [0, 0, 2] },
    levels: { lag: [5, null, null], age: [null, null, 7] },
  });
  const turned = aHistory(...Array.from({ length: 361 }, (_, i) => aSample(i, i === 0 ? { calls: 1 } : {}, {})));
  expect(turned.series("1h").counts).toEqual({});
});

test("columns are bounded, whatever names come", () => {
  const names = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`reason-${i}`, 1]));
  const { counts, levels } = aHistory(aSample(0, names, names), aSample(1, { late: 1 }, names)).series("1h");
  expect(Object.keys(counts).length + Object.keys(levels).length).toBe(96);
  expect(counts["late"]).toBeUndefined();
});

test("no count is lost between the hour and the six hours, however long a look takes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ forMs: fc.integer({ min: 1, max: 90_000 }), calls: fc.nat({ max: 1_000 }) }), {
        maxLength: 300,
      }),
      (looks) => {
        const history = new History();
        let atMs = 0;
        let open = { forMs: 0, calls: 0 };
        for (const { forMs, calls } of looks) {
          atMs += forMs;
          history.add({ atMs, forMs, counts: new Map([["calls", calls]]), levels: new Map() });
          open = open.forMs >= 60_000 ? { forMs, calls } : { forMs: open.forMs + forMs, calls: open.calls + calls };
        }
        const sum = (span: "1h" | "6h"): number =>
          (history.series(span).counts["calls"] ?? []).reduce((total, calls) => total + calls, 0);
        expect(sum("6h") + (open.forMs >= 60_000 ? 0 : open.calls)).toBe(sum("1h"));
        const { atMs: times } = history.series("6h");
        expect(times).toEqual(times.toSorted((a, b) => a - b));
      },
    ),
  );
});
