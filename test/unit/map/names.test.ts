/** Owners, stages and tags of the connector's own in the mapping, and what the routes rely on in the account. */
import { describe, expect, test } from "vitest";
import { routesProblems } from "../../../src/map/problems.ts";
import { targetUses } from "../../../src/map/target-use.ts";
import { anUpdateTo, errantOf, KEY_FIELD, mutationOf, routesOf } from "./builders.ts";

const fieldsOf = (fields: object, row: Parameters<typeof anUpdateTo>[0] = {}) =>
  mutationOf({ entity: "deals", fields }, anUpdateTo(row)).fields;

describe("a name in place of an id", () => {
  test.each([
    ["an owner by address", { owner_id: { owner: "ann@example.com" } }, { owner_id: { $owner: "ann@example.com" } }],
    ["an owner by column", { owner_id: { owner: { from: "rep" } } }, { owner_id: { $owner: "bob@example.com" } }],
    [
      "an owner by template",
      { owner_id: { owner: { template: "${login}@example.com" } } },
      { owner_id: { $owner: "bob@example.com" } },
    ],
    ["no owner", { owner_id: { owner: { from: "nobody" } } }, { owner_id: null }],
    ["a stage", { stage_id: { stage: "Won" } }, { stage_id: { $stage: "Won", $pipeline: null } }],
    [
      "a stage by lookup, in its pipeline",
      { stage_id: { stage: { from: "status", values: { C: "Won" } }, pipeline: "Sales" } },
      { stage_id: { $stage: "Won", $pipeline: "Sales" } },
    ],
  ])("%s", (_name, fields, expected) => {
    expect(fieldsOf(fields, { rep: " bob@example.com", login: "bob", nobody: "", status: "C" })).toEqual(expected);
  });

  test("may be written at creation alone, or as the last word of a deleted row", () => {
    const { onCreate } = mutationOf(
      { fields: { owner_id: { owner: "ann@example.com", write: "onCreate" } } },
      anUpdateTo({}),
    );
    expect(onCreate).toEqual({ owner_id: { $owner: "ann@example.com" } });
    const route = { entity: "deals", onDelete: { update: { stage_id: { stage: "Lost" } } } };
    const deleted = mutationOf(route, { ...anUpdateTo({}), op: "d" });
    expect(deleted).toMatchObject({ action: "update", fields: { stage_id: { $stage: "Lost" } } });
  });

  test("a list is none", () => {
    expect(errantOf({ fields: { owner_id: { owner: { from: "rep" } } } }, anUpdateTo({ rep: ["a"] }))).toMatchObject({
      reason: "bad-value",
      field: "owner_id",
    });
  });
});

test("tags of the connector's own are marked, as a list whatever they come as", () => {
  const tags = (expression: object, value: string | null | string[]) =>
    fieldsOf({ tags: { from: "tags", ...expression } }, { tags: value })["tags"];
  expect(tags({ owned: { prefix: "erp-" } }, "erp-a")).toEqual({ $tags: ["erp-a"], $own: [], $prefix: "erp-" });
  expect(tags({ owned: ["a", "b"], transform: { split: "," } }, "a, b")).toEqual({
    $tags: ["a", "b"],
    $own: ["a", "b"],
    $prefix: null,
  });
  expect(tags({ owned: ["a"] }, null)).toEqual({ $tags: [], $own: ["a"], $prefix: null });
  expect(tags({}, ["a"])).toEqual(["a"]);
});

const problemsOf = (fields: object, entity = "deals") =>
  routesProblems(routesOf({ entity, fields }), KEY_FIELD)
    .filter(({ path }) => path.length > 3)
    .map(({ path, message, severity }) => `${severity} ${path.slice(3).join(".")} ${message}`);

test.each([
  [{ name: { owner: "a@b.c" } }, "error name holds no user; { owner } is for owner_id."],
  [{ owner_id: { stage: "Won" } }, "error owner_id holds no stage; { stage } is for stage_id."],
  [{ name: { from: "a", owned: ["b"] } }, "error name holds no tags; owned is for tags alone."],
  [{ name: { from: "a", each: { b: "c" } } }, "error name has no lines; each is for lines of orders."],
  [
    { owner_id: { owner: { template: "${" } } },
    "error owner_id has a ${ without a column name and a closing }; write it like C-${id}.",
  ],
  [
    { tags: "tags" },
    "warning tags replaces all tags of a record, also those that people added; say with owned which are the connector's.",
  ],
])("validate says of %j: %s", (fields, sentence) => {
  expect(problemsOf(fields)).toContain(sentence);
});

test("what the routes rely on in the account, place by place", () => {
  const routes = routesOf(
    {
      name: "deals",
      entity: "deals",
      fields: {
        "custom_fields.tier": { from: "tier", values: { A: "gold" }, default: "none" },
        owner_id: { owner: { from: "rep" } },
        stage_id: { stage: { from: "status", values: { C: "Won", X: "Lost" } }, pipeline: "Sales" },
      },
      onDelete: { update: { stage_id: { stage: "Lost" } } },
    },
    { topic: "people", entity: "contacts", fields: { owner_id: { owner: "ann@example.com" } } },
  );
  const at = (field: string) => ({ entity: "deals", where: `Route "deals", ${field}` });
  expect(targetUses(routes)).toEqual([
    { entity: "deals", where: 'Route "deals"', what: { kind: "key" } },
    { ...at('field "custom_fields.tier"'), what: { kind: "custom-field", name: "tier", values: ["gold", "none"] } },
    { ...at('field "owner_id"'), what: { kind: "owner", email: null } },
    { ...at('field "stage_id"'), what: { kind: "stage", stage: "Won", pipeline: "Sales" } },
    { ...at('field "stage_id"'), what: { kind: "stage", stage: "Lost", pipeline: "Sales" } },
    { ...at('onDelete.update "stage_id"'), what: { kind: "stage", stage: "Lost", pipeline: null } },
    { entity: "contacts", where: 'Route "people -> contacts"', what: { kind: "key" } },
    {
      entity: "contacts",
      where: 'Route "people -> contacts", field "owner_id"',
      what: { kind: "owner", email: "ann@example.com" },
    },
  ]);
});
