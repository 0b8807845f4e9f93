/** The brake on mass deletion and creation. */
import { expect, test } from "vitest";
import { Brake } from "../../../src/control/brake.ts";
import { type Count, LocalCount } from "../../../src/control/count.ts";
import type { BrakeNote } from "../../../src/control/notes.ts";
import type { BrakeLimits } from "../../../src/control/standing.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const HOUR_MS = 3_600_000;
const NONE = { deletions: null, creations: null };
const never = new AbortController().signal;

const aBrake = (limits: Partial<BrakeLimits>, more: { readonly count?: Count } = {}) => {
  const clock = new FakeClock();
  const events: unknown[] = [];
  let changes = 0;
  const brake = new Brake({
    routes: ["customers", "orders"].map((name) => ({ name, topic: `erp.${name}`, brake: { ...NONE, ...limits } })),
    count: more.count ?? new LocalCount(clock),
    clock,
    emit: (name, fields) => events.push([name, fields]),
    changed: () => (changes += 1),
  });
  const mayDelete = (...keys: readonly (string | number)[]) => brake.mayDelete(keys.map((key) => ofKey(String(key))));
  const learn = (revision: number, content: BrakeNote) => brake.learn("deletions", "customers", { revision, content });
  return { clock, brake, events, mayDelete, learn, changes: () => changes };
};

const ofKey = (key: string, route = "customers") => ({ key, route });

test("lets so many through an hour, then stops the topic and says so once, with keys", async () => {
  const { brake, events, mayDelete, changes } = aBrake({ deletions: 6 });
  expect(await mayDelete(1, 2, 3, 4, 5, 6)).toEqual(Array(6).fill(true));
  expect(brake.isStopped("erp.customers")).toBe(false);
  expect(await mayDelete(7, 8)).toEqual([false, false]);
  expect(await mayDelete(9)).toEqual([false]);
  expect([brake.isStopped("erp.customers"), brake.isStopped("erp.orders"), changes()]).toEqual([true, false, 1]);
  expect(events).toEqual([
    [
      "brake-engaged",
      {
        ...{ route: "customers", topic: "erp.customers", kind: "deletions", limit: 6 },
        samples: "3, 4, 5, 6, 7",
      },
    ],
  ]);
});

test("lets a part of a batch through, in its order", async () => {
  const { mayDelete } = aBrake({ deletions: 2 });
  expect(await mayDelete(1, 2, 3, 4)).toEqual([true, true, false, false]);
});

test("counts a record once, however often its deletion is tried", async () => {
  const { mayDelete } = aBrake({ deletions: 2 });
  expect(await mayDelete(1, 1, 1, 2, 1, 2)).toEqual(Array(6).fill(true));
});

test("counts the last hour, and each route for itself", async () => {
  const { brake, clock, mayDelete } = aBrake({ deletions: 2 });
  expect(await mayDelete(1, 2)).toEqual([true, true]);
  expect(await brake.mayDelete([ofKey("1", "orders"), ofKey("2", "orders")])).toEqual([true, true]);
  clock.advance(HOUR_MS);
  expect(await mayDelete(3, 4)).toEqual([true, true]);
  clock.advance(HOUR_MS - 1);
  expect(await mayDelete(5)).toEqual([false]);
});

test("stays until a person has looked: time alone does not release it", async () => {
  const { brake, clock, mayDelete } = aBrake({ deletions: 0 });
  expect(await mayDelete(1)).toEqual([false]);
  clock.advance(10 * HOUR_MS);
  expect(brake.isStopped("erp.customers")).toBe(true);
});

test("without a number it never stops, and asks nobody; creations have one of their own", async () => {
  const { brake, events, mayDelete } = aBrake({ creations: 1 });
  expect(await mayDelete(...Array.from({ length: 5_000 }, (_, i) => i))).not.toContain(false);
  await brake.created([ofKey("1")], never);
  expect(events).toEqual([]);
  await brake.created([ofKey("2")], never);
  expect(events).toMatchObject([["brake-engaged", { kind: "creations", limit: 1, samples: "1, 2" }]]);
});

test("a trip in another replica stops the topic here, and an accepted number lets it go on, whatever comes late", () => {
  const { brake, events, learn, changes } = aBrake({ deletions: 10 });
  const tripped: BrakeNote = { state: "tripped", limit: 10, samples: ["8", "9"] };
  learn(5, tripped);
  expect(brake.isStopped("erp.customers")).toBe(true);
  learn(6, { state: "accepted", limit: 100, who: "ann" });
  learn(5, tripped);
  expect([brake.isStopped("erp.customers"), changes()]).toEqual([false, 2]);
  expect(events).toMatchObject([
    ["brake-engaged", {}],
    ["brake-released", { who: "ann", limit: 100 }],
  ]);
});

test("a replica whose configuration names a larger number is not stopped by a trip at the smaller one", () => {
  const { brake, learn } = aBrake({ deletions: 11 });
  learn(5, { state: "tripped", limit: 10, samples: [] });
  expect(brake.isStopped("erp.customers")).toBe(false);
});

test("nothing is deleted while nobody can count, and a creation is counted as soon as somebody can", async () => {
  const asked: string[] = [];
  let isAway = true;
  const count: Count = {
    async count(kind, _route, _limit, keys) {
      asked.push(`${kind} ${keys.join()}`);
      if (isAway) throw new Error("Redis is away");
      return { within: keys.map(() => true), note: null };
    },
  };
  const { brake, clock, mayDelete } = aBrake({ deletions: 5, creations: 5 }, { count });
  expect(await mayDelete(1)).toBeNull();
  const counted = brake.created([ofKey("2"), ofKey("3")], never);
  while (clock.sleeping === 0) await Promise.resolve();
  isAway = false;
  clock.advance(1_000);
  await counted;
  expect(asked).toEqual(["deletions 1", "creations 2,3", "creations 2,3"]);
});
