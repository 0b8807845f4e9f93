import { describe, expect, test } from "vitest";
import { columnUses } from "../../../src/map/mapped-columns.ts";
import { routesProblems } from "../../../src/map/problems.ts";
import { untypedPlaces } from "../../../src/map/untyped-columns.ts";
import { KEY_FIELD, routesOf } from "./builders.ts";

const usesOf = (...routes: readonly Record<string, unknown>[]) =>
  Object.fromEntries(columnUses(routesOf(...routes), "customers"));

describe("a column is used as", () => {
  test("a number where it is converted to one, a date where it is read as one, else as anything", () => {
    const fields = {
      name: "name",
      "custom_fields.credit": { from: "credit", as: "decimal(2)" },
      "custom_fields.days": { from: "days", as: "integer" },
      "custom_fields.since": { from: "since", transform: ["trim", { date: {} }] },
      "custom_fields.on_hold": { from: "on_hold", as: "boolean" },
      "custom_fields.rank": { from: "rank", values: { A: "1" }, as: "integer" },
      description: { template: "${note}" },
    };
    expect(usesOf({ fields })).toEqual({
      ...{ id: "other", name: "other", on_hold: "other", rank: "other", note: "other" },
      ...{ credit: "number", days: "number", since: "date" },
    });
  });

  test("what Sell's field is, where the mapping does not say", () => {
    const fields = { name: "n", value: "total", estimated_close_date: "due", hot: "hot" };
    expect(usesOf({ entity: "deals", fields })).toMatchObject({ total: "number", due: "date", hot: "other" });
  });

  test("the narrowest, where several places and routes read it", () => {
    const decimal = { name: "name", "custom_fields.id": { from: "id", as: "integer" } };
    expect(usesOf({}, { name: "again", entity: "leads", fields: decimal })).toMatchObject({ id: "number" });
  });

  test("nothing, where the product writes numbers and dates plainly", () => {
    const fields = { name: "name", "custom_fields.credit": { from: "credit", as: "decimal(2)" } };
    expect(usesOf({ format: "canal", unverified: true, fields })).toEqual({});
  });
});

describe("an encoding that never carries types", () => {
  const fields = { name: "name", "custom_fields.credit": { from: "credit", as: "decimal(2)" } };
  const problemsOf = (route: Record<string, unknown>) =>
    routesProblems(routesOf({ encoding: "confluent-json-schema", fields, ...route }), KEY_FIELD).filter(
      ({ severity }) => severity === "error",
    );

  test("makes a decimal without hint an error of the configuration", () => {
    expect(problemsOf({})).toEqual([
      {
        path: ["routes", 0, "fields", "custom_fields.credit"],
        message:
          'reads column "credit" as a number, whose type the records of customers do not carry: add hints: { credit: decimal(2) }, 2 standing for its scale in the database; or text, if it is plain text.',
        severity: "error",
      },
    ]);
  });

  test.each<[string, Record<string, unknown>]>([
    ["with a hint", { hints: { credit: "decimal(4)" } }],
    ["in records that may have a schema", { encoding: "json" }],
    ["where it is not read as one", { fields: { name: "credit" } }],
  ])("does not %s", (_, route) => expect(problemsOf(route)).toEqual([]));
});

test("what a sample shows is said for each place that reads the column", () => {
  const routes = routesOf(
    { fields: { name: "name", "custom_fields.limit": "credit" }, when: { credit: { exists: true } } },
    { topic: "other", fields: { name: "credit" } },
  );
  expect(untypedPlaces(routes, "customers", new Map([["credit", ["decimal(2)", "text"]]]))).toEqual(
    ['field "custom_fields.limit"', "when.credit"].map((place) => ({
      sentence: `Route "customers -> accounts", ${place} reads column "credit", whose type the records of customers do not carry.`,
      next: "add hints: { credit: decimal(2) }, 2 standing for its scale in the database; or text, if it is plain text",
    })),
  );
});
