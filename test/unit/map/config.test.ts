import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { FORMATS, routesConfig } from "../../../src/map/config.ts";
import { mappedColumns } from "../../../src/map/mapped-columns.ts";
import { routesProblems } from "../../../src/map/problems.ts";
import { KEY_FIELD, routesOf } from "./builders.ts";

describe.each(["example", "contacts"])("config/%s.yaml", (name) => {
  const { routes } = parse(readFileSync(new URL(`../../../config/${name}.yaml`, import.meta.url), "utf8"));

  test("has sound routes that deserve no warning either", () => {
    expect(routesProblems(routesConfig.parse(routes), KEY_FIELD)).toEqual([]);
  });
});

describe("the schema refuses", () => {
  const base = { topic: "t", format: FORMATS[0], entity: "accounts", key: "id", fields: { name: "name" } };
  test.each<[string, unknown]>([
    ["a field named __proto__", { fields: parse("{ __proto__: a, name: b }") }],
    ["a group named __proto__", { fields: { "__proto__.x": "a" } }],
    ["a member named __proto__", { fields: { "custom_fields.__proto__": "a" } }],
    ["two forms in one expression", { fields: { name: { from: "a", value: 1 } } }],
    ["a misspelt option", { fields: { name: { from: "a", trasform: "trim" } } }],
    ["a transform off the list", { fields: { name: { from: "a", transform: "reverse" } } }],
    ["a misspelt setting", { keyColums: ["id"] }],
    ["a start without time zone", { startFrom: "2026-11-01T00:00:00" }],
    ["a hint of an unknown type", { hints: { a: "money" } }],
    ["a placeholder of half a byte", { unavailableValuePlaceholder: "hex:abc" }],
    ["a placeholder of no bytes", { unavailableValuePlaceholder: "hex:" }],
    ["a topic Kafka cannot have", { topic: "a b" }],
  ])("%s", (_, change) => {
    expect(routesConfig.safeParse([{ ...base, ...(change as object) }]).success).toBe(false);
    expect(routesConfig.safeParse([base]).success).toBe(true);
  });

  test("and can be printed as JSON schema in which every setting is described", () => {
    const { items } = z.toJSONSchema(routesConfig, { io: "input", target: "draft-7" }) as {
      items: { properties: Record<string, { description?: string }> };
    };
    expect(Object.entries(items.properties).filter(([, { description }]) => description === undefined)).toEqual([]);
  });
});

test("mapped columns are all that a topic's routes read, each once", () => {
  const routes = routesOf(
    {
      key: { template: "${region}-${id}" },
      fields: {
        name: "name",
        email: { from: "email" },
        phone: { value: "x" },
        "custom_fields.t": { template: "${name} ${title}" },
        parent_organization_id: { ref: "accounts", key: "parent" },
      },
      when: { status: "open" },
      onDelete: { update: { customer_status: "past", "custom_fields.t": { from: "closed" } } },
    },
    { topic: "other", fields: { name: "elsewhere" } },
  );
  const columns = ["closed", "email", "id", "name", "parent", "region", "status", "title"];
  expect(mappedColumns(routes, "customers")).toEqual(columns);
});
