import fc from "fast-check";
import { expect, test } from "vitest";
import { MassFailure } from "../../../src/dead-letter/mass-failure.ts";

const watch = (outOf: number, moreThan: number) => {
  const stopped: [topic: string, failures: number][] = [];
  const massFailure = new MassFailure({ outOf, moreThan }, (...told) => stopped.push(told));
  return { stopped, massFailure };
};

test("the failure too many is not admitted, and nothing of its topic after it", () => {
  const { stopped, massFailure } = watch(10, 3);
  expect([1, 2, 3, 4, 5].map(() => massFailure.admits("a"))).toEqual([true, true, true, false, false]);
  massFailure.passed("a");
  expect(massFailure.admits("a")).toBe(false);
  expect(massFailure.isStopped("a")).toBe(true);
  expect(massFailure.isStopped("b")).toBe(false);
  expect(massFailure.admits("b")).toBe(true);
  expect(stopped).toEqual([["a", 4]]);
});

test("failures that lie further back than the last n records are forgotten", () => {
  const { massFailure } = watch(10, 3);
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 3; i++) expect(massFailure.admits("a")).toBe(true);
    for (let i = 0; i < 7; i++) massFailure.passed("a");
  }
});

test("as many as are looked back on never stop a topic", () => {
  const { massFailure } = watch(10, 10);
  for (let i = 0; i < 100; i++) expect(massFailure.admits("a")).toBe(true);
});

test("it stops at the first failure that makes more than m of the last n, whatever came before", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 12 }),
      fc.array(fc.boolean(), { maxLength: 80 }),
      (outOf, moreThan, records) => {
        const { massFailure } = watch(outOf, moreThan);
        const failed: boolean[] = [];
        for (const isFailure of records) {
          if (massFailure.isStopped("a")) return;
          failed.push(isFailure);
          const tooMany = failed.slice(-outOf).filter(Boolean).length > moreThan;
          if (!isFailure) massFailure.passed("a");
          else expect(massFailure.admits("a")).toBe(!tooMany);
        }
      },
    ),
  );
});
