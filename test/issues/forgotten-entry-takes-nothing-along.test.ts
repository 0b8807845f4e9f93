/**
 * The answer of a slow store, or a timer, came for an entry that was forgotten meanwhile, and removed the new entry of the
 * same key: a third one was made, and the key was on the wire twice.
 */
import { expect, test } from "vitest";
import { aMutation } from "../support/builders.ts";
import { accepted, WindowDriver } from "../support/window-driver.ts";

const PARENT = { field: "contact_id", entity: "accounts", key: "P" } as const;

test("a late answer for a forgotten entry leaves its successor alone", () => {
  const driver = new WindowDriver({ lingerMs: 0 });
  driver.window.add(aMutation({ entity: "deals", key: "D", refs: [PARENT] }));
  // The parent's entry is asked for; before the answer is there its only child goes, and with it the entry.
  const child = driver.window.takeFresh(10);
  driver.window.inform(child.entries, new Map());
  const slow = driver.window.takeFresh(10);
  expect(slow.ids).toMatchObject([{ key: "P" }]);
  driver.window.drop(() => true);
  driver.add(aMutation({ key: "P", fields: { name: "old" } }));
  driver.window.inform(slow.entries, new Map());

  const first = driver.take();
  driver.add(aMutation({ key: "P", fields: { name: "new" } }));
  expect([first?.writes.length, driver.take(60_000)]).toEqual([1, null]);
  driver.answer(first, accepted(7));
  expect(driver.take()?.writes).toMatchObject([{ key: "P", body: { name: "new" } }]);
});
