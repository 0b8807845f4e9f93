import { expect, test } from "vitest";
import { aCompany, aDeal, anAccount, aSandbox, until } from "./support.ts";

const results = ({ json }: { json: { items: { meta: { result: string } }[] } }) =>
  json.items.map(({ meta }) => meta.result);

test("a batch is applied in order and answered item by item", async () => {
  const client = await aSandbox();
  const first = await client.bulk([anAccount("1"), anAccount("2")]);
  expect(first.status).toBe(200);
  expect(first.json.meta).toMatchObject({ type: "collection", count: 2, succeeded: 2, failed: 0 });
  expect(first.json.items[1]).toMatchObject({
    data: { id: 90002, name: "Company 2", is_organization: true, custom_fields: { erp_id: "2" } },
    meta: { type: "account", ref: "ref-2", index: 1, status: 200, result: "created", version: 1 },
  });
  const second = await client.bulk([anAccount("1"), anAccount("2", { name: "New" }), anAccount("3")]);
  expect(results(second)).toEqual(["unchanged", "updated", "created"]);
  expect(second.json.items.map(({ meta }: { meta: { version: number } }) => meta.version)).toEqual([1, 2, 1]);
});

test("a failed item hurts no other: 207", async () => {
  const client = await aSandbox();
  const reply = await client.bulk([anAccount("1"), anAccount("2", { name: "" }), { data: { name: "No key" } }]);
  expect(reply.status).toBe(207);
  expect(reply.json.meta).toMatchObject({ count: 3, succeeded: 1, failed: 2 });
  expect(reply.json.items[1]).toMatchObject({
    errors: [{ error: { resource: "account", field: "/items/1/data/name", code: "blank" }, meta: { type: "error" } }],
    meta: { type: "account", ref: "ref-2", index: 1, status: 422, result: "failed", retryable: false },
  });
  expect(reply.json.items[2].errors[0].error).toMatchObject({
    field: "/items/2/data/custom_fields/erp_id",
    code: "missing",
  });
  expect(reply.json.items[2].meta.ref).toBeUndefined();
  expect(client.sandbox.summary().records["contacts"]).toBe(1);
});

test.each([
  ["no items", { meta: {} }, 400, "invalid_payload", "/items"],
  ["an empty list", { items: [] }, 400, "invalid_payload", "/items"],
  ["an item without data", { items: [{ meta: {} }] }, 400, "invalid_payload", "/items/0/data"],
  [
    "an unknown operation",
    { items: [anAccount("1")], meta: { operation: "merge" } },
    400,
    "invalid_payload",
    "/meta/operation",
  ],
  ["nothing to match on", { items: [anAccount("1")] }, 422, "incorrect_payload", "/meta/match_on"],
  [
    "a match on text nobody can filter by",
    { items: [anAccount("1")], meta: { match_on: ["custom_fields.remarks"] } },
    422,
    "incorrect_payload",
    "/meta/match_on",
  ],
  [
    "one key twice",
    { items: [anAccount("1"), { data: anAccount("1").data }], meta: { match_on: ["custom_fields.erp_id"] } },
    422,
    "duplicate_in_batch",
    "/items/1",
  ],
  [
    "one ref twice",
    {
      items: [anAccount("1"), { ...anAccount("2"), meta: { ref: "ref-1" } }],
      meta: { match_on: ["custom_fields.erp_id"] },
    },
    422,
    "incorrect_payload",
    "/items/1/meta/ref",
  ],
  [
    "too many items",
    { items: Array.from({ length: 51 }, (_, i) => anAccount(String(i))) },
    413,
    "too_many_items",
    "/items",
  ],
])("%s: nothing is applied", async (_, body, status, code, field) => {
  const client = await aSandbox();
  const reply = await client.post("/api/v2/bulk/accounts", body);
  expect(reply.status).toBe(status);
  expect(reply.json.items).toBeUndefined();
  expect(reply.json.errors[0].error).toMatchObject({ resource: "bulk", code, field });
  expect(client.sandbox.summary().records["contacts"]).toBe(0);
});

test("an account that knows no bulk answers 404 incorrect_path, which is how a client finds out", async () => {
  const client = await aSandbox({ settings: { bulk: false } });
  const reply = await client.post("/api/v2/bulk/accounts", { items: [] });
  expect([reply.status, reply.json.errors[0].error.code]).toEqual([404, "incorrect_path"]);
});

test("accounts and contacts of one key are two records, and an item cannot belong to the other path", async () => {
  const client = await aSandbox();
  const person = { data: { last_name: "S", custom_fields: { erp_id: "7" } } };
  expect(results(await client.bulk([person], {}, "contacts"))).toEqual(["created"]);
  expect(results(await client.bulk([anAccount("7")]))).toEqual(["created"]);
  const wrong = await client.bulk([anAccount("8", { is_organization: true, last_name: "S" })], {}, "contacts");
  expect(wrong.json.items[0].errors[0].error).toMatchObject({
    field: "/items/0/data/is_organization",
    code: "incorrect_value",
  });
});

test("create, update and delete go by id", async () => {
  const client = await aSandbox();
  const created = await client.bulk([anAccount("1")], { operation: "create" });
  const { id } = created.json.items[0].data;
  const update = await client.bulk([{ data: { id, name: "New" } }, { data: { id: 5, name: "x" } }], {
    operation: "update",
  });
  expect([update.status, update.json.items[0].data.name]).toEqual([207, "New"]);
  expect(update.json.items[1]).toMatchObject({ errors: [{ error: { code: "not_found" } }], meta: { status: 404 } });
  const deleted = await client.bulk([{ data: { id } }], { operation: "delete" });
  expect(deleted.json.items[0]).toMatchObject({ data: { id }, meta: { result: "deleted", version: 3 } });
  expect((await client.bulk([{ data: { id } }], { operation: "delete" })).json.items[0].meta.status).toBe(404);
  const twice = await client.bulk([{ data: { id } }, { data: { id } }], { operation: "delete" });
  expect(twice.json.errors[0].error.code).toBe("duplicate_in_batch");
});

test("products match on their SKU, orders on their deal, deals refer to contacts", async () => {
  const client = await aSandbox();
  const product = { data: { sku: "B-1", name: "Bolt" } };
  expect(results(await client.post("/api/v2/bulk/products", { items: [product] }))).toEqual(["created"]);
  expect(results(await client.post("/api/v2/bulk/products", { items: [product] }))).toEqual(["unchanged"]);
  const order = { data: { deal_id: await aDeal(client), discount: 5 } };
  expect(results(await client.post("/api/v2/bulk/orders", { items: [order] }))).toEqual(["created"]);
  expect(results(await client.post("/api/v2/bulk/orders", { items: [order] }))).toEqual(["unchanged"]);
  const orphan = { data: { name: "D", contact_id: 5, custom_fields: { erp_id: "D-1" } } };
  expect((await client.bulk([orphan], {}, "deals")).json.items[0].errors[0].error.field).toBe(
    "/items/0/data/contact_id",
  );
});

test("upserts see other writes only after the index lag: twins, then ambiguous_match", async () => {
  const client = await aSandbox({ settings: { indexLagMs: 1_000 } });
  expect(results(await client.bulk([anAccount("1")]))).toEqual(["created"]);
  expect(results(await client.bulk([anAccount("1")]))).toEqual(["created"]);
  client.clock.advance(1_000);
  const third = await client.bulk([anAccount("1"), anAccount("2")]);
  expect(third.json.items[0]).toMatchObject({
    errors: [{ error: { code: "ambiguous_match" } }],
    meta: { status: 409 },
  });
  expect(results(third)).toEqual(["failed", "created"]);
});

test("an Idempotency-Key repeats the reply without applying, and refuses another body", async () => {
  const client = await aSandbox();
  const send = (name: string) => {
    const body = { items: [anAccount("1", { name })], meta: { match_on: ["custom_fields.erp_id"] } };
    return client.call("POST", "/api/v2/bulk/accounts", body, { "Idempotency-Key": "k1" });
  };
  const first = await send("A");
  expect((await send("A")).text).toBe(first.text);
  expect((await send("B")).status).toBe(422);
  expect(client.sandbox.summary().byResult).toEqual({ created: 1 });
  client.clock.advance(24 * 3_600_000);
  expect(results(await send("B"))).toEqual(["updated"]);
});

test("the same Idempotency-Key while the first request is still at work is a 409", async () => {
  const client = await aSandbox({ faults: [{ delayMs: 100 }] });
  const body = { items: [anAccount("1")], meta: { match_on: ["custom_fields.erp_id"] } };
  const send = () => client.call("POST", "/api/v2/bulk/accounts", body, { "Idempotency-Key": "k1" });
  const first = send();
  await until(() => client.clock.sleeping === 1);
  expect((await send()).status).toBe(409);
  client.clock.advance(100);
  expect((await first).status).toBe(200);
});

test("an asynchronous batch is a job to poll until its results are there, and later forgotten", async () => {
  const client = await aSandbox();
  const body = { items: [anAccount("1"), anAccount("2", { name: "" })], meta: { match_on: ["custom_fields.erp_id"] } };
  const accepted = await client.post("/api/v2/bulk/accounts?async=true", body);
  expect(accepted.status).toBe(202);
  const path = String(accepted.headers["location"]);
  expect((await client.get(path)).json.data).toMatchObject({ status: "working", total: 2, progress: 0, results: null });
  expect(client.sandbox.summary().records["contacts"]).toBe(0);
  client.clock.advance(200);
  const done = (await client.get(path)).json;
  expect(done.data).toMatchObject({ status: "completed", progress: 2 });
  expect(done.data.results.map(({ meta }: { meta: { status: number } }) => meta.status)).toEqual([200, 422]);
  expect(client.sandbox.log()[0]?.applied).toHaveLength(2);
  client.clock.advance(3_600_000);
  expect((await client.get(path)).status).toBe(404);
});

test("only 30 jobs at once; a stuck one never ends and a failed one has no results", async () => {
  const client = await aSandbox({ faults: [{ job: "stuck", times: 29 }, { job: "failed" }] });
  const submit = () =>
    client.post("/api/v2/bulk/accounts?async=true", {
      items: [anAccount("1")],
      meta: { match_on: ["custom_fields.erp_id"] },
    });
  let last = await submit();
  for (let i = 1; i < 30; i += 1) last = await submit();
  const refused = await submit();
  expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "1"]);
  expect(refused.json.errors[0].error.code).toBe("job_limit_exceeded");
  client.clock.advance(200);
  await until(() => client.clock.sleeping === 0);
  expect((await client.get(String(last.headers["location"]))).json.data).toMatchObject({
    status: "failed",
    results: null,
  });
  expect((await submit()).status).toBe(202);
});

test("bulk and core write the same records", async () => {
  const client = await aSandbox();
  const id = await aCompany(client, "C-1");
  const reply = await client.bulk([anAccount("C-1", { name: "Renamed" })]);
  expect(reply.json.items[0].data.id).toBe(id);
  expect((await client.get(`/v2/contacts/${id}`)).json.data.name).toBe("Renamed");
});
