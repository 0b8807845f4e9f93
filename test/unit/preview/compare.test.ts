import { describe, expect, test } from "vitest";
import type { FieldValue } from "../../../src/domain/mutation.ts";
import { compare } from "../../../src/preview/compare.ts";
import { aMutation } from "../../support/builders.ts";

const aRecord = (fields: object, id = 90) => ({ id, key: "7", fields: { id, ...fields } });

/** What would become of the field that is held so. */
const ofField = (value: FieldValue, held: unknown) => {
  const compared = compare(aMutation({ fields: { field: value } }), [aRecord({ field: held })], []);
  return compared.is === "changed" ? compared.changes.map(({ from, to }) => [from, to]) : compared.is;
};

describe("a field is unchanged", () => {
  test.each<[string, FieldValue, unknown]>([
    ["when it is the same", "Nordlicht", "Nordlicht"],
    ["when an amount has other zeros behind it", "1000.00", 1000],
    ["or is text on both sides", "12.50", "12.5"],
    ["when nothing is null", null, ""],
    ["or not shown at all", null, undefined],
    ["when an instant is written in another zone", "2026-01-05T08:00:00Z", "2026-01-05T09:00:00+01:00"],
    ["when a list has another order", ["a", "b"], ["b", "a"]],
    ["when a flag is text", true, "true"],
    ["when prices have another order", [{ amount: "1.00", currency: "EUR" }], [{ currency: "EUR", amount: 1 }]],
  ])("%s", (_, value, held) => {
    expect(ofField(value, held)).toBe("unchanged");
  });
});

describe("a field changes", () => {
  test.each<[string, FieldValue, unknown, unknown]>([
    ["to another text", "new", "old", "old"],
    ["to nothing", null, "old", "old"],
    ["from nothing", "new", undefined, null],
    ["when digits have another zero in front: no amount", "01234", "1234", "1234"],
    ["when a list is longer", ["a"], ["a", "b"], ["a", "b"]],
  ])("%s", (_, value, held, from) => {
    expect(ofField(value, held)).toEqual([[from, value]]);
  });
});

test("groups are compared member by member, and members that are not written do not count", () => {
  const fields = { address: { city: "Kiel" }, custom_fields: { limit: "2.00", group: "retail" } };
  const held = {
    address: { city: "Kiel", country: "DE" },
    custom_fields: { limit: "1.00", group: "retail", erp_id: "7" },
  };
  expect(compare(aMutation({ fields }), [aRecord(held)], [])).toEqual({
    ...{ is: "changed", id: 90, unchanged: ["address.city", "custom_fields.group"] },
    changes: [{ field: "custom_fields.limit", from: "1.00", to: "2.00" }],
  });
});

test("of tags only the connector's own are replaced", () => {
  const tags = { $tags: ["erp-gold"], $own: [], $prefix: "erp-" };
  const compared = (held: readonly string[]) => compare(aMutation({ fields: { tags } }), [aRecord({ tags: held })], []);
  expect(compared(["vip", "erp-gold"])).toMatchObject({ is: "unchanged" });
  expect(compared(["vip", "erp-silver"])).toMatchObject({
    changes: [{ field: "tags", from: ["vip", "erp-silver"], to: ["vip", "erp-gold"] }],
  });
});

test("a reference is compared by its id, and one whose parent is missing is named", () => {
  const referred = (id: number | null) => [{ field: "contact_id", entity: "accounts" as const, key: "C-1", id }];
  const compared = (id: number | null) =>
    compare(aMutation({ fields: {} }), [aRecord({ contact_id: 4 })], referred(id));
  expect(compared(4)).toMatchObject({ is: "unchanged", unchanged: ["contact_id"] });
  expect(compared(5)).toMatchObject({ changes: [{ field: "contact_id", from: 4, to: 5 }] });
  expect(compared(null)).toMatchObject({ changes: [{ from: 4, to: "the id of accounts C-1, once it is there" }] });
});

test.each([
  ["upsert", [], { is: "created", fields: [expect.anything(), { field: "owner_id", from: null, to: 7 }] }],
  ["create", [], { is: "created" }],
  ["create", [aRecord({})], { is: "left-alone", id: 90 }],
  ["update", [], { is: "left-alone", id: null }],
  ["update", [aRecord({ name: "Nordlicht" })], { is: "unchanged", id: 90, unchanged: ["name"] }],
  ["delete", [], { is: "left-alone", id: null }],
  ["delete", [aRecord({})], { is: "deleted", id: 90 }],
  ["upsert", [aRecord({}), aRecord({}, 91)], { is: "dead-letter", ids: [90, 91] }],
] as const)("%s of what Sell holds as %j", (action, found, comparison) => {
  expect(compare(aMutation({ action, onCreate: { owner_id: 7 } }), found, [])).toMatchObject(comparison);
});
