/**
 * The fields each entity has in Zendesk Sell, after its published API reference (developer.zendesk.com/api-reference/
 * sales-crm/resources), so that a misspelt field is found before the first request. Custom fields are the account's own.
 */
import type { Entity } from "../domain/mutation.ts";

/** What a field takes. `fixed`: the connector or Sell writes it, and `why` says so. */
export type FieldKind =
  | { readonly kind: "plain" }
  | { readonly kind: "oneOf"; readonly options: readonly string[] }
  | { readonly kind: "ref"; readonly entities: readonly Entity[] }
  /** The CRM knows it by an id, people by a name. */
  | { readonly kind: "named"; readonly by: "owner" | "stage" }
  | { readonly kind: "tags" }
  /** The lines of an order, each with these fields. */
  | { readonly kind: "lines"; readonly members: ReadonlyMap<string, FieldKind> }
  /** `currency`: members are ISO 4217 codes, and a column may hold all of them as Sell's own list. */
  | { readonly kind: "group"; readonly members: readonly string[] | "custom" | "currency" }
  | { readonly kind: "fixed"; readonly why: string };

export interface EntityCatalogue {
  readonly fields: ReadonlyMap<string, FieldKind>;
  /** Without one of each inner list Sell refuses to create the record. */
  readonly requiredOnCreate: readonly (readonly string[])[];
}

const plain = (...names: readonly string[]) => names.map((name) => [name, { kind: "plain" }] as const);
const oneOf = (name: string, ...options: readonly string[]) => [[name, { kind: "oneOf", options }]] as const;
const ref = (name: string, ...entities: readonly Entity[]) => [[name, { kind: "ref", entities }]] as const;
const tags = [["tags", { kind: "tags" }]] as const;
const named = (name: string, by: "owner" | "stage") => [[name, { kind: "named", by }]] as const;
const group = (name: string, members: readonly string[] | "custom" | "currency") =>
  [[name, { kind: "group", members }]] as const;
const fixed = (why: string, ...names: readonly string[]) =>
  names.map((name) => [name, { kind: "fixed", why }] as const);

const ADDRESS = ["line1", "city", "postal_code", "state", "country"];

const READ_ONLY = fixed("Sell sets it itself; leave it out", "id", "creator_id", "created_at", "updated_at");

/** What persons, companies and leads share. */
const PARTY = [
  ...READ_ONLY,
  ...named("owner_id", "owner"),
  ...plain("description", "industry", "website", "email", "phone", "mobile", "fax"),
  ...plain("twitter", "facebook", "linkedin", "skype"),
  ...tags,
  ...group("address", ADDRESS),
  ...group("custom_fields", "custom"),
];

const CONTACT = [
  ...PARTY,
  ...fixed("the entity says it: accounts are organizations, contacts are persons", "is_organization"),
  ...plain("name", "title"),
  ...oneOf("customer_status", "none", "current", "past"),
  ...oneOf("prospect_status", "none", "current", "lost"),
  ...group("billing_address", ADDRESS),
  ...group("shipping_address", ADDRESS),
];

const entity = (
  fields: Iterable<readonly [string, FieldKind]>,
  ...requiredOnCreate: readonly (readonly string[])[]
): EntityCatalogue => ({ fields: new Map(fields), requiredOnCreate });

const LINE: ReadonlyMap<string, FieldKind> = new Map<string, FieldKind>([
  ...fixed("Sell copies it from the product", "name", "sku", "description", "price"),
  ...ref("product_id", "products"),
  ...plain("currency", "quantity", "variation", "value"),
]);

/** Without these Sell refuses a line. */
export const REQUIRED_OF_LINE = ["product_id", "currency"] as const;

export const CATALOGUE: Readonly<Record<Entity, EntityCatalogue>> = {
  accounts: entity([...CONTACT, ...ref("parent_organization_id", "accounts")], ["name"]),
  contacts: entity([...CONTACT, ...plain("first_name", "last_name"), ...ref("contact_id", "accounts")], ["last_name"]),
  leads: entity(
    [
      ...PARTY,
      ...plain("first_name", "last_name", "organization_name", "title", "status", "source_id", "unqualified_reason_id"),
    ],
    ["last_name", "organization_name"],
  ),
  deals: entity(
    [
      ...READ_ONLY,
      ...fixed("Sell takes it from the primary contact; leave it out", "organization_id"),
      ...fixed("a deal's pipeline follows from its stage_id; map that", "pipeline_id"),
      ...fixed("Sell sets it itself; leave it out", "dropbox_email", "last_stage_change_by_id", "last_activity_at"),
      ...named("stage_id", "stage"),
      ...named("owner_id", "owner"),
      ...tags,
      ...plain("name", "value", "currency", "source_id", "loss_reason_id", "hot"),
      ...plain("unqualified_reason_id", "estimated_close_date", "customized_win_likelihood", "last_stage_change_at"),
      ...plain("added_at", "added_on"),
      ...ref("contact_id", "accounts", "contacts"),
      ...group("custom_fields", "custom"),
    ],
    ["name"],
    ["contact_id"],
  ),
  products: entity(
    [
      ...READ_ONLY,
      ...fixed("it holds the ERP key of a product, which the connector writes from the route's key", "sku"),
      ...plain("name", "description", "active", "max_discount", "max_markup", "cost", "cost_currency"),
      ...group("prices", "currency"),
    ],
    ["name"],
  ),
  orders: entity(
    [...READ_ONLY, ...plain("discount"), ...ref("deal_id", "deals"), ["lines", { kind: "lines", members: LINE }]],
    ["deal_id"],
  ),
};

/** Fields that name the owner; without one, Sell gives a created record to the user of the token. */
export const OWNER_FIELD = "owner_id";
