/** A record that a person takes away: it alone is gone, and nothing that Sell may still do with it is forgotten. */
import { expect, test } from "vitest";
import type { Mutation } from "../../../src/domain/mutation.ts";
import type { Remembered } from "../../../src/domain/stages.ts";
import { aMutation, aPosition, aRecord } from "../../support/builders.ts";
import { accepted, WindowDriver } from "../../support/window-driver.ts";

let offset = 0n;
const aChange = (name: string, more: Partial<Mutation> = {}): Mutation =>
  aMutation({ key: "1", fields: { name }, record: aRecord({ position: aPosition({ offset: offset++ }) }), ...more });
const aDelete = (more: Partial<Mutation> = {}): Mutation =>
  aChange("", { action: "delete", fields: {}, isDelete: true, ...more });

const IN_SELL: Remembered = {
  ...{ id: 7, deleted: false, version: null, route: "customers", fingerprint: null },
  ...{ acceptedAtMs: 0, from: "erp.customers[0]@0" },
};

/** Sell and the store hold the record, as `name`. */
const holding = (name: string) => {
  const driver = new WindowDriver({ lingerMs: 0 });
  driver.store.set("accounts/1", IN_SELL);
  driver.add(aChange(name)).answer(driver.take(), accepted(7));
  driver.settled.length = 0;
  return driver;
};

const skip = (driver: WindowDriver, mutation: Mutation): void => {
  const withheld = driver.window.withholding.withhold(mutation.record.position) ?? [];
  expect(withheld.length).toBeGreaterThan(0);
  expect(driver.take(), "nothing of its key leaves before the dead letter is stored").toBeNull();
  for (const [{ entity, key }, memory] of driver.window.withholding.doubtsOf(withheld))
    driver.store.set(`${entity}/${key}`, memory);
  for (const each of withheld) driver.window.withholding.takenAway(each);
  driver.add();
};

const namesOf = (driver: WindowDriver, withinMs: number) => driver.take(withinMs)?.writes.map(({ body }) => body.name);

test("of the newest change the one before it goes next", () => {
  const [older, newer] = [aChange("older"), aChange("newer")];
  const driver = holding("old").add(older, newer);
  skip(driver, newer);
  expect([driver.settled, namesOf(driver, 0)]).toEqual([[newer], ["older"]]);
});

test("below a newer change only that one is gone", () => {
  const [older, newer] = [aChange("older"), aChange("newer")];
  const driver = holding("old").add(older, newer);
  skip(driver, older);
  const cut = driver.take();
  expect([driver.settled, cut?.writes[0]?.body]).toEqual([[older], { name: "newer" }]);
  expect(driver.answer(cut, accepted(7)).settled).toEqual([older, newer]);
});

test("a deletion takes the tombstone that repeats it along", () => {
  const [deletion, tombstone] = [aDelete(), aDelete({ tombstone: true })];
  const driver = holding("old").add(deletion, tombstone);
  skip(driver, deletion);
  expect([driver.settled, driver.take(60_000), driver.window.size]).toEqual([[deletion, tombstone], null, 0]);
});

test("what an owner before may have written of it is not forgotten: the next change is sent, whatever is in it", () => {
  const driver = holding("old");
  driver.trusts = ({ fields }) => fields.name !== "new";
  const change = aChange("new");
  driver.add(change);
  skip(driver, change);
  driver.add(aChange("old"));
  expect(namesOf(driver, 0)).toEqual(["old"]);
});

test("on the wire it stays", () => {
  const change = aChange("new");
  const driver = holding("old").add(change);
  driver.take();
  expect(driver.window.withholding.withhold(change.record.position)).toBeNull();
});

test("of unknown outcome nothing else of its key leaves before no late one can come, and nothing counts as written already", () => {
  const change = aChange("new");
  const driver = holding("old").add(change);
  driver.window.outcomes.unknown(driver.take()?.entries ?? [], 120_000);
  driver.add(aChange("old")); // what Sell holds as far as anybody remembers
  skip(driver, change);
  expect([driver.settled, driver.take(11_999)]).toEqual([[change], null]);
  expect(namesOf(driver, 2_001)).toEqual(["old"]);
});

test("nor is the next one of its key taken for written already, when nothing of it is left here", () => {
  const change = aChange("new");
  const driver = holding("old").add(change);
  driver.window.outcomes.unknown(driver.take()?.entries ?? [], 120_000);
  skip(driver, change);
  driver.take(60_000);
  expect(driver.window.size).toBe(0);
  expect(namesOf(driver.add(aChange("old")), 0)).toEqual(["old"]);
});

test("of a creation of unknown outcome a deletion asks Sell anew", () => {
  const driver = new WindowDriver({ lingerMs: 0 }).add(aChange("new", { action: "create" }));
  driver.answer(driver.take(), { status: "accepted", result: "missing", id: null });
  const [creation] = driver.take()?.entries ?? [];
  driver.window.outcomes.unknown(creation === undefined ? [] : [creation], 120_000);
  driver.add(aDelete());
  const change = creation?.candidate;
  expect(change?.action).toBe("create");
  if (change !== undefined) skip(driver, change);
  expect(driver.take(60_000)?.verb).toBe("lookup");
});

test("below a body that may not change it leaves that as it is, at its time, and all else settles with it", () => {
  const [older, newer, newest] = [aChange("older"), aChange("newer"), aChange("newest")];
  const driver = holding("old").add(older, newer);
  driver.window.outcomes.unknown(driver.take()?.entries ?? [], 120_000);
  driver.add(newest);
  skip(driver, older);
  expect(driver.take(119_999)).toBeNull();
  const again = driver.take(1);
  expect(again?.writes[0]?.body).toEqual({ name: "newer" });
  expect(driver.answer(again, accepted(7)).settled).toEqual([older, newer]);
});

test("of half a batch the others go on", () => {
  const [change, other] = [aChange("new"), aChange("b", { key: "2" })];
  const driver = holding("old").add(aChange("a", { key: "3" }), other, change);
  driver.window.outcomes.split(driver.take()?.entries ?? [], 0);
  const withheld = driver.window.withholding.withhold(change.record.position) ?? [];
  for (const each of withheld) driver.window.withholding.takenAway(each);
  const keys = [driver.take(), driver.take(), driver.take()].flatMap((cut) => cut?.writes.map(({ key }) => key) ?? []);
  expect(keys.toSorted()).toEqual(["2", "3"]);
});

test("of a creation of unknown outcome the next version waits until it would be found", () => {
  const change = aChange("new");
  const driver = new WindowDriver({ lingerMs: 0 }).add(change);
  driver.window.outcomes.unknown(driver.take()?.entries ?? [], 120_000);
  driver.add(aChange("newer"));
  skip(driver, change);
  expect(driver.take(13_999)).toBeNull();
  expect(namesOf(driver, 1)).toEqual(["newer"]);
});
