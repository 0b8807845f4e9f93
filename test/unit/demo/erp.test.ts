import fc from "fast-check";
import { expect, test } from "vitest";
import { Dice, seeded } from "../../../src/demo/dice.ts";
import { Erp } from "../../../src/demo/erp.ts";
import { CHANGES_MIN } from "../../../src/demo/options.ts";
import { type ErpChange, KEY_COLUMNS } from "../../../src/demo/tables.ts";

const aDay = (changes: number, waves: number, seed: number) => {
  const erp = new Erp(new Dice(seeded(seed)));
  return { erp, waves: [...erp.work(changes, waves)] };
};

const days = fc.record({
  changes: fc.integer({ min: CHANGES_MIN, max: 1_500 }),
  waves: fc.integer({ min: 2, max: 6 }),
  seed: fc.integer(),
});

const nameOf = ({ table, before, after }: ErpChange): string => `${table} ${(after ?? before)?.[KEY_COLUMNS[table]]}`;

test("a day has as many changes and waves as were asked for, and every kind of change", () => {
  fc.assert(
    fc.property(days, ({ changes, waves, seed }) => {
      const day = aDay(changes, waves, seed);
      const all = day.waves.flat();
      expect(day.waves).toHaveLength(waves);
      expect(all).toHaveLength(changes);
      expect(new Set(all.map(({ op }) => op))).toEqual(new Set(["c", "u", "d"]));
      expect(all.some(({ alters }) => !alters)).toBe(true);
    }),
  );
});

test("each change follows from the one before it of the same row, and its revision rises only with what is mapped", () => {
  fc.assert(
    fc.property(days, ({ changes, waves, seed }) => {
      const last = new Map<string, ErpChange>();
      for (const change of aDay(changes, waves, seed).waves.flat()) {
        const before = last.get(nameOf(change));
        expect(change.before).toEqual(before?.after ?? null);
        if (change.op === "u") {
          const { revision: _, touched_at: __, ...mapped } = change.after ?? {};
          const { revision: ___, touched_at: ____, ...was } = change.before ?? {};
          expect(JSON.stringify(mapped) === JSON.stringify(was)).toBe(!change.alters);
          expect(change.revision).toBe((before?.revision ?? 0) + (change.alters ? 1 : 0));
        }
        last.set(nameOf(change), change);
      }
    }),
  );
});

test("nothing refers to a row that was deleted", () => {
  fc.assert(
    fc.property(days, ({ changes, waves, seed }) => {
      const { erp } = aDay(changes, waves, seed);
      const customers = new Set(erp.customers.map(({ id }) => id));
      const contacts = new Set(erp.contacts.map(({ id }) => id));
      expect(erp.contacts.every(({ customer_id }) => customers.has(customer_id))).toBe(true);
      expect(erp.orders.every(({ contact_id }) => contacts.has(contact_id))).toBe(true);
      expect(erp.deletedCustomers.some(({ id }) => customers.has(id))).toBe(false);
    }),
  );
});

test("the same seed gives the same day", () => {
  expect(aDay(300, 5, 7).waves).toEqual(aDay(300, 5, 7).waves);
  expect(aDay(300, 5, 7).waves).not.toEqual(aDay(300, 5, 8).waves);
});
