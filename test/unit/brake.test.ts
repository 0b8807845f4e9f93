/** The brake on mass deletion and creation. */
import { expect, test } from "vitest";
import { Brake, type BrakeLimits, type Trip } from "../../src/brake.ts";
import type { Mutation } from "../../src/domain/mutation.ts";
import { aMutation, aPosition, aRecord } from "../support/builders.ts";
import { FakeClock } from "../support/fake-clock.ts";

const HOUR_MS = 3_600_000;

const aBrake = (limits: Partial<BrakeLimits>) => {
  const clock = new FakeClock();
  const trips: Trip[] = [];
  const brake = new Brake(
    () => ({ deletions: null, creations: null, ...limits }),
    clock,
    (trip) => trips.push(trip),
  );
  const mayDelete = (...keys: readonly (string | number)[]) => keys.map((key) => brake.mayDelete(ofKey(String(key))));
  return { clock, brake, trips, mayDelete };
};

const ofKey = (key: string, route = "customers"): Mutation =>
  aMutation({ key, route, action: "delete", record: aRecord({ position: aPosition({ topic: `erp.${route}` }) }) });

test("lets so many through an hour, then stops the topic and says so once, with keys", () => {
  const { brake, trips, mayDelete } = aBrake({ deletions: 6 });
  expect(mayDelete(1, 2, 3, 4, 5, 6)).toEqual(Array(6).fill(true));
  expect(brake.isStopped("erp.customers")).toBe(false);
  expect(mayDelete(7, 8)).toEqual([false, false]);
  expect(brake.isStopped("erp.customers")).toBe(true);
  expect(trips).toEqual([
    {
      ...{ route: "customers", topic: "erp.customers", kind: "deletions", limit: 6 },
      samples: ["3", "4", "5", "6", "7"],
    },
  ]);
});

test("counts a record once, however often its deletion is tried", () => {
  const { mayDelete } = aBrake({ deletions: 2 });
  expect(mayDelete(1, 1, 1, 2, 1, 2)).toEqual(Array(6).fill(true));
});

test("counts the last hour, and each route for itself", () => {
  const { brake, clock, mayDelete } = aBrake({ deletions: 2 });
  expect(mayDelete(1, 2)).toEqual([true, true]);
  expect(brake.mayDelete(ofKey("1", "orders"))).toBe(true);
  clock.advance(HOUR_MS);
  expect(mayDelete(3, 4)).toEqual([true, true]);
  clock.advance(HOUR_MS - 1);
  expect(mayDelete(5)).toEqual([false]);
});

test("stays until a person has looked: time alone does not release it", () => {
  const { brake, clock, mayDelete } = aBrake({ deletions: 0 });
  expect(mayDelete(1)).toEqual([false]);
  clock.advance(10 * HOUR_MS);
  expect(brake.isStopped("erp.customers")).toBe(true);
});

test("without a number it never stops; creations have one of their own", () => {
  const { brake, trips, mayDelete } = aBrake({ creations: 1 });
  expect(mayDelete(...Array.from({ length: 5_000 }, (_, i) => i))).not.toContain(false);
  brake.created(ofKey("1"));
  expect(trips).toEqual([]);
  brake.created(ofKey("2"));
  expect(trips).toMatchObject([{ kind: "creations", limit: 1, samples: ["1", "2"] }]);
});
