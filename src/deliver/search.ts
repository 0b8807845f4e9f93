/** Reads the records of an entity as they are: all of them page by page, or some by their ids. Changes nothing. */
import { ConnectorError } from "../domain/errors.ts";
import type { Found, FoundRecord, Search } from "../domain/search.ts";
import type { Json } from "./call.ts";
import { pagePath, readPage } from "./listing.ts";
import { isId, keyFilter, keyOf, type Resource, resourceOf } from "./resources.ts";
import type { Reply, WireRequest } from "./wire.ts";

/** One question. Rejects with a ConnectorError, which is retriable when the answer can be hoped for. */
export const search = async (
  what: Search,
  keyField: string,
  ask: (request: WireRequest) => Promise<Reply>,
): Promise<Found> => {
  const resource = resourceOf(what.entity);
  const { body } = await ask({ method: "GET", path: pathFor(what, resource, keyField), body: null });
  const page = readPage(body, (data) => readRecord(data, resource, keyField));
  if (page !== null) {
    // A server that ignores the filter answers with any record at all, and the one that was asked for may be elsewhere.
    if ("key" in what && page.items.some(({ key }) => key !== what.key)) throw unfiltered(resource);
    return { records: page.items, isLast: page.isLast };
  }
  throw new ConnectorError("SELL_UNREACHABLE", `Sell answers ${resource.corePath} with no list; trying again.`, {
    retriable: true,
  });
};

const unfiltered = ({ corePath }: Resource): ConnectorError =>
  new ConnectorError(
    "SELL_MISMATCH",
    `Sell answers a question for one key in ${corePath} with records of others: mark the field of sell.keyField filterable.`,
    { retriable: false },
  );

const pathFor = (what: Search, resource: Resource, keyField: string): string => {
  if ("page" in what) return pageOf(resource, what.page);
  if ("ids" in what) return pagePath(pathOf(resource, `ids=${what.ids.join(",")}`), 1);
  return pagePath(`${resource.corePath}?${keyFilter(resource, keyField, what.key)}`, 1);
};

/** What is created while the pages are read comes behind them, instead of pushing records from one page to the next. */
const pageOf = (resource: Resource, page: number): string => pagePath(pathOf(resource, "sort_by=created_at"), page);

const pathOf = ({ corePath, isOrganization }: Resource, query: string): string =>
  `${corePath}?${query}${isOrganization === null ? "" : `&is_organization=${isOrganization}`}`;

const readRecord = (data: Json, resource: Resource, keyField: string): FoundRecord | null => {
  const { id, is_organization: isOrganization = resource.isOrganization } = data;
  // Companies and persons share a list: one that came unasked is not of this entity.
  if (!isId(id) || isOrganization !== resource.isOrganization) return null;
  const key = keyOf(resource, keyField, data);
  return { id, key: key === "" ? null : key, fields: data };
};
