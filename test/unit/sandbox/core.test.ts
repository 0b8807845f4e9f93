import { expect, test } from "vitest";
import { aCompany, aDeal, aSandbox, type Client } from "./support.ts";

const errorOf = ({ json }: { json: { errors: { error: { code: string; field: string } }[] } }) => json.errors[0]?.error;

test("a created contact comes back with an integer id, defaults, and null for what was not given", async () => {
  const client = await aSandbox();
  const reply = await client.post("/v2/contacts", { data: { last_name: "Storm", first_name: "Theo" } });
  expect(reply.status).toBe(200);
  expect(reply.json.meta).toMatchObject({ type: "contact" });
  expect(reply.json.data).toMatchObject({
    name: "Theo Storm",
    is_organization: false,
    email: null,
    owner_id: 1,
    tags: [],
  });
  expect(Number.isInteger(reply.json.data.id)).toBe(true);
  expect((await client.get(`/v2/contacts/${reply.json.data.id}`)).json.data).toEqual(reply.json.data);
});

test.each([
  ["contacts", { is_organization: true }, "missing", "/name"],
  ["contacts", { is_organization: true, name: " " }, "blank", "/name"],
  ["contacts", { first_name: "Theo" }, "missing", "/last_name"],
  ["contacts", { last_name: "S", shoe_size: 43 }, "unknown", "/shoe_size"],
  ["contacts", { last_name: "S", id: 7 }, "unknown", "/id"],
  ["contacts", { last_name: 7 }, "invalid_type", "/last_name"],
  ["contacts", { last_name: "S", customer_status: "gold" }, "incorrect_value", "/customer_status"],
  ["contacts", { last_name: "S", owner_id: 99 }, "incorrect_value", "/owner_id"],
  ["contacts", { last_name: "S", contact_id: 99 }, "incorrect_value", "/contact_id"],
  ["contacts", { last_name: "S", billing_address: { city: "Husum" } }, "incorrect_value", "/billing_address"],
  ["contacts", { last_name: "S", address: { town: "Husum" } }, "unknown", "/address/town"],
  ["contacts", { last_name: "S", custom_fields: { "12": "x" } }, "unknown", "/custom_fields/12"],
  [
    "contacts",
    { last_name: "S", custom_fields: { credit_limit: "a lot" } },
    "invalid_type",
    "/custom_fields/credit_limit",
  ],
  [
    "contacts",
    { last_name: "S", custom_fields: { customer_group: "x" } },
    "incorrect_value",
    "/custom_fields/customer_group",
  ],
  ["leads", { first_name: "Theo" }, "missing", "/last_name"],
  ["deals", { name: "Order" }, "missing", "/contact_id"],
  ["deals", { name: "Order", contact_id: 5, pipeline_id: 1 }, "incorrect_value", "/contact_id"],
  ["products", { name: "Bolt", max_discount: 101 }, "incorrect_value", "/max_discount"],
  ["orders", { deal_id: 5 }, "incorrect_value", "/deal_id"],
])("%s %j is refused as %s at %s", async (resource, data, code, field) => {
  const client = await aSandbox();
  const reply = await client.post(`/v2/${resource}`, { data });
  expect(reply.status).toBe(422);
  expect(errorOf(reply)).toMatchObject({ code, field });
  expect([...client.sandbox.state()]).toEqual([]);
});

test("all that is wrong with a record is said at once, in Sell's envelope", async () => {
  const client = await aSandbox();
  const reply = await client.post("/v2/leads", { data: { nonsense: 1, email: 2 } });
  expect(reply.json).toMatchObject({
    errors: [
      { error: { resource: "lead", field: "/nonsense", code: "unknown" }, meta: { type: "error" } },
      { error: { field: "/email", code: "invalid_type" } },
      { error: { field: "/last_name", code: "missing" } },
    ],
    meta: { type: "errors", http_status: "422 Unprocessable Entity", logref: reply.headers["x-request-id"] },
  });
});

test.each([
  ["1000", 1000],
  ["1000.00", 1000],
  [1000.5, "1000.50"],
  ["9007199254740993.25", "9007199254740993.25"],
])("a deal's value %j is shown as %j", async (value, shown) => {
  const client = await aSandbox();
  const contactId = await aCompany(client);
  const reply = await client.post("/v2/deals", { data: { name: "D", contact_id: contactId, value } });
  expect(reply.json.data).toMatchObject({ value: shown, currency: "EUR", stage_id: 1, organization_id: contactId });
});

test("PUT leaves absent attributes alone, clears with null, replaces tags and merges custom fields", async () => {
  const client = await aSandbox();
  const data = {
    last_name: "S",
    email: "a@b.c",
    phone: "1",
    tags: ["a", "b"],
    custom_fields: { erp_id: "7", vat_id: "DE1" },
  };
  const { id } = (await client.post("/v2/contacts", { data })).json.data;
  const change = { phone: null, tags: ["c"], custom_fields: { vat_id: null, credit_limit: 12.5 } };
  const reply = await client.put(`/v2/contacts/${id}`, { data: change });
  expect(reply.json.data).toMatchObject({ email: "a@b.c", phone: null, tags: ["c"] });
  expect(reply.json.data.custom_fields).toEqual({ erp_id: "7", credit_limit: "12.5" });
});

test("is_organization cannot change after the create", async () => {
  const client = await aSandbox();
  const id = await aCompany(client);
  expect((await client.put(`/v2/contacts/${id}`, { data: { is_organization: true, name: "New" } })).status).toBe(200);
  expect(errorOf(await client.put(`/v2/contacts/${id}`, { data: { is_organization: false } }))).toMatchObject({
    field: "/is_organization",
    code: "incorrect_value",
  });
});

test("DELETE answers 204 once and 404 ever after", async () => {
  const client = await aSandbox();
  const id = await aCompany(client);
  const first = await client.del(`/v2/contacts/${id}`);
  expect([first.status, first.text]).toEqual([204, ""]);
  expect((await client.del(`/v2/contacts/${id}`)).status).toBe(404);
  expect((await client.put(`/v2/contacts/${id}`, { data: { name: "x" } })).json.errors[0].error.code).toBe("not_found");
});

test("a list filters by attribute, custom field, address and ids, and pages", async () => {
  const client = await aSandbox();
  for (const n of [1, 2, 3]) {
    const city = n === 3 ? "Kiel" : "Husum";
    await client.post("/v2/contacts", {
      data: { last_name: `N${n}`, address: { city }, custom_fields: { erp_id: `P-${n}` } },
    });
  }
  await aCompany(client, "P-1");
  const names = async (query: string): Promise<string[]> =>
    (await client.get(`/v2/contacts?${query}`)).json.items.map((item: { data: { name: string } }) => item.data.name);
  expect(await names("custom_fields[erp_id]=P-1")).toEqual(["N1", "Nordlicht GmbH"]);
  expect(await names("custom_fields%5Berp_id%5D=P-1&is_organization=true")).toEqual(["Nordlicht GmbH"]);
  expect(await names("address[city]=Husum")).toEqual(["N1", "N2"]);
  expect(await names("ids=90002,90003")).toEqual(["N2", "N3"]);
  expect(await names("sort_by=last_name:desc&is_organization=false")).toEqual(["N3", "N2", "N1"]);
  const second = (await client.get("/v2/contacts?per_page=3&page=2")).json;
  expect(second.meta).toMatchObject({ type: "collection", count: 1, links: { prev_page: expect.any(String) } });
  expect(second.meta.links.next_page).toBeUndefined();
});

test.each(["shoe_size=43", "per_page=101", "page=0", "custom_fields[remarks]=x", "custom_fields[1]=x", "title=x"])(
  "the query ?%s is an invalid_param",
  async (query) => {
    const client = await aSandbox();
    const reply = await client.get(`/v2/contacts?${query}`);
    expect([reply.status, reply.json.errors[0].error.code]).toEqual([400, "invalid_param"]);
  },
);

const upsert = (client: Client, key: string, data: object) =>
  client.post(`/v2/contacts/upsert?custom_fields[erp_id]=${key}&is_organization=true`, {
    data: { is_organization: true, custom_fields: { erp_id: key }, ...data },
  });

test("upsert creates, then updates the match; comparing the times tells which", async () => {
  const client = await aSandbox();
  const first = (await upsert(client, "7", { name: "A" })).json.data;
  const second = (await upsert(client, "7", { name: "B" })).json.data;
  const third = (await upsert(client, "7", { name: "B" })).json.data;
  expect(first.updated_at).toBe(first.created_at);
  expect([second.id, second.name, third.id]).toEqual([first.id, "B", first.id]);
  expect(second.updated_at > second.created_at && third.updated_at > third.created_at).toBe(true);
});

test("company 7 and person 7 are two records only because the filter says so", async () => {
  const client = await aSandbox();
  const person = (await client.post("/v2/contacts", { data: { last_name: "S", custom_fields: { erp_id: "7" } } })).json
    .data;
  expect((await upsert(client, "7", { name: "A" })).json.data.id).not.toBe(person.id);
});

test("two upserts of one key within the index lag make twins, and the third is ambiguous", async () => {
  const client = await aSandbox({ settings: { indexLagMs: 1_000 } });
  const first = (await upsert(client, "7", { name: "A" })).json.data;
  client.clock.advance(999);
  const twin = (await upsert(client, "7", { name: "A" })).json.data;
  expect(twin.id).not.toBe(first.id);
  client.clock.advance(1_000);
  const third = await upsert(client, "7", { name: "B" });
  expect([third.status, third.json.errors[0].error.code]).toEqual([409, "ambiguous_match"]);
  client.sandbox.set({ multiMatch: "error-422" });
  expect((await upsert(client, "7", { name: "B" })).status).toBe(422);
  client.sandbox.set({ multiMatch: "first" });
  expect((await upsert(client, "7", { name: "B" })).json.data.id).toBe(first.id);
});

test("an upsert without a filter is an error, and resources without upsert do not know the path", async () => {
  const client = await aSandbox();
  expect((await client.post("/v2/contacts/upsert", { data: { last_name: "S" } })).status).toBe(400);
  expect((await client.post("/v2/products/upsert?sku=1", { data: { name: "S" } })).json.errors[0].error.code).toBe(
    "incorrect_path",
  );
});

test("a deal has one order; lines copy the product, have no PUT, and go with the order and its deal", async () => {
  const client = await aSandbox();
  const dealId = await aDeal(client);
  const prices = [{ amount: "10.05", currency: "EUR" }];
  const product = (await client.post("/v2/products", { data: { name: "Bolt", sku: "B-1", prices } })).json.data;
  const order = (await client.post("/v2/orders", { data: { deal_id: dealId } })).json.data;
  expect(errorOf(await client.post("/v2/orders", { data: { deal_id: dealId } }))?.code).toBe("already_exists");
  const path = `/v2/orders/${order.id}/line_items`;
  const line = await client.post(path, {
    data: { product_id: product.id, currency: "EUR", quantity: 3, variation: "-10" },
  });
  expect(line.json.data).toMatchObject({ name: "Bolt", sku: "B-1", price: "10.05", value: "9.05", quantity: 3 });
  expect((await client.get(path)).json.items).toHaveLength(1);
  expect((await client.put(`${path}/${line.json.data.id}`, { data: { quantity: 4 } })).status).toBe(404);
  expect(errorOf(await client.post(path, { data: { product_id: product.id, currency: "USD" } }))?.field).toBe(
    "/currency",
  );
  await client.put(`/v2/products/${product.id}`, { data: { active: false } });
  expect(errorOf(await client.post(path, { data: { product_id: product.id, currency: "EUR" } }))?.field).toBe(
    "/product_id",
  );
  await client.del(`/v2/deals/${dealId}`);
  expect(client.sandbox.summary().records).toMatchObject({ deals: 0, orders: 0, line_items: 0, products: 1 });
});

test("the account, its users, stages and custom fields can be read", async () => {
  const client = await aSandbox();
  expect((await client.get("/v2/accounts/self")).json).toMatchObject({
    data: { id: 1, name: "Sandbox" },
    meta: { type: "account" },
  });
  expect((await client.get("/v2/users/self")).json.data.id).toBe(1);
  expect((await client.get("/v2/users?email=sales@example.com")).json.items[0].data.id).toBe(4711);
  expect((await client.get("/v2/stages?pipeline_id=1")).json.meta.count).toBe(6);
  expect((await client.get("/v2/pipelines/1")).json.data.id).toBe(1);
  const fields = (await client.get("/v2/contact/custom_fields")).json.items.map(
    (item: { data: { name: string } }) => item.data.name,
  );
  expect(fields).toContain("erp_id");
  expect((await client.get("/v2/prospect_and_customer/custom_fields")).json.items).toEqual([]);
});

test.each([
  [{ "User-Agent": "" }, 400, "invalid_user_agent"],
  [{ Accept: "text/html" }, 406, "not_acceptable"],
  [{ "Content-Type": "text/plain" }, 400, "invalid_header"],
  [{ Authorization: "" }, 401, "unauthorized"],
  [{ Authorization: "Bearer stolen" }, 401, "unauthorized"],
])("a POST with the headers %j answers %i %s", async (headers, status, code) => {
  const client = await aSandbox({ settings: { tokens: ["canary-token"] } });
  const reply = await client.call("POST", "/v2/leads", { data: { last_name: "S" } }, headers);
  expect([reply.status, reply.json.errors[0].error.code]).toEqual([status, code]);
});

test.each([
  ["POST", "/v2/leads", "{broken", 400, "invalid_payload"],
  ["POST", "/v2/leads", { data: {} }, 422, "missing"],
  ["GET", "/v2/dragons", undefined, 404, "incorrect_path"],
  ["GET", "/v2/leads/5/x", undefined, 404, "incorrect_path"],
  ["GET", "/v3/leads", undefined, 404, "incorrect_path"],
])("%s %s %j answers %i %s", async (method, path, body, status, code) => {
  const client = await aSandbox();
  const reply = await client.call(method, path, body);
  expect([reply.status, reply.json.errors[0].error.code]).toEqual([status, code]);
});

test("a forbidden resource answers 403 in both dialects, the others go on", async () => {
  const client = await aSandbox({ settings: { forbidden: ["products"] } });
  expect((await client.get("/v2/products")).json.errors[0].error.code).toBe("insufficient_scope");
  expect((await client.bulk([{ data: { sku: "1", name: "x" } }], { match_on: ["sku"] }, "products")).status).toBe(403);
  expect((await client.get("/v2/deals")).status).toBe(200);
});

test("a body beyond the limit is a 413", async () => {
  const client = await aSandbox({ settings: { maxBodyBytes: 2_000 } });
  const reply = await client.post("/v2/leads", { data: { last_name: "x".repeat(3_000) } });
  expect([reply.status, reply.json.errors[0].error.code]).toEqual([413, "payload_too_large"]);
});
