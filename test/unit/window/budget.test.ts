import fc from "fast-check";
import { expect, test } from "vitest";
import { Budget } from "../../../src/window/budget.ts";

test("one partition may fill the common half, and leaves every other its share", () => {
  const budget = new Budget({ maxRecords: 100, maxBytes: 1_000_000 });
  const greedy = { records: 75, bytes: 0 };
  const idle = { records: 0, bytes: 0 };
  expect([...budget.full([greedy, idle])]).toEqual([greedy]);
  expect([...budget.full([{ records: 74, bytes: 0 }, idle])]).toEqual([]);
});

test("whoever fetches while not full can never bring the sum beyond the bound", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.nat(), { maxLength: 2_000 }), (count, choices) => {
      const budget = new Budget({ maxRecords: 1_000, maxBytes: Number.MAX_SAFE_INTEGER });
      const accounts = Array.from({ length: count }, () => ({ records: 0, bytes: 0 }));
      for (const choice of choices) {
        const account = accounts[choice % count];
        if (account !== undefined && !budget.full(accounts).has(account)) account.records += 1;
      }
      expect(accounts.reduce((sum, { records }) => sum + records, 0)).toBeLessThanOrEqual(1_000 + count);
    }),
  );
});
