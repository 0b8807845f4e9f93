import { expect, test } from "vitest";
import { drainS } from "../../../src/lib/drain.ts";

test.each([
  { backlog: 0, arrivedPerS: null, workedOffPerS: null, cooldownS: 9, drain: 0 },
  { backlog: null, arrivedPerS: 1, workedOffPerS: 2, cooldownS: 0, drain: null },
  { backlog: 100, arrivedPerS: 1, workedOffPerS: null, cooldownS: 0, drain: null },
  { backlog: 100, arrivedPerS: 2, workedOffPerS: 12, cooldownS: 0, drain: 10 },
  { backlog: 100, arrivedPerS: 2, workedOffPerS: 12, cooldownS: 50, drain: 70 },
  { backlog: 100, arrivedPerS: 2, workedOffPerS: 2, cooldownS: 0, drain: Number.POSITIVE_INFINITY },
])("$backlog records, $arrivedPerS/s more, $workedOffPerS/s less, after $cooldownS s: $drain s", (row) => {
  expect(drainS(row.backlog, row, row.cooldownS)).toBe(row.drain);
});
