/** Orders with all their lines in one column, and what is refused because it could never work. */
import { describe, expect, test } from "vitest";
import { routesProblems } from "../../../src/map/problems.ts";
import { anUpdateTo, errantOf, KEY_FIELD, mutationOf, routesOf } from "./builders.ts";

const LINES = {
  from: "lines",
  each: {
    product_id: { ref: "products", key: "sku" },
    quantity: { from: "qty", as: "integer" },
    currency: { value: "EUR" },
  },
};
const ORDERS = {
  entity: "orders",
  key: "order_no",
  fields: { deal_id: { ref: "deals", key: "order_no" }, discount: "discount", lines: LINES },
};
const anOrder = (lines: Parameters<typeof anUpdateTo>[0][string]) => anUpdateTo({ order_no: 9, discount: 5, lines });
const linesOf = (lines: Parameters<typeof anUpdateTo>[0][string]) => mutationOf(ORDERS, anOrder(lines)).fields["lines"];
const TWO = [
  { sku: "BOLT", qty: "3.000" },
  { sku: "NUT", qty: 1 },
];

describe("lines", () => {
  test("each go through the mapping, their products as references with the sku beside", () => {
    const { fields, refs, complete } = mutationOf(ORDERS, anOrder(TWO));
    expect(fields).toEqual({
      discount: 5,
      lines: [
        { quantity: 3, currency: "EUR", sku: "BOLT" },
        { quantity: 1, currency: "EUR", sku: "NUT" },
      ],
    });
    expect(refs).toEqual([
      { field: "deal_id", entity: "deals", key: "9" },
      { field: "lines.0.product_id", entity: "products", key: "BOLT" },
      { field: "lines.1.product_id", entity: "products", key: "NUT" },
    ]);
    expect(complete).toBe(true);
  });

  test("may come as JSON text, numbers exactly as they stand there", () => {
    const exact = {
      ...ORDERS,
      fields: { ...ORDERS.fields, lines: { ...LINES, each: { ...LINES.each, value: "price" } } },
    };
    const text = '[{"sku":"BOLT","qty":3,"price":12.10}]';
    expect(mutationOf(exact, anOrder(text)).fields["lines"]).toMatchObject([{ quantity: 3, value: "12.10" }]);
    expect(linesOf(JSON.stringify(TWO))).toEqual(linesOf(TWO));
  });

  test("null is an order without lines; a column that was not sent leaves them alone", () => {
    expect(linesOf(null)).toEqual([]);
    const { fields, complete } = mutationOf(ORDERS, anUpdateTo({ order_no: 9, discount: 5 }));
    expect([fields, complete]).toEqual([{ discount: 5 }, false]);
  });

  test.each([
    ["no list", "BOLT", "lines"],
    ["a list of something else", [1, 2], "lines"],
    ["more than any order has", Array.from({ length: 1_001 }, () => ({ sku: "A", qty: 1 })), "lines"],
    ["a line without product", [{ qty: 1 }], "lines.product_id"],
    ["a line with a bad value", [{ sku: "A", qty: "many" }], "lines.quantity"],
  ])("%s is errant", (_name, lines, field) => {
    expect(errantOf(ORDERS, anOrder(lines))).toMatchObject({ reason: "bad-value", field });
  });

  test("a column named like something every object has is a column", () => {
    const odd = { ...LINES, each: { ...LINES.each, variation: "constructor" } };
    const { fields } = mutationOf({ ...ORDERS, fields: { ...ORDERS.fields, lines: odd } }, anOrder(TWO));
    expect(fields["lines"]).toEqual(linesOf(TWO));
  });
});

const errorsOf = (override: Record<string, unknown>) =>
  routesProblems(routesOf({ ...ORDERS, ...override }), KEY_FIELD)
    .filter(({ severity }) => severity === "error")
    .map(({ path, message }) => `${path.slice(2).join(".")} ${message}`);
const withLines = (lines: unknown) => errorsOf({ fields: { ...ORDERS.fields, lines } });

describe("validate", () => {
  test("finds an order with its lines in order", () => {
    expect(errorsOf({})).toEqual([]);
  });

  test("refuses a topic with one row a line, and names the ways out", () => {
    expect(errorsOf({ keyColumns: ["order_no", "line_no"] })).toEqual([
      expect.stringContaining("one row a line; an order's lines cannot be rebuilt from one row: send them as a list"),
    ]);
  });

  test("wants the order's key to be the deal's", () => {
    const other = { deal_id: { ref: "deals", key: "deal_no" }, lines: LINES };
    expect(errorsOf({ fields: other })).toEqual([
      expect.stringMatching(/^fields.deal_id has to be \{ ref: deals, key: "order_no" \}/),
    ]);
    expect(errorsOf({ fields: { ...other, deal_id: "deal_id" } })).toHaveLength(1);
  });

  test.each([
    ["a list that is no list of lines", "lines", "is the list of an order's lines"],
    ["lines without a product", { from: "lines", each: { currency: "c" } }, "lacks each.product_id"],
    ["lines without a currency", { from: "lines", each: { product_id: LINES.each.product_id } }, "lacks each.currency"],
    [
      "a product by a column",
      { from: "lines", each: { product_id: "p", currency: "c" } },
      "needs each.product_id as a reference",
    ],
    [
      "an unknown field",
      { from: "lines", each: { ...LINES.each, quantitty: "q" } },
      "(each.quantitty) is no field of a line; did you mean quantity?",
    ],
    ["what Sell copies", { from: "lines", each: { ...LINES.each, price: "p" } }, "(each.price) is not yours to map"],
    [
      "a broken key",
      { from: "lines", each: { ...LINES.each, product_id: { ref: "products", key: { template: "${" } } } },
      "without a column name",
    ],
  ])("finds %s", (_name, lines, sentence) => {
    expect(withLines(lines)).toEqual(expect.arrayContaining([expect.stringContaining(sentence)]));
  });
});
