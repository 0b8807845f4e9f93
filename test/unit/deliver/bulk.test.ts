import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BulkVerb, bulkCall } from "../../../src/deliver/bulk.ts";
import { resourceOf } from "../../../src/deliver/resources.ts";
import type { Entity } from "../../../src/domain/mutation.ts";
import type { Write } from "../../../src/domain/receipt.ts";
import { aBatch, anError, aWrite, bulkItems, writesOf } from "./support.ts";

const aCall = (writes: readonly Write[], verb: BulkVerb = "upsert", entity: Entity = "accounts") => {
  const context = { keyField: "erp_id", serial: 36, isAsync: false };
  return bulkCall(aBatch({ writes, verb, entity }), verb, resourceOf(entity), context);
};

const bodyOf = (call: ReturnType<typeof aCall>) => JSON.parse(call.request.body ?? "");

const read = (call: ReturnType<typeof aCall>, items: unknown, status = 207) =>
  call.read({ status, headers: {}, body: typeof items === "string" ? items : JSON.stringify({ items }) });

const short = (reading: ReturnType<typeof read>) =>
  reading.outcomes.map((outcome) =>
    outcome.status === "accepted" ? `${outcome.result} ${outcome.id}` : `${outcome.status} ${outcome.reason}`,
  );

describe("the request", () => {
  test("matches on the key field and carries the key in each body, beside the other custom fields", () => {
    const body = { name: "A", custom_fields: { credit_limit: "12.30" } };
    expect(bodyOf(aCall([aWrite({ key: "C-1", id: 99, body }), aWrite({ key: "C-2" })]))).toEqual({
      items: [
        {
          data: { name: "A", custom_fields: { credit_limit: "12.30", erp_id: "C-1" }, is_organization: true },
          meta: { type: "account", ref: "10:0" },
        },
        {
          data: { name: "Nordlicht", custom_fields: { erp_id: "C-2" }, is_organization: true },
          meta: { type: "account", ref: "10:1" },
        },
      ],
      meta: { type: "collection", operation: "upsert", match_on: ["custom_fields.erp_id"], count: 2 },
    });
  });

  test("matches products on their sku", () => {
    const call = aCall([aWrite({ entity: "products", key: "P-1", body: { name: "Nut" } })], "upsert", "products");
    expect(call.request.path).toBe("/api/v2/bulk/products");
    expect(bodyOf(call)).toMatchObject({
      items: [{ data: { name: "Nut", sku: "P-1" } }],
      meta: { match_on: ["sku"] },
    });
  });

  test("deletes and updates by id, and never makes an organization of what exists", () => {
    const write = aWrite({ id: 42, body: { customer_status: "past" } });
    expect(bodyOf(aCall([{ ...write, body: {} }], "delete"))).toMatchObject({
      items: [{ data: { id: 42 } }],
      meta: { operation: "delete" },
    });
    expect(bodyOf(aCall([write], "update")).items[0].data).toEqual({
      id: 42,
      customer_status: "past",
      custom_fields: { erp_id: "C-1" },
    });
  });
});

describe("the reply", () => {
  const call = aCall(writesOf("C-1", "C-2", "C-3"));
  const good = () => bulkItems(call.request.body ?? "");

  test("gives each write its own verdict, in any order", () => {
    const [first, second, third] = good();
    const failed = {
      ...anError("blank", "/items/1/data/name"),
      meta: { ...second?.meta, status: 422, result: "failed" },
    };
    expect(short(read(call, [third, failed, first]))).toEqual([
      "created 1000",
      "rejected invalid-record",
      "created 1002",
    ]);
  });

  test("leaves a write without a verdict unknown", () => {
    expect(short(read(call, good().slice(0, 2)))).toEqual(["created 1000", "created 1001", "unknown verdict-missing"]);
  });

  test("believes neither of two verdicts on one write", () => {
    const items = good();
    expect(short(read(call, [...items, items[0], items[0]]))[0]).toBe("unknown verdict-doubled");
  });

  test("ignores verdicts on what was not asked", () => {
    const items = good();
    const strange = ["10:3", "10:-1", "10:01", "11:0", "0", 0, null].map((ref) => ({
      ...items[0],
      meta: { ...items[0]?.meta, ref },
    }));
    expect(short(read(call, [...strange, ...items]))).toEqual(["created 1000", "created 1001", "created 1002"]);
  });

  test.each([
    ["another index", { meta: { index: 2 } }, "verdict-contradicts"],
    ["another key", { data: { custom_fields: { erp_id: "C-9" } } }, "key-mismatch"],
    ["no id", { data: { id: undefined } }, "verdict-unreadable"],
    ["an id that is none", { data: { id: "1000" } }, "verdict-unreadable"],
    ["no status", { meta: { status: undefined } }, "verdict-unreadable"],
    ["a result of another verb", { meta: { result: "deleted" } }, "verdict-contradicts"],
    ["no result", { meta: { result: undefined } }, "verdict-contradicts"],
    ["a failure called 200", { errors: [] }, "verdict-contradicts"],
    ["500", { meta: { status: 500 } }, "http-500"],
    ["503", { meta: { status: 503 } }, "http-503"],
  ])("with %s is unknown", (_name, patch: { data?: object; meta?: object; errors?: object }, reason) => {
    const [first, ...rest] = good();
    const item = {
      ...first,
      ...patch,
      data: { ...first?.data, ...patch.data },
      meta: { ...first?.meta, ...patch.meta },
    };
    expect(short(read(call, [item, ...rest]))).toEqual([`unknown ${reason}`, "created 1001", "created 1002"]);
  });

  test.each([
    ["update", "updated"],
    ["delete", "deleted"],
  ] as const)("of %s with another id than the asked one is unknown", (verb, result) => {
    const call = aCall([aWrite({ id: 42 })], verb);
    const verdict = (id: number) => ({ data: { id }, meta: { ref: "10:0", index: 0, status: 200, result } });
    expect(short(read(call, [verdict(43)]))).toEqual(["unknown verdict-contradicts"]);
    expect(short(read(call, [verdict(42)]))).toEqual([`${result} 42`]);
  });

  test("of an order of another deal is unknown", () => {
    const call = aCall([aWrite({ entity: "orders", body: { deal_id: 5 } })], "upsert", "orders");
    const verdict = (deal: number) => ({
      data: { id: 42, deal_id: deal },
      meta: { ref: "10:0", index: 0, status: 200, result: "created" },
    });
    expect(short(read(call, [verdict(6)]))).toEqual(["unknown key-mismatch"]);
    expect(short(read(call, [verdict(5)]))).toEqual(["created 42"]);
  });

  test("without items, or to be continued elsewhere, leaves all unknown", () => {
    for (const body of ["", "<html>", "null", "[]", '{"data":{}}', '{"items":{}}', '{"items":[{"data":{"id":1'])
      expect(short(read(call, body, 200))).toEqual([
        "unknown reply-unreadable",
        "unknown reply-unreadable",
        "unknown reply-unreadable",
      ]);
    expect(short(read(call, good(), 202))[0]).toBe("unknown asynchronous-reply");
  });

  test("tells of a rate limit met half way", () => {
    const [first, second, third] = good();
    const limited = { ...anError("rate_limit_exceeded"), meta: { ...third?.meta, status: 429, result: "failed" } };
    const reading = read(call, [first, second, limited]);
    expect(short(reading)[2]).toBe("retriable rate-limited");
    expect(reading.throttle).toBe(true);
  });

  test("takes a delete as done when there is nothing to delete", () => {
    const deletes = aCall([aWrite({ id: 1 }), aWrite({ key: "C-2", id: 2 })], "delete");
    const meta = { type: "account", status: 200, result: "deleted" };
    const items = [
      { meta: { ...meta, ref: "10:0", index: 0 } },
      { ...anError("not_found"), meta: { ...meta, ref: "10:1", index: 1, status: 404, result: "failed" } },
    ];
    expect(short(read(deletes, items))).toEqual(["deleted 1", "missing null"]);
  });
});

test("whatever the items are, each write has one outcome, and only its own untouched verdict is accepted", () => {
  const call = aCall(writesOf("C-1", "C-2", "C-3", "C-4"));
  const good = bulkItems(call.request.body ?? "");
  const anyItem = fc.oneof(
    fc.constantFrom(...good),
    fc.anything({ maxDepth: 3 }),
    fc.record({
      data: fc.anything({ maxDepth: 1 }),
      meta: fc.record({ ref: fc.constantFrom("10:0", "10:1", "10:7"), status: fc.anything(), index: fc.nat(4) }),
    }),
  );
  const property = fc.property(fc.array(anyItem, { maxLength: 8 }), (items) => {
    const { outcomes } = call.read({ status: 200, headers: {}, body: JSON.stringify({ items }) ?? "" });
    expect(outcomes).toHaveLength(4);
    outcomes.forEach((outcome, index) => {
      if (outcome.status !== "accepted") return;
      const own = items.filter((item) => item === good[index]);
      expect(own).toHaveLength(1);
      expect(outcome.id).toBe(1_000 + index);
    });
  });
  fc.assert(property, { numRuns: 300 });
});
