/** `preview --online` against the simulator over HTTP: what Sell holds, and that nothing is written. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { type Sandbox, startSandbox } from "../../../src/sandbox/index.ts";
import { runCli } from "../../support/run-cli.ts";

const TOKEN = "token-of-the-online-tests";
const folder = mkdtempSync(join(tmpdir(), "sell-sink-online-"));
let sandbox: Sandbox;
let since = 0;
const ids: Record<string, number> = {};

beforeAll(async () => {
  sandbox = await startSandbox(
    { rate: { profile: "none" }, settings: { tokens: [TOKEN], indexLagMs: 0 } },
    { clock: systemClock, random: Math.random },
  );
  for (const [key, data] of Object.entries({
    "7": { name: "Nordlicht", email: "old@nordlicht.example", custom_fields: { credit_limit: "100.00" } },
    "8": { name: "Same", email: "same@example.com", custom_fields: { credit_limit: "5.00" } },
    "9": { name: "Gone", email: null, custom_fields: {} },
  }))
    ids[key] = await inSell({ ...data, is_organization: true, custom_fields: { ...data.custom_fields, erp_id: key } });
});

afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

beforeEach(() => {
  since = sandbox.log().at(-1)?.id ?? 0;
});

const inSell = async (data: object): Promise<number> => {
  const headers = { Authorization: `Bearer ${TOKEN}`, "User-Agent": "people/1", Accept: "application/json" };
  const sent = { method: "POST", headers: { ...headers, "Content-Type": "application/json" } };
  const answer = await fetch(`${sandbox.url}/v2/contacts`, { ...sent, body: JSON.stringify({ data }) });
  return ((await answer.json()) as { data: { id: number } }).data.id;
};

const CUSTOMERS = {
  ...{ topic: "customers", format: "debezium-json", entity: "accounts", key: "id", onDelete: "delete" },
  fields: {
    ...{ name: "name", email: "email", owner_id: { value: 7, write: "onCreate" } },
    "custom_fields.credit_limit": { from: "credit_limit", as: "decimal(2)" },
  },
};
const ORDERS = {
  ...{ topic: "orders", format: "debezium-json", entity: "deals", key: "no" },
  fields: { name: "name", contact_id: { ref: "accounts", key: "customer_id" }, owner_id: { owner: { from: "rep" } } },
};

const preview = (topic: string, rows: readonly object[], ...options: readonly string[]) => {
  const [config, file] = [join(folder, "config.yaml"), join(folder, "rows.ndjson")];
  const sections = {
    kafka: { brokers: ["127.0.0.1:1"], groupId: "g" },
    sell: { baseUrl: sandbox.url, token: TOKEN },
    quota: { profile: "none" },
    deadLetter: { topic: "dead" },
    routes: [CUSTOMERS, ORDERS],
  };
  writeFileSync(config, JSON.stringify(sections));
  writeFileSync(file, rows.map((row) => JSON.stringify(row)).join("\n"));
  return runCli(["preview", "-c", config, "-f", file, "-t", topic, "--online", ...options]);
};

const ROWS = [
  { id: 7, name: "Nordlicht", email: "new@nordlicht.example", credit_limit: "100.00" },
  { id: 8, name: "Same", email: "same@example.com", credit_limit: "5" },
  { id: 10, name: "New", email: null, credit_limit: null },
  { op: "d", before: { id: 9 }, after: null },
];

test("each record is looked up once by its key; fields are unchanged, changed, created or gone, and nothing is written", async () => {
  const { code, out, err } = await preview("customers", ROWS, "--json");
  expect(code).toBe(0);
  expect(err).toContain("Asking Sell takes 5 calls of the quota.\n");
  const { records } = JSON.parse(out);
  expect(records.map(({ mutations: [{ inSell }] }: { mutations: [{ inSell: object }] }) => inSell)).toEqual([
    {
      ...{ is: "changed", id: ids["7"], unchanged: ["name", "custom_fields.credit_limit"] },
      changes: [{ field: "email", from: "old@nordlicht.example", to: "new@nordlicht.example" }],
    },
    { is: "unchanged", id: ids["8"], unchanged: ["name", "email", "custom_fields.credit_limit"] },
    {
      is: "created",
      fields: [
        { field: "name", from: null, to: "New" },
        { field: "email", from: null, to: null },
        { field: "custom_fields.credit_limit", from: null, to: null },
        { field: "owner_id", from: null, to: 7 },
      ],
    },
    { is: "deleted", id: ids["9"] },
  ]);
  const calls = sandbox.log(since);
  expect(calls).toHaveLength(5);
  expect(calls.every(({ method }) => method === "GET")).toBe(true);
});

test("as text: a line a field, and how many of each", async () => {
  const { out } = await preview("customers", ROWS);
  expect(out).toContain(`    would change record ${ids["7"]}\n`);
  expect(out).toContain('      email: "old@nordlicht.example" -> "new@nordlicht.example"\n      name: unchanged\n');
  expect(out).toContain("    would be created: Sell has no such record\n");
  expect(out).toContain(`    would be deleted: record ${ids["9"]}\n`);
  expect(out).toContain("Compared with Sell: 1 would be created, 1 would change, 1 unchanged, 1 would be deleted.\n");
});

test("of a child the parent is asked for too, and names are looked up in their lists", async () => {
  const row = { no: "A-1", name: "Order A-1", customer_id: 7, rep: "nobody@example.com" };
  const { code, out, err } = await preview("orders", [row], "--json");
  expect(err).toContain("Asking Sell takes at least 4 calls of the quota.\n");
  expect(code).toBe(1);
  expect(JSON.parse(out).records[0].mutations[0].inSell).toMatchObject({
    ...{ is: "dead-letter", why: expect.stringContaining("no user has this e-mail address") },
  });
  const known = sandbox.log(since);
  expect(known.map(({ path }) => path)).toEqual(["/v2/accounts/self", "/v2/deals", "/v2/contacts", "/v2/users"]);
});

test("a refused token is one sentence, and no JSON beside it", async () => {
  const file = join(folder, "refused.yaml");
  const sell = { baseUrl: sandbox.url, token: "another-token-than-given" };
  const places = {
    kafka: { brokers: ["127.0.0.1:1"], groupId: "g" },
    deadLetter: { topic: "d" },
    quota: { profile: "none" },
  };
  writeFileSync(file, JSON.stringify({ ...places, sell, routes: [CUSTOMERS] }));
  const rows = join(folder, "rows.ndjson");
  writeFileSync(rows, JSON.stringify(ROWS[0]));
  const { code, out, err } = await runCli(["preview", "-c", file, "-f", rows, "--online", "--json"]);
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({ error: { code: "SELL_AUTH" } });
  expect(err).toContain("error: Sell refused the access token of sell.token (HTTP 401)");
  expect(err).not.toContain("another-token");
});
