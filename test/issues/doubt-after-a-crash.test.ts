/**
 * An owner wrote a version, crashed before it was remembered, and the next owner merged that version with a newer one: the
 * newer one looked like what was remembered, nothing was sent, and Sell kept the version in between.
 */
import { expect, test } from "vitest";
import { aMutation } from "../support/builders.ts";
import { accepted, WindowDriver } from "../support/window-driver.ts";

const FIRST = aMutation({ fields: { name: "first" } });
const LOST = aMutation({ fields: { name: "accepted just before the crash" } });
const FIRST_AGAIN = aMutation({ fields: { name: "first" } });
const DELETED = aMutation({ action: "delete", fields: {} });

const afterACrash = (driver: WindowDriver): WindowDriver => {
  driver.clock.advance(12_000);
  driver.trusts = (mutation) => mutation !== LOST;
  return driver;
};

test("a change merged with a doubtful one is sent, though it equals what is remembered", () => {
  const driver = new WindowDriver().add(FIRST);
  afterACrash(driver.answer(driver.take(1_000), accepted(7, "created"))).add(LOST, FIRST_AGAIN);
  expect(driver.take(1_000)?.writes).toMatchObject([{ body: { name: "first" } }]);
});

test("once Sell accepted a write of the key, its memory counts again", () => {
  const driver = new WindowDriver().add(FIRST);
  afterACrash(driver.answer(driver.take(1_000), accepted(7, "created"))).add(LOST);
  driver.answer(driver.take(1_000), accepted(7)).add(aMutation({ fields: LOST.fields }));
  expect([driver.settled.length, driver.take(60_000)]).toEqual([3, null]);
});

test("a record remembered as deleted may have come back: a doubtful delete asks Sell", () => {
  const driver = new WindowDriver().add(FIRST);
  driver.answer(driver.take(1_000), accepted(7, "created"));
  driver.clock.advance(2_000);
  driver.add(DELETED);
  afterACrash(driver.answer(driver.take(1_000), accepted(7, "deleted"))).add(
    LOST,
    aMutation({ action: "delete", fields: {} }),
  );
  const lookup = driver.take(60_000);
  expect(lookup?.verb).toBe("lookup");
  driver.answer(lookup, accepted(8, "found"));
  expect(driver.take(1_000)).toMatchObject({ verb: "delete", writes: [{ id: 8 }] });
});
