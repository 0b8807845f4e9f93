import { describe, expect, test } from "vitest";
import { coreCall, type SkuNote } from "../../../src/deliver/core.ts";
import { createNotes } from "../../../src/deliver/notes.ts";
import { resourceOf } from "../../../src/deliver/resources.ts";
import type { Verb, Write } from "../../../src/domain/receipt.ts";
import { aClock, asCall, aWrite } from "./support.ts";

const aCaller = () => {
  const { clock, advance } = aClock();
  const skus = createNotes<SkuNote>(clock, 90_000);
  const plan = (write: Write, verb: Verb) => {
    const context = { keyField: "erp_id", skus, nowMs: clock.monotonicMs(), openMs: 14_000 };
    return coreCall(write, verb, resourceOf(write.entity), context);
  };
  return { plan, call: (write: Write, verb: Verb) => asCall(plan(write, verb)), advance };
};

const call = (overrides: Partial<Write>, verb: Verb = "upsert") => aCaller().call(aWrite(overrides), verb);

const reply = (body: unknown, status = 200) => ({ status, headers: {}, body: JSON.stringify(body) });
const aRecord = (overrides: object = {}) => ({
  data: {
    id: 5,
    custom_fields: { erp_id: "C-1" },
    created_at: "2026-01-01T00:00:00Z",
    updated_at: "2026-02-01T00:00:00Z",
    ...overrides,
  },
});
const aList = (...records: readonly object[]) => ({ items: records, meta: { type: "collection" } });

describe("the request", () => {
  test.each([
    ["accounts", "custom_fields%5Berp_id%5D=C-1%20%26%20Co&is_organization=true"],
    ["contacts", "custom_fields%5Berp_id%5D=C-1%20%26%20Co&is_organization=false"],
  ] as const)("upserts %s by a filter that tells companies from people", (entity, query) => {
    const { request } = call({ entity, key: "C-1 & Co" });
    expect(request).toMatchObject({ method: "POST", path: `/v2/contacts/upsert?${query}` });
    const { data } = JSON.parse(request.body ?? "");
    expect(data.custom_fields).toEqual({ erp_id: "C-1 & Co" });
    expect(data.is_organization).toBe(entity === "accounts" ? true : undefined);
  });

  test("writes a record of known id by its id, without what can be set at creation only", () => {
    const { request, byId } = call({ id: 5 });
    expect({ ...request, byId }).toEqual({
      method: "PUT",
      path: "/v2/contacts/5",
      body: '{"data":{"name":"Nordlicht","custom_fields":{"erp_id":"C-1"}}}',
      byId: true,
    });
  });

  test("deletes by id and looks up by key", () => {
    expect(call({ entity: "deals", id: 5, body: {} }, "delete").request).toEqual({
      method: "DELETE",
      path: "/v2/deals/5",
      body: null,
    });
    expect(call({ entity: "leads", body: {} }, "lookup").request).toEqual({
      method: "GET",
      path: "/v2/leads?custom_fields%5Berp_id%5D=C-1",
      body: null,
    });
  });
});

describe("the reply to a write", () => {
  test.each([
    ["created", { created_at: "2026-02-01T00:00:00Z" }],
    ["updated", {}],
    ["created", { created_at: undefined, updated_at: undefined }],
  ])("is %s by its time stamps, in doubt created", (result, stamps) => {
    expect(call({}).read(reply(aRecord(stamps))).outcomes).toEqual([{ status: "accepted", result, id: 5 }]);
  });

  test.each([
    ["another key", {}, aRecord({ custom_fields: { erp_id: "C-2" } }), 200, "key-mismatch"],
    ["another id", { id: 6 }, aRecord(), 200, "id-mismatch"],
    ["no id", {}, aRecord({ id: null }), 200, "reply-unreadable"],
    ["no data", {}, {}, 200, "reply-unreadable"],
    ["204", {}, "", 204, "http-204"],
    ["202", {}, "", 202, "asynchronous-reply"],
    ["207", {}, aRecord(), 207, "http-207"],
  ])("with %s is unknown", (_name, write, body, status, reason) => {
    expect(call(write).read(reply(body, status)).outcomes).toEqual([{ status: "unknown", reason }]);
  });

  test("to a delete needs no body", () => {
    const outcomes = [{ status: "accepted", result: "deleted", id: 5 }];
    expect(call({ id: 5 }, "delete").read({ status: 204, headers: {}, body: "" }).outcomes).toEqual(outcomes);
  });
});

describe("a lookup", () => {
  test.each([
    ["finds the one record", aList(aRecord()), { status: "accepted", result: "found", id: 5 }],
    ["finds none", aList(), { status: "accepted", result: "missing", id: null }],
    [
      "does not choose between several",
      aList(aRecord(), aRecord({ id: 6 })),
      { status: "rejected", reason: "ambiguous-match" },
    ],
    [
      "takes no record of another key",
      aList(aRecord({ custom_fields: { erp_id: "C-2" } })),
      { status: "unknown", reason: "key-mismatch" },
    ],
    [
      "takes no record without a key",
      aList(aRecord({ custom_fields: {} })),
      { status: "unknown", reason: "key-mismatch" },
    ],
    ["takes no other shape", { data: [] }, { status: "unknown", reason: "reply-unreadable" }],
  ])("%s", (_name, body, outcome) => {
    expect(call({}, "lookup").read(reply(body)).outcomes).toMatchObject([outcome]);
  });
});

describe("a product, which has no upsert", () => {
  const product = aWrite({ entity: "products", key: "P-1", body: { name: "Nut" } });
  const found = aList({ data: { id: 8, sku: "P-1" } });

  test("is looked up, then created", () => {
    const { call } = aCaller();
    const look = call(product, "upsert");
    expect(look.request).toMatchObject({ method: "GET", path: "/v2/products?sku=P-1" });
    expect(look.read(reply(aList())).outcomes).toMatchObject([{ status: "progress", reason: "looked-up" }]);
    const write = call(product, "upsert");
    expect(write.request).toEqual({
      method: "POST",
      path: "/v2/products",
      body: '{"data":{"name":"Nut","sku":"P-1"}}',
    });
    expect(write.read(reply({ data: { id: 8, sku: "P-1" } })).outcomes).toMatchObject([{ result: "created", id: 8 }]);
  });

  test("is looked up, then updated", () => {
    const { call } = aCaller();
    call(product, "upsert").read(reply(found));
    expect(call(product, "upsert").request).toMatchObject({ method: "PUT", path: "/v2/products/8" });
  });

  test("is looked up again after every write and after a long wait, so that no twin is made", () => {
    const { call, advance } = aCaller();
    call(product, "upsert").read(reply(aList()));
    expect(call(product, "upsert").request.method).toBe("POST");
    const again = call(product, "upsert");
    expect(again.request.method).toBe("GET");
    again.read(reply(aList()));
    advance(90_001);
    expect(call(product, "upsert").request.method).toBe("GET");
  });

  test("whose creation got no answer is left alone until that can no longer appear", () => {
    const { call, plan, advance } = aCaller();
    call(product, "upsert").read(reply(aList()));
    call(product, "upsert").refused?.({ status: "unknown", reason: "timeout" });
    advance(13_999);
    expect(plan(product, "upsert")).toEqual({ status: "retriable", reason: "creation-open" });
    advance(1);
    expect(call(product, "upsert").request.method).toBe("GET");
  });

  test("with a sku several products share is a dead letter", () => {
    const twins = aList({ data: { id: 8, sku: "P-1" } }, { data: { id: 9, sku: "P-1" } });
    expect(aCaller().call(product, "upsert").read(reply(twins)).outcomes).toMatchObject([
      { reason: "ambiguous-match" },
    ]);
  });
});
