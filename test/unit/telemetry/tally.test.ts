import fc from "fast-check";
import { Counter, Histogram, Registry } from "prom-client";
import { expect, test } from "vitest";
import { TallyCounter, TallyHistogram } from "../../../src/telemetry/tally.ts";

const BOUNDS = [0.1, 1, 10];
const names = fc.constantFrom("a", "b", "c");

const sorted = async (registry: Registry): Promise<string[]> => (await registry.metrics()).split("\n").toSorted();

test("a tally says at each scrape exactly what the library's own metrics would say", async () => {
  const observation = fc.tuple(names, names, fc.double({ min: 0, max: 100, noNaN: true }));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(observation)), async (scrapes) => {
      const [ours, theirs] = [new Registry(), new Registry()];
      const declaration = { name: "h", help: "h", labelNames: ["x", "y"] as const };
      const tallyHistogram = new TallyHistogram({ ...declaration, registry: ours }, BOUNDS);
      const histogram = new Histogram({ ...declaration, buckets: BOUNDS, registers: [theirs] });
      const tallyCounter = new TallyCounter("c", "c", "x", ours, ["a"]);
      const counter = new Counter({ name: "c", help: "c", labelNames: ["x"], registers: [theirs] });
      counter.inc({ x: "a" }, 0);
      for (const observations of scrapes) {
        for (const [x, y, value] of observations) {
          tallyHistogram.add(x, y, value);
          histogram.observe({ x, y }, value);
          tallyCounter.add(x, 2);
          counter.inc({ x }, 2);
        }
        expect(await sorted(ours)).toEqual(await sorted(theirs));
      }
    }),
    { numRuns: 50 },
  );
});
