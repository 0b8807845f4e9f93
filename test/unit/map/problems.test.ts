import { describe, expect, test } from "vitest";
import { routesProblems } from "../../../src/map/problems.ts";
import { KEY_FIELD, routesOf } from "./builders.ts";

const owned = { owner_id: { value: 1 } };
const lines = (...routes: readonly Record<string, unknown>[]): readonly string[] =>
  routesProblems(routesOf(...routes), KEY_FIELD).map(
    ({ severity, path, message }) => `${severity} ${path.join(" > ")}: ${message}`,
  );
const fieldLines = (entity: string, fields: Record<string, unknown>): readonly string[] =>
  lines({ entity, fields, mode: "updateOnly" });

test("a sound set of routes has no problems", () => {
  const fields = { name: "name", ...owned };
  const deals = {
    topic: "orders",
    entity: "deals",
    fields: { ...fields, contact_id: { ref: "accounts", key: "customer" } },
  };
  expect(lines({ fields }, deals)).toEqual([]);
});

test("all problems of all routes come at once, each with its place", () => {
  const first = {
    fields: { nmae: "name", phone: { from: "tel", transform: { phone: "XX" } } },
    key: { template: "C-${}" },
  };
  const second = { topic: "orders", entity: "deals", fields: { contact_id: { ref: "leads", key: "lead" } } };
  expect(lines(first, second).map((line) => line.slice(0, line.indexOf(":")))).toEqual([
    "error routes > 0 > key",
    "error routes > 0 > fields > nmae",
    "error routes > 0 > fields > phone",
    "warning routes > 0 > fields",
    "warning routes > 0 > fields",
    "error routes > 1 > fields > contact_id",
    "warning routes > 1 > fields",
    "warning routes > 1 > fields",
  ]);
});

describe("a field is checked against the entity", () => {
  test.each<[string, string, Record<string, unknown>, string]>([
    ["misspelt", "accounts", { emial: "e" }, "did you mean email?"],
    ["of another entity", "accounts", { first_name: "f" }, "is no field of accounts"],
    ["unknown", "deals", { credit_limit: "c" }, "custom_fields.credit_limit"],
    ["misspelt in a group", "accounts", { "address.zip_code": "z" }, "is no member of address"],
    ["nearly right in a group", "accounts", { "address.citty": "z" }, "did you mean address.city?"],
    ["a whole group", "accounts", { address: "a" }, "map its members one by one"],
    ["a member of a plain field", "accounts", { "name.first": "a" }, "has no members"],
    ["read-only", "accounts", { created_at: "a" }, "Sell sets it itself"],
    ["the entity's own mark", "contacts", { is_organization: "a" }, "the entity says it"],
    ["the key field", "accounts", { "custom_fields.erp_id": "a" }, "the connector writes"],
    ["the key of a product", "products", { sku: "a" }, "the connector writes"],
    [
      "a reference to the wrong entity",
      "deals",
      { contact_id: { ref: "leads", key: "l" } },
      "points to accounts or contacts",
    ],
    ["a reference where none fits", "deals", { name: { ref: "leads", key: "l" } }, "holds no reference"],
    [
      "a constant Sell refuses",
      "accounts",
      { customer_status: { value: "gone" } },
      'takes none, current, past, not "gone"',
    ],
    ["a lookup result Sell refuses", "accounts", { customer_status: { from: "s", values: { A: "now" } } }, 'not "now"'],
  ])("%s", (_, entity, fields, message) => {
    expect(fieldLines(entity, fields)).toEqual([expect.stringContaining(message)]);
  });

  test("also where a delete writes it", () => {
    const route = { fields: { name: "name", ...owned }, onDelete: { update: { customer_status: "gone" } } };
    expect(lines(route)).toEqual([
      expect.stringMatching(/^error routes > 0 > onDelete > update > customer_status: takes/),
    ]);
  });
});

describe("an expression is checked", () => {
  test.each<[string, unknown, string]>([
    ["template without end", { template: "a ${b" }, "has a ${ without"],
    ["time zone", { from: "a", transform: { date: { zone: "Mars/Base" } } }, 'no time zone "Mars/Base"'],
    ["default", { from: "a", as: "integer", default: "x" }, 'writes "x", which is not integer'],
    ["lookup result", { from: "a", as: "decimal(1)", values: { A: "1,5" } }, 'writes "1,5", which is not decimal(1)'],
  ])("its %s", (_, expression, message) => {
    expect(fieldLines("accounts", { name: expression })).toEqual([expect.stringContaining(message)]);
  });
});

describe("the key", () => {
  const fields = { name: "name", ...owned };
  const products = { entity: "products", fields: { name: "name" } };

  test("must name a column", () => {
    expect(lines({ fields, key: { template: "C" } })).toEqual([
      expect.stringContaining("every row would mean the same record"),
    ]);
  });

  test("of several columns needs something between them", () => {
    expect(lines({ fields, key: { template: "C${a}${b}" } })).toEqual([expect.stringContaining("write ${a}-${b}")]);
    expect(lines({ fields, key: { template: "C${a}/${b}" } })).toEqual([]);
  });

  test("that leaves out a column of the record key loses the order, unless that is accepted", () => {
    const route = { ...products, key: "sku", keyColumns: ["id"] };
    expect(lines(route)).toEqual([expect.stringContaining("acceptUnordered: true")]);
    expect(lines({ ...route, acceptUnordered: true })).toEqual([]);
    expect(lines({ ...route, key: { template: "${sku}-${id}" } })).toEqual([]);
  });

  test("of an order that leaves out the line number cannot work, accepted or not", () => {
    const route = {
      entity: "orders",
      key: "order_no",
      keyColumns: ["order_no", "line_no"],
      acceptUnordered: true,
      fields: { deal_id: { ref: "deals", key: "order_no" } },
    };
    expect(lines(route)).toEqual([expect.stringContaining("one row a line")]);
  });

  test("that a delete does not tell is a warning where deletes are written", () => {
    const route = { fields, key: "number", keyColumns: ["id"], acceptUnordered: true, onDelete: "delete" };
    expect(lines(route)).toEqual([expect.stringMatching(/^warning routes > 0 > key: .*dead letter/)]);
    expect(lines({ ...route, replicaIdentity: "full" })).toEqual([]);
  });

  test("of a reference is built like the parent's own", () => {
    const accounts = { topic: "customers", fields, key: { template: "C-${id}" } };
    const deals = (key: unknown) => ({
      topic: "orders",
      entity: "deals",
      fields: { ...fields, contact_id: { ref: "accounts", key } },
    });
    expect(lines(accounts, deals({ template: "C-${customer}" }))).toEqual([]);
    expect(lines(accounts, deals("customer"))).toEqual([
      expect.stringContaining("looks for accounts under <column>, but their own route writes them under C-<column>"),
    ]);
  });
});

describe("two routes on one entity", () => {
  const fields = { name: "name", ...owned };
  const pair = (one: unknown, other: unknown) =>
    lines({ fields, key: one }, { fields, key: other, topic: "suppliers" });

  test.each<[string, unknown, unknown]>([
    ["two columns", "id", "no"],
    ["a column and a template", "id", { template: "C-${id}" }],
    ["beginnings of which one begins the other", { template: "C${id}" }, { template: "CX${id}" }],
    ["templates that differ at the end only", { template: "${id}-C" }, { template: "${id}-S" }],
  ])("with %s for keys are refused, and the ways out are named", (_, one, other) => {
    expect(pair(one, other)).toEqual([
      expect.stringMatching(/^error routes > 1 > key: .*a view, an outbox, a stream join/),
    ]);
  });

  test("with different beginnings are fine", () => {
    expect(pair({ template: "C-${id}" }, { template: "S-${id}" })).toEqual([]);
  });
});

test("routes of one topic must agree on how it is read, and on different names", () => {
  const fields = { name: "name", ...owned };
  const contacts = { entity: "contacts", fields: { last_name: "name", ...owned } };
  expect(lines({ fields, hints: { a: "date" } }, contacts)).toEqual([expect.stringMatching(/1 > hints: differs from/)]);
  expect(lines({ fields, name: "x" }, { ...contacts, name: "x" })).toEqual([expect.stringMatching(/1 > name: "x"/)]);
});

test("a field for creation is pointless where nothing is created", () => {
  const fields = { name: { from: "name", write: "onCreate" }, ...owned };
  const never = expect.stringMatching(/^warning .*never written/);
  expect(lines({ fields })).toEqual([]);
  expect(lines({ fields, mode: "updateOnly" })).toEqual([never]);
  expect(lines({ fields, onDelete: { update: { name: { value: "x", write: "onCreate" } } } })).toEqual([never]);
});

test("a route or a delete that writes nothing is refused", () => {
  expect(lines({ mode: "updateOnly", fields: {}, onDelete: { update: {} } })).toEqual([
    expect.stringMatching(/^error routes > 0 > fields: is empty/),
    expect.stringMatching(/^error routes > 0 > onDelete > update: is empty/),
  ]);
});

describe("the format", () => {
  const fields = { name: "name", ...owned };

  test("that was built from documents must be accepted, and says from which", () => {
    expect(lines({ fields, format: "qlik" })).toEqual([
      expect.stringMatching(/Qlik's documentation.*unverified: true/),
    ]);
    expect(lines({ fields, format: "qlik", unverified: true })).toEqual([]);
  });

  test("that holds several tables should name one", () => {
    const route = { fields, format: "maxwell", unverified: true };
    expect(lines(route)).toEqual([expect.stringMatching(/^warning routes > 0 > format: .*several tables/)]);
    expect(lines({ ...route, table: "shop.items" })).toEqual([]);
  });

  test("must agree with its encoding", () => {
    expect(lines({ fields, encoding: "apicurio-avro-8" })).toEqual([expect.stringContaining("debezium-avro,")]);
    expect(lines({ fields, format: "debezium-avro", encoding: "apicurio-avro-8" })).toEqual([]);
    expect(lines({ fields, format: "cloudevents", encoding: "confluent-avro" })).toEqual([]);
  });

  test("of dms alone says where the row before stands", () => {
    const route = { fields, beforeField: "before-image", table: "shop.items", unverified: true };
    expect(lines({ ...route, format: "dms" })).toEqual([]);
    expect(lines({ ...route, format: "maxwell" })).toEqual([expect.stringContaining("beforeField: is for format dms")]);
  });

  test("of plain rows alone has versions and deletions by column", () => {
    const settings = { versionColumns: ["rev"], deleteFlag: { column: "gone" } };
    expect(lines({ fields, ...settings })).toHaveLength(2);
    expect(lines({ fields, ...settings, format: "json" })).toEqual([]);
  });
});
