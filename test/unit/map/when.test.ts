import { expect, test } from "vitest";
import { type ColumnValue, UNAVAILABLE } from "../../../src/domain/change.ts";
import { aChange, anUpdateTo, aRow, errantOf, mapped } from "./builders.ts";

const passes = (condition: unknown, row: Record<string, ColumnValue>): boolean =>
  mapped({ when: { a: condition } }, anUpdateTo({ name: "N", ...row })).status === "mutations";

test.each<[string, unknown, ColumnValue, boolean]>([
  ["equal text", "open", "open", true],
  ["text of a padded CHAR column", "open", "open   ", true],
  ["other text", "open", "Open", false],
  ["null against a value", "open", null, false],
  ["a number", 3, 3, true],
  ["a number against decimal text", 3, "3.00", true],
  ["a number against a boolean", 1, true, false],
  ["a number against blank text", 0, "", false],
  ["true against MySQL's 1", true, 1, true],
  ["false against MySQL's 0", false, 0, true],
  ["one of a list", { in: ["open", "won"] }, "won", true],
  ["none of a list", { in: ["open", "won"] }, "lost", false],
  ["not a value", { not: "lost" }, "lost", false],
  ["not a value, being null", { not: "lost" }, null, true],
  ["none of the excluded", { not: ["lost", "draft"] }, "open", true],
  ["a value that exists", { exists: true }, 0, true],
  ["null that should exist", { exists: true }, null, false],
  ["null that should not exist", { exists: false }, null, true],
])("a row with %s", (_, condition, value, expected) => {
  expect(passes(condition, { a: value })).toBe(expected);
});

test("a column that the row does not have is null", () => {
  expect(passes("open", {})).toBe(false);
  expect(passes({ exists: false }, {})).toBe(true);
});

test("all conditions must be met", () => {
  const route = { when: { a: 1, b: 2 } };
  expect(mapped(route, anUpdateTo({ name: "N", a: 1, b: 2 })).status).toBe("mutations");
  expect(mapped(route, anUpdateTo({ name: "N", a: 1, b: 3 }))).toEqual({ status: "skip", reason: "filtered" });
});

test("a row whose filter column was not sent is errant: neither answer would be right", () => {
  const errant = errantOf({ when: { a: "open" } }, anUpdateTo({ name: "N", a: UNAVAILABLE }));
  expect(errant.reason).toBe("mapping-error");
  expect(errant.message).toContain("REPLICA IDENTITY FULL");
});

test("a deleted row is filtered by what it still tells, else it passes", () => {
  const route = { when: { a: "open" }, onDelete: "delete" };
  const gone = aChange({ op: "d", after: null, before: aRow({ id: 7, a: "" }) });
  expect(mapped(route, gone).status).toBe("mutations");
  expect(mapped({ ...route, replicaIdentity: "full" }, gone)).toEqual({ status: "skip", reason: "filtered" });
});
