/** The CRM's nouns as Sell knows them: paths, type names, and what a record is matched on. */
import type { Entity, Fields } from "../domain/mutation.ts";

/** What this adapter can write. Orders need their lines read, compared and replaced, which comes with a later release. */
type SellEntity = Exclude<Entity, "orders">;

export interface Resource {
  readonly corePath: string;
  readonly bulkPath: string;
  /** `meta.type` of a bulk item. */
  readonly type: string;
  /** Accounts and contacts share one resource in Sell and may share keys: the filter must tell them apart. */
  readonly isOrganization: boolean | null;
  /** Where the ERP key stands. Products have no custom fields; their sku is the key, and Sell does not keep it unique. */
  readonly keyIn: "custom-field" | "sku";
  /** Whether the core dialect has `POST .../upsert` for it. */
  readonly hasUpsert: boolean;
}

const RESOURCES: { readonly [E in SellEntity]: Resource } = {
  accounts: {
    corePath: "/v2/contacts",
    bulkPath: "/api/v2/bulk/accounts",
    type: "account",
    isOrganization: true,
    keyIn: "custom-field",
    hasUpsert: true,
  },
  contacts: {
    corePath: "/v2/contacts",
    bulkPath: "/api/v2/bulk/contacts",
    type: "contact",
    isOrganization: false,
    keyIn: "custom-field",
    hasUpsert: true,
  },
  leads: {
    corePath: "/v2/leads",
    bulkPath: "/api/v2/bulk/leads",
    type: "lead",
    isOrganization: null,
    keyIn: "custom-field",
    hasUpsert: true,
  },
  deals: {
    corePath: "/v2/deals",
    bulkPath: "/api/v2/bulk/deals",
    type: "deal",
    isOrganization: null,
    keyIn: "custom-field",
    hasUpsert: true,
  },
  products: {
    corePath: "/v2/products",
    bulkPath: "/api/v2/bulk/products",
    type: "product",
    isOrganization: null,
    keyIn: "sku",
    hasUpsert: false,
  },
};

/** Null for an entity this adapter does not write; `unsupported` is the sentence that refuses a route to it. */
export const resourceOf = (entity: Entity): Resource | null => (entity === "orders" ? null : RESOURCES[entity]);

export const unsupported = (entity: Entity): string =>
  `Writing ${entity} to Sell comes with a later release: remove its route from the configuration.`;

/**
 * The body with the ERP key in it. Filter and body get the key from one place: a record created without it would be
 * created again by the next upsert.
 */
export const withKey = (resource: Resource, keyField: string, key: string, body: Fields): Fields => {
  if (resource.keyIn === "sku") return { ...body, sku: key };
  const custom = body["custom_fields"];
  return { ...body, custom_fields: isFields(custom) ? { ...custom, [keyField]: key } : { [keyField]: key } };
};

/** As `withKey`, for a request that may create the record: `is_organization` can be set at creation only. */
export const newRecord = (resource: Resource, keyField: string, key: string, body: Fields): Fields => {
  const keyed = withKey(resource, keyField, key, body);
  return resource.isOrganization === true ? { ...keyed, is_organization: true } : keyed;
};

/** The query that finds the record of a key. */
export const keyFilter = (resource: Resource, keyField: string, key: string): string => {
  const name = resource.keyIn === "sku" ? "sku" : `custom_fields[${keyField}]`;
  const filter = `${encodeURIComponent(name)}=${encodeURIComponent(key)}`;
  return resource.isOrganization === null ? filter : `${filter}&is_organization=${resource.isOrganization}`;
};

/** The ERP key of a record Sell sent; null when it shows none. */
export const keyOf = (resource: Resource, keyField: string, data: Readonly<Record<string, unknown>>): string | null => {
  const holder = resource.keyIn === "sku" ? data : data["custom_fields"];
  const key = isRecord(holder) ? holder[resource.keyIn === "sku" ? "sku" : keyField] : undefined;
  return typeof key === "string" || typeof key === "number" ? String(key) : null;
};

/** A JSON object, whatever is in it. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** An id as Sell gives them: a positive integer. */
export const isId = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 0;

const isFields = (value: Fields[string] | undefined): value is Fields => isRecord(value);
