import { expect, test } from "vitest";
import { chosenTopics, wishOf } from "../../../src/init/topics.ts";

const ALL = [
  ...["erp.sales.orders", "erp.sales.customers", "_schemas", "__consumer_offsets", "connect-offsets", "app-changelog"],
  ...["erp.sell-sink.dead-letters", "erp.sell-sink.dead-letters.replay", "schema-changes.erp"],
];
const chosen = (...wishes: readonly string[]) =>
  chosenTopics(ALL, wishes.map(wishOf)).map(({ topic, isNamed, wanted }) => [topic, isNamed, wanted]);

test("without a wish all but those that programs keep for themselves, sorted", () => {
  expect(chosen()).toEqual([
    ["erp.sales.customers", false, null],
    ["erp.sales.orders", false, null],
  ]);
});

test.each([
  [["erp.sales.orders"], [["erp.sales.orders", true, null]]],
  [["erp.*.orders=deals"], [["erp.sales.orders", true, "deals"]]],
  [["*orders", "erp.sales.orders=leads"], [["erp.sales.orders", true, "leads"]]],
  [["erp?sales*", "_schemas"], null],
  [["_schemas"], [["_schemas", true, null]]],
])("%j", (wishes, topics) => {
  if (topics === null) expect(() => chosen(...wishes)).toThrow("Kafka has no topic erp?sales*");
  else expect(chosen(...wishes)).toEqual(topics);
});

test.each([
  ["erp.sales.custmers", "Kafka has no topic erp.sales.custmers; did you mean erp.sales.customers?"],
  ["x=acounts", "--topic x=acounts names no entity that init proposes; did you mean accounts?"],
  ["x=orders", "there are accounts, contacts, leads, products, deals."],
  ["x=a=b", "names no entity"],
])("%s is wrong usage", (wish, sentence) => {
  expect(() => chosen(wish)).toThrow(sentence);
});
