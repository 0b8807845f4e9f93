/** Sell's resources and their attributes as data, from Zendesk's reference and from what its own clients and tests show. */
import type { Json, JsonObject } from "./reply.ts";
import { isObject } from "./value-at.ts";

export const RESOURCES = ["contacts", "leads", "deals", "products", "orders", "line_items"] as const;
export type ResourceName = (typeof RESOURCES)[number];

export interface Attribute {
  readonly type:
    | "text"
    | "integer"
    | "boolean"
    /** Up to two decimals; JSON number when whole, else text. */
    | "amount"
    /** Any decimal number, kept as text. */
    | "decimal"
    | "date"
    | "datetime"
    | "currency"
    | "tags"
    | "address"
    | "prices"
    | "custom_fields";
  /** The value is the id of such a record. */
  readonly ref?: ResourceName | "users" | "stages";
  /** The referenced contact must be a company. */
  readonly company?: true;
  readonly oneOf?: readonly string[];
  readonly max?: number;
  readonly createOnly?: true;
  /** Only customers and prospects may have it. */
  readonly customersOnly?: true;
  readonly filter?: true;
}

export interface Resource {
  readonly name: ResourceName;
  /** `meta.type` of its records. */
  readonly type: string;
  readonly attributes: ReadonlyMap<string, Attribute>;
  /** What a new record has unless the request says otherwise. */
  readonly defaults: JsonObject;
  /** Attributes that this record cannot do without. */
  required(record: JsonObject): readonly string[];
  readonly upsert: boolean;
  readonly perPageMax: number;
}

const text: Attribute = { type: "text" };
const named: Attribute = { type: "text", filter: true };
const owner: Attribute = { type: "integer", ref: "users", filter: true };
const company: Attribute = { type: "integer", ref: "contacts", company: true, filter: true };

const reach = { email: named, phone: named, mobile: named, fax: text, skype: text, website: text } as const;
const networks = { twitter: text, facebook: text, linkedin: text } as const;
const common = { tags: { type: "tags" }, custom_fields: { type: "custom_fields" } } as const;

const contacts: Resource = {
  name: "contacts",
  type: "contact",
  attributes: attributes({
    is_organization: { type: "boolean", createOnly: true, filter: true },
    name: named,
    first_name: named,
    last_name: named,
    owner_id: owner,
    contact_id: company,
    parent_organization_id: company,
    customer_status: { type: "text", oneOf: ["none", "current", "past"], filter: true },
    prospect_status: { type: "text", oneOf: ["none", "current", "lost"], filter: true },
    title: text,
    description: text,
    industry: text,
    ...reach,
    ...networks,
    address: { type: "address", filter: true },
    billing_address: { type: "address", customersOnly: true },
    shipping_address: { type: "address", customersOnly: true },
    ...common,
  }),
  defaults: { is_organization: false, customer_status: "none", prospect_status: "none", tags: [] },
  required: (record) => (record["is_organization"] === true ? ["name"] : ["last_name"]),
  upsert: true,
  perPageMax: 100,
};

const leads: Resource = {
  name: "leads",
  type: "lead",
  attributes: attributes({
    first_name: named,
    last_name: named,
    organization_name: named,
    owner_id: owner,
    source_id: { type: "integer", filter: true },
    unqualified_reason_id: { type: "integer" },
    status: named,
    title: text,
    description: text,
    industry: text,
    ...reach,
    ...networks,
    address: { type: "address", filter: true },
    ...common,
  }),
  defaults: { status: "New", tags: [] },
  required: (record) => (isBlank(record["organization_name"]) ? ["last_name"] : []),
  upsert: true,
  perPageMax: 100,
};

const deals: Resource = {
  name: "deals",
  type: "deal",
  attributes: attributes({
    name: named,
    contact_id: { type: "integer", ref: "contacts", filter: true },
    value: { type: "amount" },
    currency: { type: "currency" },
    stage_id: { type: "integer", ref: "stages", filter: true },
    owner_id: owner,
    source_id: { type: "integer", filter: true },
    loss_reason_id: { type: "integer" },
    unqualified_reason_id: { type: "integer" },
    hot: { type: "boolean", filter: true },
    estimated_close_date: { type: "date", filter: true },
    customized_win_likelihood: { type: "integer", max: 100 },
    last_stage_change_at: { type: "datetime" },
    // The reference says added_at, the official clients added_on.
    added_at: { type: "datetime" },
    added_on: { type: "datetime" },
    ...common,
  }),
  defaults: { value: 0, hot: false, tags: [] },
  required: () => ["name", "contact_id"],
  upsert: true,
  perPageMax: 100,
};

const products: Resource = {
  name: "products",
  type: "product",
  attributes: attributes({
    name: named,
    description: text,
    sku: named,
    active: { type: "boolean", filter: true },
    max_discount: { type: "integer", max: 100 },
    max_markup: { type: "integer" },
    cost: { type: "decimal" },
    cost_currency: { type: "currency" },
    prices: { type: "prices" },
  }),
  defaults: { active: true, prices: [] },
  required: () => ["name"],
  upsert: false,
  perPageMax: 500,
};

const orders: Resource = {
  name: "orders",
  type: "order",
  attributes: attributes({
    deal_id: { type: "integer", ref: "deals", filter: true },
    discount: { type: "integer", max: 100 },
  }),
  defaults: { discount: 0 },
  required: () => ["deal_id"],
  upsert: false,
  perPageMax: 500,
};

const lineItems: Resource = {
  name: "line_items",
  type: "line_item",
  attributes: attributes({
    product_id: { type: "integer", ref: "products" },
    currency: { type: "currency" },
    quantity: { type: "integer" },
    variation: { type: "decimal" },
    value: { type: "decimal" },
  }),
  defaults: { quantity: 1, variation: "0" },
  required: () => ["product_id", "currency"],
  upsert: false,
  perPageMax: 100,
};

const BY_NAME: { readonly [N in ResourceName]: Resource } = {
  contacts,
  leads,
  deals,
  products,
  orders,
  line_items: lineItems,
};

export const resourceOf = (name: ResourceName): Resource => BY_NAME[name];

export const isBlank = (value: Json | undefined): boolean =>
  value === undefined || value === null || (typeof value === "string" && value.trim() === "") || isEmptyObject(value);

const isEmptyObject = (value: Json): boolean => isObject(value) && Object.keys(value).length === 0;

function attributes(table: { readonly [name: string]: Attribute }): ReadonlyMap<string, Attribute> {
  return new Map(Object.entries(table));
}
