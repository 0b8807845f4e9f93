/** One Sell account: its records, people, pipeline and custom fields, and the writes that both dialects end in. */
import type { Clock } from "../lib/clock.ts";
import type { SandboxConfig, Settings } from "./config.ts";
import { type Catalogue, createCatalogue, type FieldTable } from "./custom-fields.ts";
import type { Json, JsonObject, Problem } from "./reply.ts";
import { type Attribute, RESOURCES, type ResourceName, resourceOf } from "./resources.ts";
import { type Filter, type Row, Table } from "./table.ts";
import { type Checked, check, type Rules } from "./validate.ts";
import { isObject, own } from "./value-at.ts";

export type WriteResult =
  | { readonly status: "done"; readonly result: "created" | "updated" | "unchanged"; readonly row: Row }
  | { readonly status: "invalid"; readonly problems: readonly Problem[] };

/** The token's user owns and creates what a request gives to nobody. */
export const USERS = [
  { id: 1, name: "ERP integration", email: "erp@example.com", role: "admin", status: "active" },
  { id: 4711, name: "Sales desk", email: "sales@example.com", role: "user", status: "active" },
] as const;

export const PIPELINES = [{ id: 1, name: "Sales pipeline", disabled: false }] as const;

export const STAGES = ["Incoming", "Qualified", "Quote", "Closure", "Won", "Lost"].map((name, i) => ({
  id: i + 1,
  name,
  position: i + 1,
  pipeline_id: 1,
  active: i < 4,
}));

/** Ids of records start here, so that none looks like a user or a stage. */
const FIRST_ID = 90_001;

export class Account {
  readonly config: SandboxConfig;
  /** Asked at each use: settings change while the simulator runs. */
  readonly settings: () => Settings;
  readonly catalogue: Catalogue;
  readonly #clock: Clock;
  readonly #tables: { readonly [N in ResourceName]: Table };
  readonly #rules = new Map<ResourceName, Rules>();
  /** At most one order per deal. */
  readonly #orderOfDeal = new Map<number, Row>();
  #nextId = FIRST_ID;

  constructor(config: SandboxConfig, settings: () => Settings, clock: Clock) {
    this.config = config;
    this.settings = settings;
    this.#clock = clock;
    this.catalogue = createCatalogue(config.customFields);
    const table = (name: ResourceName): Table => new Table((path) => isIndexed(path, this.fieldsOf(name)));
    this.#tables = {
      contacts: table("contacts"),
      leads: table("leads"),
      deals: table("deals"),
      products: table("products"),
      orders: table("orders"),
      line_items: table("line_items"),
    };
  }

  fieldsOf(name: ResourceName): FieldTable {
    const { type } = resourceOf(name);
    return type === "contact" || type === "lead" || type === "deal" ? this.catalogue[type] : NO_FIELDS;
  }

  get(name: ResourceName, id: number): Row | undefined {
    return this.#tables[name].get(id);
  }

  /** What lists, filters and upserts see: the records as they were one index lag ago. */
  find(name: ResourceName, filters: readonly Filter[]): Row[] {
    return this.#tables[name].find(filters, this.#clock.monotonicMs());
  }

  rows(name: ResourceName): IterableIterator<Row> {
    return this.#tables[name].rows();
  }

  counts(): { readonly [name: string]: number } {
    return Object.fromEntries(RESOURCES.map((name) => [name, this.#tables[name].size]));
  }

  /** `completed` gives what the record holds beyond the request, once that is valid. Pointers of problems start with `pointer`. */
  create(
    name: ResourceName,
    data: JsonObject,
    pointer = "",
    completed?: (record: JsonObject) => JsonObject,
  ): WriteResult {
    const checked = this.#check(name, data, null, pointer);
    if (checked.status === "invalid") return checked;
    const record = { ...checked.record, ...this.#implied(name, checked.record), ...completed?.(checked.record) };
    const id = this.#nextId;
    this.#nextId += 1;
    const row = this.#tables[name].insert(id, record, this.#clock.now(), this.#visibleMs());
    if (name === "orders") this.#orderOfDeal.set(Number(record["deal_id"]), row);
    return { status: "done", result: "created", row };
  }

  /** `touch`: a write that changes nothing moves `updated_at` all the same, as the core dialect does. */
  update(name: ResourceName, row: Row, data: JsonObject, touch: boolean, pointer = ""): WriteResult {
    const checked = this.#check(name, data, row, pointer);
    if (checked.status === "invalid") return checked;
    if (name === "orders") {
      this.#orderOfDeal.delete(Number(row.record["deal_id"]));
      this.#orderOfDeal.set(Number(checked.record["deal_id"]), row);
    }
    if (checked.changed) this.#tables[name].replace(row, checked.record, this.#clock.now(), this.#visibleMs());
    else if (touch) this.#tables[name].touch(row, this.#clock.now());
    return { status: "done", result: checked.changed ? "updated" : "unchanged", row };
  }

  /** A deal takes its order along, an order its lines. Other references to the record stay and lead nowhere. */
  remove(name: ResourceName, row: Row): void {
    this.#tables[name].remove(row);
    if (name === "deals") {
      const order = this.#orderOfDeal.get(row.id);
      if (order !== undefined) this.remove("orders", order);
    }
    if (name === "orders") {
      this.#orderOfDeal.delete(Number(row.record["deal_id"]));
      for (const line of this.rows("line_items")) {
        if (line.record["order_id"] === row.id) this.remove("line_items", line);
      }
    }
  }

  /** A record as the API shows it: every attribute, null where there is nothing. */
  show(name: ResourceName, row: Row): JsonObject {
    const shown: { [name: string]: Json } = { id: row.id };
    for (const attribute of resourceOf(name).attributes.keys()) shown[attribute] = row.record[attribute] ?? null;
    Object.assign(shown, row.record, times(row));
    if (name === "line_items") delete shown["product_id"]; // it can be written, and is never shown
    if (name === "contacts" && row.record["is_organization"] !== true) shown["name"] = fullName(row.record);
    if (name === "deals") shown["organization_id"] = this.#organizationOf(row.record);
    return shown;
  }

  #check(name: ResourceName, data: JsonObject, row: Row | null, pointer: string): Checked {
    const checked = check(this.#rulesOf(name), data, row?.record ?? null, pointer);
    if (name !== "orders" || checked.status === "invalid") return checked;
    const other = this.#orderOfDeal.get(Number(checked.record["deal_id"]));
    if (other === undefined || other === row) return checked;
    const problem = { resource: "order", field: `${pointer}/deal_id`, code: "already_exists" };
    return { status: "invalid", problems: [problem] };
  }

  #rulesOf(name: ResourceName): Rules {
    let rules = this.#rules.get(name);
    if (rules === undefined) {
      rules = { resource: resourceOf(name), customFields: this.fieldsOf(name), references: this };
      this.#rules.set(name, rules);
    }
    return rules;
  }

  /** `References` of validate.ts. */
  exists(resource: NonNullable<Attribute["ref"]>, id: number): boolean {
    switch (resource) {
      case "users":
        return USERS.some((user) => user.id === id);
      case "stages":
        return STAGES.some((stage) => stage.id === id);
      case "contacts":
      case "leads":
      case "deals":
      case "products":
      case "orders":
      case "line_items":
        return this.get(resource, id) !== undefined;
    }
  }

  isCompany(contactId: number): boolean {
    return this.get("contacts", contactId)?.record["is_organization"] === true;
  }

  #visibleMs(): number {
    return this.#clock.monotonicMs() + this.settings().indexLagMs;
  }

  /** What Sell fills in when a request does not. */
  #implied(name: ResourceName, record: JsonObject): JsonObject {
    const creator = { creator_id: USERS[0].id };
    if (name === "products" || name === "orders" || name === "line_items") return creator;
    const owned = { ...creator, owner_id: record["owner_id"] ?? USERS[0].id };
    if (name !== "deals") return owned;
    const { currency } = this.config.account;
    return { ...owned, stage_id: record["stage_id"] ?? 1, currency: record["currency"] ?? currency };
  }

  #organizationOf(deal: JsonObject): number | null {
    const contact = this.get("contacts", Number(deal["contact_id"]));
    if (contact === undefined) return null;
    if (contact.record["is_organization"] === true) return contact.id;
    const company = contact.record["contact_id"];
    return typeof company === "number" ? company : null;
  }
}

/** Bulk replies carry the record as it is kept, without the attributes that are null. */
export const compact = (row: Row): JsonObject => ({ id: row.id, ...row.record, ...times(row) });

/** `accounts` or `contacts` for the two kinds of contact: one ERP key may name one record of each. */
export const kindOf = (name: ResourceName, record: JsonObject): string =>
  name === "contacts" && record["is_organization"] === true ? "accounts" : name;

/** The text that names a record in the log: its ERP key, else what Sell would find it by. */
export const keyOf = (record: JsonObject, keyField: string): string | null => {
  const custom = record["custom_fields"];
  const key = (isObject(custom) ? own(custom, keyField) : undefined) ?? record["sku"] ?? record["deal_id"] ?? null;
  return key === null || typeof key === "object" ? null : String(key);
};

/** What the request itself says of the record's version. */
export const revisionOf = (data: JsonObject, revisionField: string): string | null => {
  const custom = data["custom_fields"];
  const revision = isObject(custom) ? (own(custom, revisionField) ?? null) : null;
  return revision === null || typeof revision === "object" ? null : String(revision);
};

const NO_FIELDS: FieldTable = new Map();

const isIndexed = (path: string, fields: FieldTable): boolean =>
  path.startsWith("custom_fields.")
    ? fields.get(path.slice("custom_fields.".length))?.type !== "multi_select_list"
    : path === "sku" || path.endsWith("_id");

const times = (row: Row): JsonObject => ({ created_at: row.createdAt, updated_at: row.updatedAt });

const fullName = (record: JsonObject): string =>
  [record["first_name"], record["last_name"]].filter((part) => typeof part === "string" && part !== "").join(" ");
