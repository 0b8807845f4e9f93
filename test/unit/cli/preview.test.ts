import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { runCli } from "../../support/run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "sell-sink-preview-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const aFile = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

const ROUTES = [
  {
    ...{ topic: "customers", format: "debezium-avro", entity: "accounts", key: "id" },
    fields: {
      name: "company_name",
      owner_id: { value: 7, write: "onCreate" },
      "custom_fields.limit": { from: "credit_limit", as: "decimal(2)" },
    },
    onDelete: "delete",
  },
  {
    ...{ topic: "orders", format: "debezium-avro", entity: "deals", key: "order_no" },
    fields: { name: "order_no", owner_id: { owner: "a@b.de" }, contact_id: { ref: "accounts", key: "customer_id" } },
    when: { status: "open" },
  },
];

// Nothing listens at any of these: whatever were asked would fail.
const CONFIG = {
  kafka: { brokers: ["127.0.0.1:1"], groupId: "g" },
  schemaRegistry: { url: "http://127.0.0.1:1" },
  redis: { url: "redis://127.0.0.1:1" },
  sell: { baseUrl: "http://127.0.0.1:1", token: "canary-token" },
  quota: { profile: "customer" },
  deadLetter: { topic: "dead" },
  routes: ROUTES,
};

const preview = async (...args: readonly string[]) => {
  const config = aFile("config.yaml", JSON.stringify(CONFIG));
  return runCli(["preview", "--config", config, ...args]);
};

const json = async (...args: readonly string[]) => {
  const { code, out } = await preview(...args, "--json");
  return { code, ...JSON.parse(out) };
};

const customers = (...lines: readonly object[]) =>
  json("--topic", "customers", "--file", aFile("rows.ndjson", lines.map((line) => JSON.stringify(line)).join("\n")));

test("a row becomes one upsert, in one request, with nothing asked of any service", async () => {
  const { code, records, requests } = await customers({ id: 7, company_name: "Nordlicht", credit_limit: "12.5" });
  expect(code).toBe(0);
  expect(records).toMatchObject([
    {
      ...{ record: "row 1", status: "written" },
      mutations: [
        {
          ...{ action: "upsert", entity: "accounts", key: "7", onCreate: { owner_id: 7 } },
          fields: { name: "Nordlicht", custom_fields: { limit: "12.50" } },
        },
      ],
    },
  ]);
  expect(requests).toMatchObject([
    {
      ...{ method: "POST", path: "/api/v2/bulk/accounts", records: 1, note: null },
      body: { items: [{ data: { name: "Nordlicht", is_organization: true, custom_fields: { erp_id: "7" } } }] },
    },
  ]);
});

test("numbers are taken as they are written, however large", async () => {
  const file = aFile("large.ndjson", '{"id":12345678901234567890,"company_name":"N","credit_limit":null}');
  const { records } = await json("--topic", "customers", "--file", file);
  expect(records[0].mutations[0].key).toBe("12345678901234567890");
});

test("envelopes and whole records may stand in the same file; a tombstone is a delete by key", async () => {
  const { records, requests } = await customers(
    { op: "u", before: null, after: { id: 1, company_name: "A", credit_limit: null } },
    { key: { id: 2 }, value: { op: "c", after: { id: 2, company_name: "B", credit_limit: null } } },
    { key: { id: 3 }, value: null },
  );
  const actions = records.map(({ mutations: [{ action, key }] }: { mutations: [{ action: string; key: string }] }) => [
    action,
    key,
  ]);
  expect(actions).toEqual([
    ["upsert", "1"],
    ["upsert", "2"],
    ["delete", "3"],
  ]);
  expect(requests.map(({ method, path, records }: Record<string, unknown>) => [method, path, records])).toEqual([
    ["GET", "/v2/contacts?custom_fields%5Berp_id%5D=3&is_organization=true", 1],
    ["POST", "/api/v2/bulk/accounts", 2],
    ["POST", "/api/v2/bulk/accounts", 1],
  ]);
  expect(requests[2].body.items[0].data).toEqual({ id: "<id of accounts 3>" });
});

test("of one key the last whole image is sent", async () => {
  const { requests } = await customers(
    { id: 7, company_name: "Old", credit_limit: null },
    { id: 7, company_name: "New", credit_limit: null },
  );
  expect(requests).toHaveLength(1);
  expect(requests[0].body.items.map(({ data }: { data: { name: string } }) => data.name)).toEqual(["New"]);
});

test("a record that would be a dead letter is said with its reason, and exit 1", async () => {
  const { code, records, requests } = await customers({ id: 7, company_name: "N", credit_limit: "much" });
  expect({ code, requests }).toEqual({ code: 1, requests: [] });
  expect(records).toMatchObject([{ status: "dead-letter", stage: "map", reason: "bad-value" }]);
});

describe("a CSV file", () => {
  const file = aFile(
    "orders.csv",
    '\ufefforder_no,customer_id,status\r\n77,"7, or so",open\r\n78,,open\r\n79,7,lost\r\n',
  );
  test("has names in its first line and text in its cells; an empty one is null", async () => {
    const { code, out, err } = await preview("--topic", "orders", "--file", file, "--dialect", "core");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain('  upsert deals 77, live, route "orders -> deals"\n');
    expect(out).toContain("    contact_id: the id of accounts 7, or so\n");
    expect(out).toContain('"contact_id": "<id of accounts 7, or so>"');
    expect(out).toContain('"owner_id": "<id of the user a@b.de>"');
    expect(out).toContain('"contact_id": null');
    expect(out).toContain("row 3  skipped (filtered): The route's when does not let it pass.\n");
    expect(out).toContain("POST /v2/deals/upsert?custom_fields%5Berp_id%5D=77  (1 record)\n");
    expect(out).toContain("3 records: 2 written, 1 skipped, 0 dead letters; 2 requests. Nothing was sent.\n");
    expect(out).not.toContain("\u001b");
  });

  test("takes an empty cell for null, and not for text", async () => {
    const empty = aFile("empty.csv", "id,company_name,credit_limit\n7,N,\n");
    const { code, records } = await json("--topic", "customers", "--file", empty);
    expect(code).toBe(0);
    expect(records[0].mutations[0].fields).toEqual({ name: "N", custom_fields: { limit: null } });
  });

  test("longer than --limit is said to go on", async () => {
    const { out } = await preview("--topic", "orders", "--file", file, "--limit", "1");
    expect(out).toMatch(/^1 records: .*\nThere are more records; --limit shows more of them\.\n$/m);
  });
});

test.each([
  [["--file", "x.csv"], 2, "Say with --topic which routes to take; there are customers, orders."],
  [["--topic", "costumers"], 2, "No route reads costumers; did you mean customers?"],
  [["--topic", "orders", "--file", join(folder, "none.csv")], 2, "none.csv cannot be read: ENOENT"],
  [["--topic", "orders", "--file", join(folder, "none.ndjson")], 2, "none.ndjson cannot be read: ENOENT"],
  [["--topic", "orders", "--file", aFile("bad.ndjson", '{"a":1}\n{"a":')], 2, "Line 2 of"],
  [["--topic", "orders", "--file", aFile("bad.csv", 'a,b\n1,"2\n')], 2, "bad.csv cannot be read"],
])("%j is exit %d with one sentence", async (args, code, sentence) => {
  const ended = await preview(...args);
  expect(ended).toMatchObject({ code, out: "" });
  expect(ended.err).toMatch(/^error: .+\n$/);
  expect(ended.err).toContain(sentence);
});
