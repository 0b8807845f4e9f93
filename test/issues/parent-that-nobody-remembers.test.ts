/** Another replica created the parent and the store forgot it: its child became a dead letter, though Sell had the parent. */
import { expect, test } from "vitest";
import { aMutation } from "../support/builders.ts";
import { accepted, missing, WindowDriver } from "../support/window-driver.ts";

test("a parent is looked up once more before its child is given up", () => {
  const driver = new WindowDriver({ lingerMs: 0, parkTimeoutMs: 60_000 });
  driver.add(aMutation({ entity: "deals", key: "D", refs: [{ field: "contact_id", entity: "accounts", key: "P" }] }));
  driver.answer(driver.take(), missing);
  driver.window.outcomes.expireParked(29_999, () => true);
  expect(driver.take(60_000)).toBeNull();
  driver.window.outcomes.expireParked(1, () => true);
  const lookup = driver.take();
  expect(lookup).toMatchObject({ verb: "lookup", writes: [{ key: "P" }] });
  driver.answer(lookup, accepted(7, "found"));
  expect(driver.take()?.writes).toMatchObject([{ key: "D", body: { contact_id: 7 } }]);
});
