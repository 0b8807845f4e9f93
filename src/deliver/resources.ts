/** The CRM's nouns as Sell knows them: paths, type names, and what a record is matched on. */
import type { Entity, Fields } from "../domain/mutation.ts";
import type { Write } from "../domain/receipt.ts";

export interface Resource {
  readonly corePath: string;
  readonly bulkPath: string;
  /** `meta.type` of a bulk item. */
  readonly type: string;
  /** Accounts and contacts share one resource in Sell and may share keys: the filter must tell them apart. */
  readonly isOrganization: boolean | null;
  /**
   * Where the ERP key stands. Products have no custom fields; their sku is the key, and Sell does not keep it unique. Orders
   * have neither: there is one order a deal, so their key is the deal's.
   */
  readonly keyIn: "custom-field" | "sku" | "deal";
  /** Where the account's definitions of its custom fields are read; null: the resource has none. */
  readonly customFieldsPath: string | null;
  /** Whether the core dialect has `POST .../upsert` for it. */
  readonly hasUpsert: boolean;
}

const RESOURCES: { readonly [E in Entity]: Resource } = {
  accounts: {
    corePath: "/v2/contacts",
    bulkPath: "/api/v2/bulk/accounts",
    type: "account",
    isOrganization: true,
    keyIn: "custom-field",
    customFieldsPath: "/v2/contact/custom_fields",
    hasUpsert: true,
  },
  contacts: {
    corePath: "/v2/contacts",
    bulkPath: "/api/v2/bulk/contacts",
    type: "contact",
    isOrganization: false,
    keyIn: "custom-field",
    customFieldsPath: "/v2/contact/custom_fields",
    hasUpsert: true,
  },
  leads: {
    corePath: "/v2/leads",
    bulkPath: "/api/v2/bulk/leads",
    type: "lead",
    isOrganization: null,
    keyIn: "custom-field",
    customFieldsPath: "/v2/lead/custom_fields",
    hasUpsert: true,
  },
  deals: {
    corePath: "/v2/deals",
    bulkPath: "/api/v2/bulk/deals",
    type: "deal",
    isOrganization: null,
    keyIn: "custom-field",
    customFieldsPath: "/v2/deal/custom_fields",
    hasUpsert: true,
  },
  products: {
    corePath: "/v2/products",
    bulkPath: "/api/v2/bulk/products",
    type: "product",
    isOrganization: null,
    keyIn: "sku",
    customFieldsPath: null,
    hasUpsert: false,
  },
  orders: {
    corePath: "/v2/orders",
    bulkPath: "/api/v2/bulk/orders",
    type: "order",
    isOrganization: null,
    keyIn: "deal",
    customFieldsPath: null,
    hasUpsert: false,
  },
};

export const resourceOf = (entity: Entity): Resource => RESOURCES[entity];

/** The attribute that tells a record of this resource by its key, as the bulk dialect writes it. */
export const matchedOn = ({ keyIn }: Resource, keyField: string): string => {
  switch (keyIn) {
    case "custom-field":
      return `custom_fields.${keyField}`;
    case "sku":
      return "sku";
    case "deal":
      return "deal_id";
  }
};

/**
 * The body with the ERP key in it. Filter and body get the key from one place: a record created without it would be
 * created again by the next upsert.
 */
export const withKey = (resource: Resource, keyField: string, key: string, body: Fields): Fields => {
  if (resource.keyIn === "deal") return body;
  if (resource.keyIn === "sku") return { ...body, sku: key };
  const custom = body["custom_fields"];
  return { ...body, custom_fields: isFields(custom) ? { ...custom, [keyField]: key } : { [keyField]: key } };
};

/** As `withKey`, for a request that may create the record: `is_organization` can be set at creation only. */
export const newRecord = (resource: Resource, keyField: string, key: string, body: Fields): Fields => {
  const keyed = withKey(resource, keyField, key, body);
  return resource.isOrganization === true ? { ...keyed, is_organization: true } : keyed;
};

/** The query that finds the record of a key; orders are found by way of their deal. */
export const keyFilter = (resource: Resource, keyField: string, key: string): string => {
  const name = resource.keyIn === "sku" ? "sku" : `custom_fields[${keyField}]`;
  const filter = `${encodeURIComponent(name)}=${encodeURIComponent(key)}`;
  return resource.isOrganization === null ? filter : `${filter}&is_organization=${resource.isOrganization}`;
};

/** Whether a record that Sell answered with may be the one that was written; one that shows no key may. */
export const isOurs = (
  resource: Resource,
  keyField: string,
  write: Write,
  data: Readonly<Record<string, unknown>>,
): boolean => {
  if (resource.keyIn === "deal") {
    const deal = write.body["deal_id"];
    return deal === undefined || data["deal_id"] === undefined || data["deal_id"] === deal;
  }
  const key = keyOf(resource, keyField, data);
  return key === null || key === write.key;
};

/** The ERP key of a record Sell sent; null when it shows none. */
export const keyOf = (resource: Resource, keyField: string, data: Readonly<Record<string, unknown>>): string | null => {
  if (resource.keyIn === "deal") return null;
  const holder = resource.keyIn === "sku" ? data : data["custom_fields"];
  const key = isRecord(holder) ? holder[resource.keyIn === "sku" ? "sku" : keyField] : undefined;
  return typeof key === "string" || typeof key === "number" ? String(key) : null;
};

/** A JSON object, whatever is in it. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** An id as Sell gives them: a positive integer. */
export const isId = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 0;

/** Prices by currency, as the mapping writes them, are a list in Sell. */
export const withPriceList = (body: Fields): Fields => {
  const { prices } = body;
  if (!isFields(prices)) return body;
  const list = Object.entries(prices).filter(([, amount]) => amount !== null);
  return { ...body, prices: list.map(([currency, amount]) => ({ amount, currency })) };
};

const isFields = (value: Fields[string] | undefined): value is Fields => isRecord(value);
