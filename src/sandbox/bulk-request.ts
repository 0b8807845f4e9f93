/** Reads a bulk request and refuses it as a whole where the dialect says so. */
import { keyOf } from "./account.ts";
import { type Call, refuse } from "./call.ts";
import type { Json, JsonObject, Problem, Reply } from "./reply.ts";
import { type Resource, type ResourceName, resourceOf } from "./resources.ts";
import { isObject, valueAt } from "./value-at.ts";

export interface BulkItem {
  readonly index: number;
  readonly ref: string | null;
  readonly data: JsonObject;
  /** Where problems of this item point to: `/items/7/data`. */
  readonly pointer: string;
  /** The ERP key, for the log and for faults. */
  readonly key: string | null;
}

export interface BulkRequest {
  /** `accounts`, `deals`, ... as in the path. */
  readonly kind: string;
  /** `meta.type` of an item: `account`. */
  readonly type: string;
  readonly resource: Resource;
  /** Set for the two kinds of contact. */
  readonly isOrganization: boolean | null;
  readonly operation: "upsert" | "create" | "update" | "delete";
  /** Paths that an upsert finds a record by. */
  readonly matchOn: readonly string[];
  readonly items: readonly BulkItem[];
}

interface Kind {
  readonly resource: ResourceName;
  readonly type: string;
  readonly isOrganization: boolean | null;
  /** What an upsert matches on unless it says; without one it must say. */
  readonly matchOn: readonly string[];
}

const KINDS: ReadonlyMap<string, Kind> = new Map([
  ["accounts", { resource: "contacts", type: "account", isOrganization: true, matchOn: [] }],
  ["contacts", { resource: "contacts", type: "contact", isOrganization: false, matchOn: [] }],
  ["leads", { resource: "leads", type: "lead", isOrganization: null, matchOn: [] }],
  ["deals", { resource: "deals", type: "deal", isOrganization: null, matchOn: [] }],
  ["orders", { resource: "orders", type: "order", isOrganization: null, matchOn: ["deal_id"] }],
  ["products", { resource: "products", type: "product", isOrganization: null, matchOn: ["sku"] }],
]);

const OPERATIONS = ["upsert", "create", "update", "delete"] as const;

/** Null: there is no such resource. An empty or missing list is a 400, which writes nothing: a client may probe with it. */
export const readBulk = (call: Call, name: string): BulkRequest | Reply | null => {
  const kind = KINDS.get(name);
  if (kind === undefined) return null;
  const body = isObject(call.body) ? call.body : {};
  const { items: given, meta: metaGiven } = body;
  if (!Array.isArray(given) || given.length === 0) {
    return whole(call, 400, { field: "/items", code: "invalid_payload", details: "There are no items" });
  }
  const { bulkMaxItems } = call.account.settings();
  if (given.length > bulkMaxItems) {
    const details = `Maximum is ${bulkMaxItems}, given: ${given.length}`;
    return whole(call, 413, { field: "/items", code: "too_many_items", details });
  }
  const meta = isObject(metaGiven) ? metaGiven : {};
  const items = readItems(call, given);
  if ("status" in items) return items;
  const operation = OPERATIONS.find((known) => known === (meta["operation"] ?? "upsert"));
  if (operation === undefined) return whole(call, 400, { field: "/meta/operation", code: "invalid_payload" });
  const request = { kind: name, ...kind, resource: resourceOf(kind.resource), operation };
  const matchOn = operation === "upsert" ? matchPaths(call, request.resource, kind, meta["match_on"]) : [];
  if (matchOn === null) {
    const details = "An upsert needs filterable attributes to match on";
    return whole(call, 422, { field: "/meta/match_on", code: "incorrect_payload", details });
  }
  const repeated = repetition(items, operation === "upsert" ? matchOn : operation === "create" ? [] : ["id"]);
  return repeated === null ? { ...request, matchOn, items } : whole(call, 422, repeated);
};

const whole = (call: Call, status: number, problem: Problem): Reply =>
  refuse(call, status, { resource: "bulk", ...problem });

const matchPaths = (
  { account }: Call,
  resource: Resource,
  kind: Kind,
  given: Json | undefined,
): readonly string[] | null => {
  const paths = given === undefined ? kind.matchOn : given;
  if (!Array.isArray(paths) || paths.length === 0) return null;
  const isUsable = (path: unknown): path is string => {
    if (typeof path !== "string") return false;
    const custom = path.startsWith("custom_fields.") ? path.slice("custom_fields.".length) : null;
    if (custom !== null) return account.fieldsOf(resource.name).get(custom)?.filterable === true;
    return resource.attributes.get(path)?.filter === true;
  };
  return paths.every(isUsable) ? paths : null;
};

const readItems = (call: Call, given: readonly Json[]): readonly BulkItem[] | Reply => {
  const items: BulkItem[] = [];
  for (const [index, item] of given.entries()) {
    const data = isObject(item) ? item["data"] : undefined;
    if (!isObject(item) || !isObject(data)) {
      return whole(call, 400, {
        field: `/items/${index}/data`,
        code: "invalid_payload",
        details: "Every item needs data",
      });
    }
    const ref = isObject(item["meta"]) ? item["meta"]["ref"] : undefined;
    const key = keyOf(data, call.account.config.keyField);
    items.push({ index, ref: typeof ref === "string" ? ref : null, data, pointer: `/items/${index}/data`, key });
  }
  return items;
};

/** A record may stand in a batch once only: the order of two writes of it would be nobody's promise. */
const repetition = (items: readonly BulkItem[], identity: readonly string[]): Problem | null => {
  const refs = new Set<string>();
  const records = new Set<string>();
  for (const { index, ref, data } of items) {
    if (ref !== null) {
      if (refs.has(ref))
        return { field: `/items/${index}/meta/ref`, code: "incorrect_payload", details: "The ref is not unique" };
      refs.add(ref);
    }
    if (identity.length === 0) continue;
    const record =
      identity.length === 1
        ? String(valueAt(data, identity[0] ?? ""))
        : JSON.stringify(identity.map((path) => valueAt(data, path)));
    if (record !== "undefined" && records.has(record)) return { field: `/items/${index}`, code: "duplicate_in_batch" };
    records.add(record);
  }
  return null;
};
