/**
 * What Sell must hold, written down from the ERP's rows by hand and compared record by record. It shares no code with the
 * connector's mapping: a mistake there shows here.
 */
import { isDeepStrictEqual } from "node:util";
import type { Contact, Customer, ErpRows, Order, OrderStatus, TableName } from "./tables.ts";

/** A record as Sell shows it. */
export interface SellRecord {
  readonly resource: string;
  readonly data: { readonly [name: string]: unknown };
}

export interface Comparison {
  readonly equal: number;
  /** One sentence each. */
  readonly differences: readonly string[];
}

/** `refs` are fields that hold the id of another record, which is named here by its ERP key. */
interface Expected {
  readonly name: string;
  readonly fields: { readonly [field: string]: unknown };
  readonly custom: { readonly [field: string]: unknown };
  readonly refs: { readonly [field: string]: string };
}

/** `accounts C-7`: the name of a row's record in Sell. */
export const recordName = (table: TableName, key: string | number): string => {
  switch (table) {
    case "customers":
      return `accounts C-${key}`;
    case "contacts":
      return `contacts P-${key}`;
    case "orders":
      return `deals ${key}`;
  }
};

export const compare = (erp: ErpRows, records: Iterable<SellRecord>): Comparison => {
  const held = new Map<string, SellRecord["data"]>();
  const differences: string[] = [];
  for (const { resource, data } of records) {
    const name = `${resource} ${memberOf(data, "custom_fields", "erp_id")}`;
    if (held.has(name)) differences.push(`Sell holds ${name} twice.`);
    held.set(name, data);
  }
  const surplus = new Set(held.keys());
  let equal = 0;
  for (const expected of expectedRecords(erp)) {
    const found = differencesOf(expected, held);
    if (found.length === 0) equal += 1;
    differences.push(...found);
    surplus.delete(expected.name);
  }
  for (const name of surplus) differences.push(`Sell holds ${name}, which the ERP does not have.`);
  return { equal, differences };
};

function* expectedRecords(erp: ErpRows): Generator<Expected> {
  const customerOf = new Map(erp.contacts.map(({ id, customer_id }) => [id, customer_id]));
  for (const row of erp.customers) yield account(row, "current");
  for (const row of erp.deletedCustomers) yield account(row, "past");
  for (const row of erp.contacts) yield contact(row);
  for (const row of erp.orders) yield deal(row, customerOf.get(row.contact_id) ?? 0);
}

const SALES_DESK = 4711;

const account = (row: Customer, status: "current" | "past"): Expected => ({
  name: recordName("customers", row.id),
  fields: {
    name: row.company_name,
    owner_id: SALES_DESK,
    email: row.email?.toLowerCase() ?? null,
    customer_status: status,
    address: { line1: null, city: row.city, postal_code: null, state: null, country: null },
  },
  custom: { erp_id: `C-${row.id}`, erp_revision: String(row.revision), credit_limit: decimals(row.credit_limit) },
  refs: {},
});

const contact = (row: Contact): Expected => ({
  name: recordName("contacts", row.id),
  fields: {
    first_name: row.first_name,
    last_name: row.last_name,
    owner_id: SALES_DESK,
    email: row.email.toLowerCase(),
  },
  custom: { erp_id: `P-${row.id}`, erp_revision: String(row.revision) },
  refs: { contact_id: recordName("customers", row.customer_id) },
});

/** Sell derives the deal's organization from its contact. */
const deal = (row: Order, customerId: number): Expected => ({
  name: recordName("orders", row.order_no),
  fields: {
    name: `Order ${row.order_no}`,
    owner_id: SALES_DESK,
    value: row.total % 100 === 0 ? row.total / 100 : decimals(row.total), // Sell shows whole amounts as numbers
    currency: row.currency,
    stage_id: STAGES[row.status],
    estimated_close_date: row.deliver_on,
  },
  custom: { erp_id: row.order_no, erp_revision: String(row.revision) },
  refs: {
    contact_id: recordName("contacts", row.contact_id),
    organization_id: recordName("customers", customerId),
  },
});

const STAGES: { readonly [S in OrderStatus]: number } = { open: 1, quoted: 3, won: 5, lost: 6 };

const decimals = (cents: number): string => (cents / 100).toFixed(2);

const differencesOf = (expected: Expected, held: ReadonlyMap<string, SellRecord["data"]>): readonly string[] => {
  const data = held.get(expected.name);
  if (data === undefined) return [`Sell lacks ${expected.name}.`];
  const wanted = [
    ...Object.entries(expected.fields).map(([field, value]) => [field, data[field], value] as const),
    ...Object.entries(expected.custom).map(
      ([field, value]) => [`custom_fields.${field}`, memberOf(data, "custom_fields", field), value] as const,
    ),
    ...Object.entries(expected.refs).map(([field, name]) => [field, data[field], idOf(held.get(name))] as const),
  ];
  return wanted
    .filter(([, value, other]) => !isDeepStrictEqual(value, other))
    .map(
      ([field, value, other]) =>
        `${expected.name}: ${field} is ${JSON.stringify(value)} in Sell and should be ${JSON.stringify(other)}.`,
    );
};

const idOf = (data: SellRecord["data"] | undefined): unknown => data?.["id"];

const memberOf = (data: SellRecord["data"], group: string, name: string): unknown => {
  const members = data[group];
  return typeof members === "object" && members !== null
    ? Object.entries(members).find(([it]) => it === name)?.[1]
    : null;
};
