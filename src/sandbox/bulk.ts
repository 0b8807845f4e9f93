/**
 * The bulk dialect, `POST /api/v2/bulk/{resource}`: not part of Zendesk's API, but of the account this connector was written
 * for. Items run in order and independently, nothing is rolled back, and there is one result for each, in request order.
 */
import { compact, keyOf, kindOf, revisionOf, type WriteResult } from "./account.ts";
import { type AppliedItem, bodyHash } from "./applied-log.ts";
import { type BulkItem, type BulkRequest, readBulk } from "./bulk-request.ts";
import { type Call, unknownPath } from "./call.ts";
import { forbidden } from "./core.ts";
import { type JsonObject, type Problem, problemJson, type Reply } from "./reply.ts";
import { isBlank } from "./resources.ts";
import type { Filter, Row } from "./table.ts";
import { valueAt } from "./value-at.ts";

/** One result of a bulk reply, ready to be sent. */
export interface ItemResult {
  readonly data?: JsonObject;
  readonly errors?: readonly object[];
  readonly meta: ItemMeta & {
    readonly status: number;
    readonly result: AppliedItem["result"];
    readonly version?: number;
    readonly retryable?: boolean;
  };
}

interface ItemMeta {
  readonly type: string;
  readonly ref?: string;
  readonly index: number;
}

/** A reply whose results can still be tampered with. */
export interface BulkReply {
  readonly status: 200 | 207;
  readonly body: { readonly items: readonly ItemResult[]; readonly meta: object };
}

/** Reads and checks the request as a whole; anything wrong with that and nothing is applied. */
export const bulkRequest = (call: Call): BulkRequest | Reply => {
  const [, , , name = "", more] = call.parts;
  if (!call.account.settings().bulk || call.method !== "POST" || more !== undefined) return unknownPath(call);
  const request = readBulk(call, name);
  if (request === null) return unknownPath(call);
  return "items" in request && call.account.settings().forbidden.includes(request.kind) ? forbidden(call) : request;
};

/** Applies the first `count` items; the others are neither applied nor answered. */
export const applyBulk = (call: Call, request: BulkRequest, count = request.items.length): BulkReply => {
  const items: ItemResult[] = [];
  let failed = 0;
  for (const item of request.items.slice(0, count)) {
    const result = applyItem(call, request, item);
    if (result.meta.status !== 200) failed += 1;
    items.push(result);
  }
  const meta = {
    type: "collection",
    count: items.length,
    succeeded: items.length - failed,
    failed,
    logref: call.logref,
  };
  return { status: failed === 0 ? 200 : 207, body: { items, meta } };
};

const applyItem = (call: Call, request: BulkRequest, item: BulkItem): ItemResult => {
  const scripted = call.fault?.items;
  if (scripted === undefined || !(scripted.keys?.includes(item.key ?? "") ?? true)) return write(call, request, item);
  if (scripted.applied) write(call, request, item);
  else note(call, request, item, null, "failed", scripted.code);
  return failure(request, item, scripted.status, [{ code: scripted.code }]);
};

const write = (call: Call, request: BulkRequest, item: BulkItem): ItemResult => {
  const { account } = call;
  const { name } = request.resource;
  switch (request.operation) {
    case "upsert":
      return isOtherKind(request, item) ? otherKind(call, request, item) : upsert(call, request, item);
    case "create":
      if (isOtherKind(request, item)) return otherKind(call, request, item);
      return written(call, request, item, account.create(name, dataOf(request, item), item.pointer));
    case "update":
      return onRow(call, request, item, (row) => {
        const { id: _, ...data } = item.data;
        return written(call, request, item, account.update(name, row, data, false, item.pointer));
      });
    case "delete":
      return onRow(call, request, item, (row) => {
        account.remove(name, row);
        note(call, request, item, row, "deleted", null);
        return success(request, item, { id: row.id }, "deleted", row.version + 1);
      });
  }
};

/** The path says which kind of contact an item is. */
const isOtherKind = ({ isOrganization }: BulkRequest, { data }: BulkItem): boolean =>
  isOrganization !== null && (data["is_organization"] ?? isOrganization) !== isOrganization;

const otherKind = (call: Call, request: BulkRequest, item: BulkItem): ItemResult => {
  const details = "The path says otherwise";
  return rejected(call, request, item, { field: pointerOf(item, "is_organization"), code: "incorrect_value", details });
};

const upsert = (call: Call, request: BulkRequest, item: BulkItem): ItemResult => {
  const { resource, matchOn, isOrganization } = request;
  const filters: Filter[] = isOrganization === null ? [] : [{ path: "is_organization", value: String(isOrganization) }];
  for (const path of matchOn) {
    const value = valueAt(item.data, path);
    if (isBlank(value)) return rejected(call, request, item, { field: pointerOf(item, path), code: "missing" });
    filters.push({ path, value: String(value) });
  }
  const matches = call.account.find(resource.name, filters);
  const [row] = matches;
  if (matches.length > 1 && call.account.settings().multiMatch !== "first") {
    const status = call.account.settings().multiMatch === "error-409" ? 409 : 422;
    note(call, request, item, null, "failed", "ambiguous_match");
    const field = pointerOf(item, matchOn[0] ?? "");
    return failure(request, item, status, [
      { field, code: "ambiguous_match", details: `${matches.length} records match` },
    ]);
  }
  const result =
    row === undefined
      ? call.account.create(resource.name, dataOf(request, item), item.pointer)
      : call.account.update(resource.name, row, dataOf(request, item), false, item.pointer);
  return written(call, request, item, result);
};

const dataOf = ({ isOrganization }: BulkRequest, { data }: BulkItem): JsonObject =>
  isOrganization === null || data["is_organization"] === isOrganization
    ? data
    : { ...data, is_organization: isOrganization };

const onRow = (call: Call, request: BulkRequest, item: BulkItem, then: (row: Row) => ItemResult): ItemResult => {
  const id = item.data["id"];
  const row = typeof id === "number" ? call.account.get(request.resource.name, id) : undefined;
  if (row !== undefined && kindOf(request.resource.name, row.record) === request.kind) return then(row);
  note(call, request, item, null, "failed", "not_found");
  return failure(request, item, 404, [{ field: `${item.pointer}/id`, code: "not_found" }]);
};

const written = (call: Call, request: BulkRequest, item: BulkItem, result: WriteResult): ItemResult => {
  if (result.status === "invalid") return rejected(call, request, item, ...result.problems);
  note(call, request, item, result.row, result.result, null);
  return success(request, item, compact(result.row), result.result, result.row.version);
};

const rejected = (call: Call, request: BulkRequest, item: BulkItem, ...problems: readonly Problem[]): ItemResult => {
  note(call, request, item, null, "failed", problems[0]?.code ?? null);
  return failure(request, item, 422, problems);
};

const success = (
  request: BulkRequest,
  item: BulkItem,
  data: JsonObject,
  result: AppliedItem["result"],
  version: number,
): ItemResult => ({ data, meta: { ...metaOf(request, item), status: 200, result, version } });

const failure = (request: BulkRequest, item: BulkItem, status: number, problems: readonly Problem[]): ItemResult => ({
  errors: problems.map((problem) => problemJson({ ...problem, resource: request.type })),
  meta: { ...metaOf(request, item), status, result: "failed", retryable: status === 429 || status >= 500 },
});

const metaOf = ({ type }: BulkRequest, { ref, index }: BulkItem): ItemMeta =>
  ref === null ? { type, index } : { type, ref, index };

const pointerOf = (item: BulkItem, path: string): string => `${item.pointer}/${path.replace(".", "/")}`;

const note = (
  call: Call,
  request: BulkRequest,
  item: BulkItem,
  row: Row | null,
  result: AppliedItem["result"],
  code: string | null,
): void => {
  call.applied.push({
    resource: request.kind,
    key: item.key ?? (row === null ? null : keyOf(row.record, call.account.config.keyField)),
    id: row?.id ?? null,
    result,
    code,
    hash: request.operation === "delete" ? null : bodyHash(item.data),
    revision: revisionOf(item.data, call.account.config.revisionField),
    atMs: call.atMs(),
  });
};
