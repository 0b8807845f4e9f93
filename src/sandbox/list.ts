/** Lists of the core dialect: filters, paging and order of `GET /v2/{resource}`. */
import { type Call, json, refuse } from "./call.ts";
import type { Json, Reply } from "./reply.ts";
import type { Resource } from "./resources.ts";
import type { Filter, Row } from "./table.ts";
import { valueAt } from "./value-at.ts";

export interface ListQuery {
  readonly filters: readonly Filter[];
  readonly ids: ReadonlySet<number> | null;
  readonly page: number;
  readonly perPage: number;
  readonly sort: { readonly path: string; readonly descending: boolean } | null;
}

export const listReply = (call: Call, resource: Resource, implied: readonly Filter[]): Reply => {
  const query = readQuery(call, resource);
  if ("status" in query) return query;
  const { ids, page, perPage } = query;
  const found = call.account.find(resource.name, [...implied, ...query.filters]);
  const matches = sorted(ids === null ? found : found.filter(({ id }) => ids.has(id)), query.sort);
  const items = matches.slice((page - 1) * perPage, page * perPage).map((row) => ({
    data: call.account.show(resource.name, row),
    meta: { type: resource.type },
  }));
  const link = (to: number): string => {
    const params = new URLSearchParams(call.query);
    params.set("page", String(to));
    return `${call.path}?${params}`;
  };
  const links = {
    self: link(page),
    first_page: link(1),
    prev_page: page > 1 ? link(page - 1) : undefined,
    next_page: page * perPage < matches.length ? link(page + 1) : undefined,
  };
  return json({ items, meta: { type: "collection", count: items.length, links } });
};

/** The query, or the 400 that it deserves: Sell refuses parameters that it does not know. */
export const readQuery = (call: Call, resource: Resource): ListQuery | Reply => {
  const wrong = (name: string): Reply => refuse(call, 400, { field: name, code: "invalid_param" });
  const filters: Filter[] = [];
  let [page, perPage] = [1, 25];
  let ids: ReadonlySet<number> | null = null;
  let sort: ListQuery["sort"] = null;
  for (const [name, value] of call.query) {
    if (name === "page" || name === "per_page") {
      const number = Number(value);
      if (!Number.isInteger(number) || number < 1 || (name === "per_page" && number > resource.perPageMax)) {
        return wrong(name);
      }
      if (name === "page") page = number;
      else perPage = number;
    } else if (name === "ids") {
      ids = new Set(value.split(",").map(Number));
    } else if (name === "sort_by") {
      sort = sortOf(value);
    } else {
      const path = filterPath(call, resource, name);
      if (path === null) return wrong(name);
      filters.push({ path, value });
    }
  }
  return { filters, ids, page, perPage, sort };
};

/** `custom_fields[erp_id]` is `custom_fields.erp_id`; null for what cannot be filtered by. */
const filterPath = ({ account }: Call, resource: Resource, name: string): string | null => {
  const [, outer = name, inner] = /^(\w+)\[(.+)\]$/.exec(name) ?? [];
  if (outer === "creator_id" && inner === undefined) return outer;
  if (outer === "custom_fields" && inner !== undefined) {
    return account.fieldsOf(resource.name).get(inner)?.filterable ? `custom_fields.${inner}` : null;
  }
  const attribute = resource.attributes.get(outer);
  if (attribute?.filter !== true || (attribute.type === "address") !== (inner !== undefined)) return null;
  return inner === undefined ? outer : `${outer}.${inner}`;
};

/** `name:desc`, or `custom_fields:NAME:desc`. */
const sortOf = (text: string): ListQuery["sort"] => {
  const parts = text.split(":");
  const last = parts.at(-1);
  const named = last === "asc" || last === "desc" ? parts.slice(0, -1) : parts;
  return { path: named.join("."), descending: last === "desc" };
};

const sorted = (rows: Row[], sort: ListQuery["sort"]): Row[] => {
  if (sort === null) return rows;
  const { path, descending } = sort;
  return rows.toSorted((a, b) => compare(sortKey(a, path), sortKey(b, path)) * (descending ? -1 : 1));
};

const sortKey = (row: Row, path: string): Json => {
  if (path === "id") return row.id;
  if (path === "created_at") return row.createdMs;
  if (path === "updated_at") return row.updatedMs;
  return valueAt(row.record, path) ?? null;
};

const compare = (a: Json, b: Json): number =>
  typeof a === "number" && typeof b === "number" ? a - b : String(a ?? "").localeCompare(String(b ?? ""));
