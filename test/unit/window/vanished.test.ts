/** A record that was written before and that somebody deleted in Sell, or merged into another. */
import { expect, test } from "vitest";
import type { Mutation } from "../../../src/domain/mutation.ts";
import type { Remembered } from "../../../src/domain/stages.ts";
import { aMutation } from "../../support/builders.ts";
import { accepted, missing, WindowDriver } from "../../support/window-driver.ts";

type Rule = Mutation["onMissing"];

const named = (name: string, onMissing: Rule, more: Partial<Mutation> = {}): Mutation =>
  aMutation({ key: "1", fields: { name }, onMissing, ...more });

/** A record of id 7, of which the next request finds out that it is gone. */
const gone = (onMissing: Rule, more: Partial<Mutation> = {}) => {
  const driver = new WindowDriver({ lingerMs: 0 }).add(named("a", onMissing));
  driver.answer(driver.take(), accepted(7)).add(named("b", onMissing, more));
  const cut = driver.take();
  return { driver, cut };
};

test("is created anew by its key where the route says so, with all that it had", () => {
  const { driver, cut } = gone("recreate");
  driver.answer(cut, missing);
  expect(driver.settled).toHaveLength(1);
  const again = driver.take();
  expect(again).toMatchObject({ verb: "upsert", writes: [{ key: "1", id: null, body: { name: "b" } }] });
  driver.answer(again, accepted(8, "created"));
  expect([driver.settled.length, driver.store.get("accounts/1")?.id]).toEqual([2, 8]);
});

test.each<Rule>(["skip", "deadLetter"])(
  "is asked for by its id where %s, since its key would bring it back",
  (rule) => {
    expect(gone(rule).cut).toMatchObject({ verb: "update", writes: [{ id: 7, body: { name: "b" } }] });
  },
);

test("is left alone where the route says skip, by later changes too", () => {
  const { driver, cut } = gone("skip");
  driver.add(named("c", "skip"));
  driver.answer(cut, missing);
  expect(driver.settled).toHaveLength(2);
  const next = driver.take(10_000);
  expect(next).toMatchObject({ verb: "update", writes: [{ id: 7, body: { name: "c" } }] });
  driver.answer(next, missing);
  expect([driver.settled.length, driver.take(60_000), driver.window.size]).toEqual([3, null, 0]);
});

test("is done with for a change that never creates, whatever the route says", () => {
  const { driver, cut } = gone("recreate", { action: "update" });
  driver.answer(cut, missing);
  expect([driver.settled.length, driver.take(60_000)]).toEqual([2, null]);
});

test("that a write by key finds under another id, because it was merged, is remembered by that", () => {
  const { driver, cut } = gone("recreate");
  driver.answer(cut, accepted(9));
  expect(driver.store.get("accounts/1")?.id).toBe(9);
  driver.add(named("c", "recreate"));
  expect(driver.take()).toMatchObject({ writes: [{ id: 9 }] });
});

/** A deletion of a record that another Redis remembers by an id of yesterday: nothing of it is trusted. */
const deletion = (memory: Partial<Remembered>) => {
  const driver = new WindowDriver({ lingerMs: 0 }).add(named("a", "recreate"));
  driver.answer(driver.take(), accepted(7));
  const known = driver.store.get("accounts/1");
  if (known !== undefined) driver.store.set("accounts/1", { ...known, ...memory });
  driver.add(aMutation({ key: "1", action: "delete", isDelete: true, fields: {} }));
  return driver;
};

test.each<Partial<Remembered>>([{ fingerprint: null }, { fingerprint: null, route: null, from: "lookup" }])(
  "whose id may be an older one is looked for by its key before its deletion counts as done: %j",
  (memory) => {
    const driver = deletion(memory);
    driver.answer(driver.take(), missing);
    expect([driver.settled.length, driver.store.get("accounts/1")?.deleted]).toEqual([1, false]);
    const search = driver.take();
    expect(search).toMatchObject({ verb: "lookup", writes: [{ key: "1" }] });
    driver.answer(search, accepted(8, "found"));
    const again = driver.take();
    expect(again).toMatchObject({ verb: "delete", writes: [{ id: 8 }] });
    driver.answer(again, missing); // the search was late: it is not asked twice
    expect([driver.settled.length, driver.store.get("accounts/1")?.deleted]).toEqual([2, true]);
  },
);

test("is deleted when neither its id nor its key is found", () => {
  const driver = deletion({ fingerprint: null });
  driver.answer(driver.take(), missing).answer(driver.take(), missing);
  expect([driver.settled.length, driver.store.get("accounts/1")?.deleted, driver.window.size]).toEqual([2, true, 0]);
});

test("is deleted by the id that is surely its last one, without a search", () => {
  const driver = deletion({});
  driver.answer(driver.take(), missing);
  expect([driver.settled.length, driver.store.get("accounts/1")?.deleted, driver.take()]).toEqual([2, true, null]);
});
