import { beforeEach, expect, test } from "vitest";
import { Dice, seeded } from "../../../src/demo/dice.ts";
import { Erp } from "../../../src/demo/erp.ts";
import { compare, type SellRecord } from "../../../src/demo/expected.ts";
import type { Contact, Customer, Order } from "../../../src/demo/tables.ts";

const touched = { revision: 2, touched_at: "2026-01-05T08:00:00.000Z" };
const customer: Customer = {
  ...{ id: 1, company_name: "Elbe Optik AG", email: "Office@1.Example.com", city: "Wien", credit_limit: 150_050 },
  ...touched,
};
const contact: Contact = {
  ...{ id: 1, customer_id: 1, first_name: "Zoë", last_name: "Weiß", email: "Zoe@Example.com" },
  ...touched,
};
const order: Order = {
  ...{ order_no: "SO-1", contact_id: 1, total: 9_900, currency: "EUR", status: "won", deliver_on: "2026-03-01" },
  ...touched,
};

let erp: Erp;
beforeEach(() => {
  erp = new Erp(new Dice(seeded(1)));
  erp.customers.push(customer);
  erp.contacts.push(contact);
  erp.orders.push(order);
});

const sell = (changes: { readonly [resource: string]: object } = {}): SellRecord[] => [
  {
    resource: "accounts",
    data: {
      ...{ id: 11, name: "Elbe Optik AG", owner_id: 4711, email: "office@1.example.com", customer_status: "current" },
      address: { line1: null, city: "Wien", postal_code: null, state: null, country: null },
      custom_fields: { erp_id: "C-1", erp_revision: "2", credit_limit: "1500.50" },
      ...changes["accounts"],
    },
  },
  {
    resource: "contacts",
    data: {
      ...{ id: 12, first_name: "Zoë", last_name: "Weiß", owner_id: 4711, email: "zoe@example.com", contact_id: 11 },
      custom_fields: { erp_id: "P-1", erp_revision: "2" },
      ...changes["contacts"],
    },
  },
  {
    resource: "deals",
    data: {
      ...{ id: 13, name: "Order SO-1", owner_id: 4711, value: 99, currency: "EUR", stage_id: 5 },
      ...{ estimated_close_date: "2026-03-01", contact_id: 12, organization_id: 11 },
      custom_fields: { erp_id: "SO-1", erp_revision: "2" },
      ...changes["deals"],
    },
  },
];

test("what was delivered as it should be is equal", () => {
  expect(compare(erp, sell())).toEqual({ equal: 3, differences: [] });
});

test("a deleted customer is expected as a past one", () => {
  erp.deletedCustomers.push(...erp.customers.splice(0));
  expect(compare(erp, sell({ accounts: { customer_status: "past" } })).differences).toEqual([]);
  expect(compare(erp, sell()).differences).toEqual([
    'accounts C-1: customer_status is "current" in Sell and should be "past".',
  ]);
});

test.each([
  ["a field", { accounts: { email: "Office@1.Example.com" } }, "accounts C-1: email is"],
  [
    "a custom field",
    { contacts: { custom_fields: { erp_id: "P-1", erp_revision: "1" } } },
    "contacts P-1: custom_fields.erp_revision is",
  ],
  ["a reference", { deals: { contact_id: 11 } }, "deals SO-1: contact_id is 11 in Sell and should be 12."],
  ["money", { deals: { value: "99.00" } }, "deals SO-1: value is"],
])("%s that differs is told", (_, changes, told) => {
  const { equal, differences } = compare(erp, sell(changes));
  expect(equal).toBe(2);
  expect(differences).toEqual([expect.stringContaining(told)]);
});

test("a record that is missing, twice there or too many is told", () => {
  const [account, person, deal] = sell();
  if (account === undefined || person === undefined || deal === undefined) throw new Error("three records");
  expect(compare(erp, [account, person]).differences).toEqual(["Sell lacks deals SO-1."]);
  expect(compare(erp, [account, person, deal, deal]).differences).toEqual(["Sell holds deals SO-1 twice."]);
  erp.orders.pop();
  expect(compare(erp, sell()).differences).toEqual(["Sell holds deals SO-1, which the ERP does not have."]);
});
