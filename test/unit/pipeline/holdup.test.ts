import { expect, test } from "vitest";
import { holdupOf } from "../../../src/pipeline/holdup.ts";
import { Entry } from "../../../src/window/entry.ts";
import { aMutation, aPosition, aRecord } from "../../support/builders.ts";

const position = aPosition({ topic: "orders", partition: 3, offset: 1_041n });

const anEntry = (state: Partial<Pick<Entry, "state" | "alone" | "attempts">>): Entry => {
  const entry = new Entry("deals", "7");
  entry.queue.push(aMutation({ record: aRecord({ position, timestampMs: 9 }) }));
  return Object.assign(entry, state);
};

test.each([
  ["it waits for its parent", { state: "parked" }, "parent"],
  ["it was tried alone, in vain", { state: "waiting", alone: true, attempts: 3 }, "trouble"],
  ["it takes several steps, alone", { state: "ready", alone: true, attempts: 0 }, null],
  ["it is sent again with others", { state: "waiting", alone: false, attempts: 3 }, null],
  ["it waits for its turn", { state: "ready" }, null],
] as const)("when %s", (_, state, by) => {
  expect(holdupOf(anEntry(state))).toEqual(by === null ? null : { by, position: "orders[3]@1041", timestampMs: 9 });
});

test("nothing is held up where nothing is", () => {
  expect(holdupOf(null)).toBeNull();
  expect(holdupOf(new Entry("deals", "7"))).toBeNull();
});
