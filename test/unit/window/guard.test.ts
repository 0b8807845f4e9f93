import { describe, expect, test } from "vitest";
import type { Mutation } from "../../../src/domain/mutation.ts";
import type { Remembered } from "../../../src/domain/stages.ts";
import { judge, versionAfter } from "../../../src/window/guard.ts";
import { aMutation } from "../../support/builders.ts";

const lsn = (position: number) => ({ kind: "lsn", parts: [String(position)] });
const streamed = (position: number, more: Partial<Mutation> = {}) =>
  aMutation({ version: lsn(position), origin: "streamed", ...more });
const remembered = (more: Partial<Remembered> = {}): Remembered => ({
  id: 7,
  deleted: false,
  version: lsn(100),
  route: "customers",
  fingerprint: null,
  acceptedAtMs: 0,
  from: "",
  ...more,
});
const tombstone = aMutation({ action: "delete", tombstone: true });

describe("the stale guard", () => {
  test.each([
    ["an older streamed change", streamed(99), remembered(), "stale"],
    ["the same change again", streamed(100), remembered(), "duplicate"],
    ["a newer change", streamed(101), remembered(), "apply"],
    ["a change of another route", streamed(99, { route: "other" }), remembered(), "apply"],
    ["a snapshot read, however low its position", streamed(1, { origin: "snapshot" }), remembered(), "apply"],
    ["an incremental read", streamed(1, { origin: "incremental" }), remembered(), "apply"],
    [
      "a change behind a snapshot, although its position is lower",
      streamed(99),
      remembered({ version: null }),
      "apply",
    ],
    ["a change without position", aMutation(), remembered(), "apply"],
    ["a change of a record nobody remembers", streamed(1), null, "apply"],
    ["a tombstone behind its delete", tombstone, remembered({ deleted: true }), "already-deleted"],
    ["a tombstone whose delete was never seen", tombstone, remembered(), "apply"],
    ["an insert re-delivered behind the delete", streamed(99), remembered({ deleted: true, id: null }), "stale"],
  ] as const)("%s", (_, mutation, known, verdict) => {
    expect(judge(mutation, known)).toBe(verdict);
  });

  test("keeps the position of a streamed change, never that of a read", () => {
    expect(versionAfter(streamed(101), remembered())).toEqual(lsn(101));
    expect(versionAfter(streamed(500, { origin: "snapshot" }), remembered())).toBeNull();
    expect(versionAfter(streamed(500, { origin: "incremental" }), remembered())).toEqual(lsn(100));
    expect(versionAfter(tombstone, remembered())).toBeNull();
  });
});
