import { describe, expect, test } from "vitest";
import type { CustomField } from "../../../src/domain/custom-field.ts";
import { entityOf } from "../../../src/init/entity.ts";
import { propose } from "../../../src/init/propose.ts";
import type { SampledTopic } from "../../../src/init/sampled-topic.ts";
import type { Proposed } from "../../../src/init/synonyms.ts";
import { aColumn, aTopic, proposing } from "./builders.ts";

test.each([
  ["erp.sales.customers", "accounts"],
  ["dbserver1.inventory.dbo.Customers", "accounts"],
  ["shop.tbl_customer_master", "accounts"],
  ["erp.companies.v2", "accounts"],
  ["erp.Kunden", "accounts"],
  ["erp.customer_contacts", "contacts"],
  ["erp.AnsprechPartner", null],
  ["erp.ansprechpartner", "contacts"],
  ["erp.sales.orders", "deals"],
  ["erp.customer_orders", "deals"],
  ["erp.Aufträge", "deals"],
  ["crm.leads", "leads"],
  ["erp.articles", "products"],
  ["erp.order_lines", "lines"],
  ["erp.OrderItems", "lines"],
  ["erp.sales.orderpositions", null],
  ["erp.kna1", null],
  ["", null],
])("the topic %s holds %s", (topic, entity) => {
  const told = entityOf(topic);
  expect(typeof told === "object" && told !== null ? told.entity : told).toBe(entity);
});

const fieldsOf = (topic: SampledTopic, options = proposing({ owner: null })) =>
  Object.fromEntries(propose([topic], options).routes[0]?.fields.map(({ field, written }) => [field, written]) ?? []);

const one = (entity: Proposed, column: Parameters<typeof aTopic>[1][number], options = proposing({ owner: null })) => {
  const topic = aTopic("t", ["erp_no", "website", column], { wanted: entity });
  return Object.entries(fieldsOf(topic, options)).filter(([name]) => name !== "website" && name !== "name");
};

describe("a column goes to the field its name tells", () => {
  test.each<[Proposed, string, string]>([
    ["accounts", "City", "address.city"],
    ["accounts", "PLZ", "address.postal_code"],
    ["accounts", "customer_phone", "phone"],
    ["accounts", "billing_street", "billing_address.line1"],
    ["accounts", "shipToCity", "shipping_address.city"],
    ["contacts", "first_name", "first_name"],
    ["contacts", "Nachname", "last_name"],
    ["contacts", "job_title", "title"],
    ["leads", "company_name", "organization_name"],
  ])("%s: %s is %s", (entity, column, field) => {
    expect(one(entity, column)).toEqual([[field, column]]);
  });

  test.each<[Proposed, ReturnType<typeof aColumn>, string, unknown]>([
    ["accounts", aColumn("email"), "email", { from: "email", transform: "lowercase" }],
    ["accounts", aColumn("zip", "integer"), "address.postal_code", { from: "zip", as: "string" }],
    ["accounts", aColumn("phone", "text", { country: "AT" }), "phone", { from: "phone", transform: { phone: "AT" } }],
    ["deals", aColumn("total", "decimal", { digits: 4 }), "value", { from: "total", as: "decimal(4)" }],
    ["deals", aColumn("total", "integer"), "value", { from: "total", as: "decimal(2)" }],
    ["deals", aColumn("due_date", "date"), "estimated_close_date", "due_date"],
    [
      ...(["deals", aColumn("due_date", "timestamp"), "estimated_close_date"] as const),
      { from: "due_date", transform: { date: { zone: "UTC" } } },
    ],
    [
      ...(["deals", aColumn("order_date", "date"), "added_at"] as const),
      { from: "order_date", transform: { date: { zone: "UTC", to: "datetime" } } },
    ],
    ["products", aColumn("active", "integer"), "active", { from: "active", as: "boolean" }],
  ])("%s, written as its kind asks", (entity, column, field, written) => {
    const topic = aTopic("t", ["erp_no", "website", "currency", column], { wanted: entity });
    expect(fieldsOf(topic)).toMatchObject({ [field]: written });
  });

  test("but not where its values are of another kind", () => {
    expect(one("accounts", aColumn("email", "integer"))).toEqual([]);
    expect(one("accounts", aColumn("city", "list"))).toEqual([]);
    expect(fieldsOf(aTopic("orders", ["no", "currency", aColumn("total", "text")]))).not.toHaveProperty("value");
  });

  test("and one field takes one column: the likelier name, and the other is left to a person", () => {
    const [route] = propose([aTopic("customers", ["id", "name", "company_name"])], proposing()).routes;
    expect(route?.fields.map(({ written }) => written)).toContain("company_name");
    expect(route?.open.map(({ column }) => column)).toEqual(["name"]);
  });
});

describe("records without types", () => {
  const money = aColumn("total", "text", { numberHint: "decimal(2)" });

  test("get the hints that their values fit", () => {
    const columns = ["order_no", money, aColumn("deliver_on", "integer", { dateHint: "date" }), "currency"];
    const [route] = propose([aTopic("orders", columns, { format: "debezium-json" })], proposing()).routes;
    expect(route?.hints).toEqual({ total: "decimal(2)", deliver_on: "date" });
  });

  test("also what only Sell, or the name, tells to be a number: an amount is never written as base64", () => {
    const erps = (name: string) => aColumn(name, "text", { numberHint: "decimal(2)" });
    const topic = aTopic("customers", ["id", "name", erps("credit_limit"), erps("score"), erps("motto")]);
    const custom = (name: string, type: string): CustomField => ({
      name,
      type,
      choices: null,
      forCompanies: true,
      forPersons: true,
    });
    const all = [custom("credit_limit", "string"), custom("score", "number"), custom("motto", "string")];
    const [route] = propose([topic], proposing({ customFieldsOf: () => all, owner: null })).routes;
    expect(route?.hints).toEqual({ credit_limit: "decimal(2)", score: "decimal(2)" });
    expect(route?.fields.at(-1)?.written).toBe("motto");
  });

  test("and text that is no number is no amount", () => {
    const words = aColumn("total", "text", { numberHint: "text" });
    expect(fieldsOf(aTopic("orders", ["order_no", words, "currency"]))).not.toHaveProperty("value");
  });
});

describe("references", () => {
  const customers = aTopic("erp.customers", ["id", "name"]);
  const contacts = aTopic("erp.contacts", ["id", "last_name", "customer_id"]);
  const referring = (child: SampledTopic, ...parents: readonly SampledTopic[]) => {
    const { routes } = propose([child, ...parents], proposing({ owner: null }));
    return routes[0]?.fields.flatMap(({ written }) =>
      typeof written === "object" && "ref" in written ? [written] : [],
    );
  };

  test.each([
    [contacts, [customers], { ref: "accounts", key: "customer_id" }],
    [aTopic("contacts", ["id", "last_name", "account_no"]), [customers], { ref: "accounts", key: "account_no" }],
    [
      aTopic("orders", ["no", "total_text", "currency", "contact_id"]),
      [contacts],
      { ref: "contacts", key: "contact_id" },
    ],
    [
      aTopic("orders", ["no", "currency", "contact_id", "customer_id"]),
      [contacts, customers],
      { ref: "accounts", key: "customer_id" },
    ],
    [
      aTopic("orders", ["no", "currency", "kunnr"]),
      [aTopic("erp.kunden", ["kunnr", "name"])],
      { ref: "accounts", key: "kunnr" },
    ],
    [
      aTopic("orders", ["no", "currency", "client", "branch"]),
      [aTopic("customers", ["client", "branch", "name"], { key: ["client", "branch"] })],
      { ref: "accounts", key: { template: "${client}-${branch}" } },
    ],
    [aTopic("companies", ["company_no", "name", "parent_no"]), [], { ref: "accounts", key: "parent_no" }],
  ])("%#: a column that names another topic's key", (child, parents, reference) => {
    expect(referring(child, ...parents)).toEqual([reference]);
  });

  test("none where no sampled topic has that key", () => {
    expect(referring(contacts)).toEqual([]);
    expect(referring(aTopic("contacts", ["id", "last_name", "warehouse_id"]), customers)).toEqual([]);
  });

  test("two topics of one entity get keys that cannot meet, and references follow", () => {
    const both = [customers, aTopic("crm.customers", ["id", "name"]), contacts];
    const { routes } = propose(both, proposing({ owner: null }));
    expect(routes.map(({ key }) => key)).toEqual([
      { template: "customers-${id}" },
      { template: "customers2-${id}" },
      "id",
    ]);
    expect(routes[2]?.fields.at(-1)?.written).toEqual({
      ref: "accounts",
      key: { template: "customers-${customer_id}" },
    });
  });
});

describe("custom fields of the account", () => {
  const aField = (name: string, field: Partial<CustomField> = {}): CustomField => ({
    ...{ name, type: "string", choices: null, forCompanies: true, forPersons: true },
    ...field,
  });
  const withFields = (...fields: readonly CustomField[]) =>
    propose(
      [aTopic("customers", ["id", "name", aColumn("credit_limit", "decimal"), "customer_group"])],
      proposing({ customFieldsOf: () => fields, owner: null }),
    ).routes[0];

  test("take the column of their name", () => {
    const route = withFields(aField("Credit Limit"));
    expect(route?.fields.at(-1)).toMatchObject({
      field: "custom_fields.Credit Limit",
      written: { from: "credit_limit", as: "decimal(2)" },
    });
  });

  test("but not those for persons, with choices, or with the ERP key", () => {
    const route = withFields(
      aField("credit_limit", { forCompanies: false }),
      aField("customer_group", { choices: ["retail", "wholesale"] }),
      aField("erp_id"),
    );
    expect(route?.fields.map(({ field }) => field)).toEqual(["name"]);
    expect(route?.open.at(-1)).toEqual({
      column: "customer_group",
      line: "custom_fields.customer_group: customer_group",
      note: "Sell takes retail, wholesale",
    });
  });
});

test.each([
  [aTopic("erp.kna1", ["kunnr", "name"]), "has a name that tells no entity; say it with --topic erp.kna1=accounts"],
  [aTopic("erp.order_lines", ["id", "name"]), "has one row a line of an order"],
  [aTopic("customers", ["name", "city"], { key: [] }), "has no record key that names columns"],
  [
    aTopic("customers", ["id", "x1", "x2"]),
    "looks like accounts, but no column beside the key has a name that tells a field (x1, x2)",
  ],
])("%# is left out with the reason and the next step", (topic, why) => {
  const { routes, left } = propose([topic], proposing());
  expect(routes).toEqual([]);
  expect(left).toEqual([{ topic: topic.topic, why: expect.stringContaining(why) }]);
});

test("the table tells what the topic's name does not", () => {
  expect(propose([aTopic("erp.cdc", ["id", "name"], { table: "sales.customers" })], proposing()).routes).toHaveLength(
    1,
  );
});
