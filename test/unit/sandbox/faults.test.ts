import { expect, test } from "vitest";
import type { FaultOptions } from "../../../src/sandbox/index.ts";
import { anAccount, aSandbox, type Client, until } from "./support.ts";

const BATCH = ["1", "2", "3", "4"].map((key) => anAccount(key));
const records = ({ sandbox }: Client): number | undefined => sandbox.summary().records["contacts"];
const entry = ({ sandbox }: Client) => sandbox.log()[0];

const suffering = (...faults: FaultOptions[]): Promise<Client> => aSandbox({ faults });

test("an answer of the script's own is sent without anything applied, once", async () => {
  const body = { error: "rate_limit_exceeded", retry_after: 3600 };
  const client = await suffering({ reply: { status: 429, headers: { "Retry-After": "7" }, body } });
  const reply = await client.bulk(BATCH);
  expect([reply.status, reply.headers["retry-after"], reply.json]).toEqual([429, "7", body]);
  expect(records(client)).toBe(0);
  expect((await client.bulk(BATCH)).status).toBe(200);
});

test("Retry-After can be a date by the simulator's clock", async () => {
  const client = await suffering({ reply: { status: 503, retryAfterDateMs: 90_000 } });
  const { headers, text } = await client.bulk(BATCH);
  const waitMs = Date.parse(String(headers["retry-after"])) - Date.parse(String(headers["date"]));
  expect([waitMs, text, headers["content-type"]]).toEqual([90_000, "", undefined]);
});

test.each([301, 302, 303, 307, 308])("a redirect %i carries its location", async (status) => {
  const client = await suffering({ reply: { status, headers: { Location: "http://127.0.0.1:1/elsewhere" } } });
  const reply = await client.bulk(BATCH);
  expect([reply.status, reply.headers["location"]]).toEqual([status, "http://127.0.0.1:1/elsewhere"]);
});

test("HTML with 200 can hide that everything was applied", async () => {
  const reply = { status: 200, headers: { "Content-Type": "text/html" }, body: "<html>maintenance</html>" };
  const client = await suffering({ apply: "all", reply });
  expect((await client.bulk(BATCH)).text).toBe("<html>maintenance</html>");
  expect(records(client)).toBe(4);
});

test("half a batch can be applied before a 502", async () => {
  const client = await suffering({ apply: "half", reply: { status: 502, body: "<html>Bad Gateway</html>" } });
  expect((await client.bulk(BATCH)).status).toBe(502);
  expect(entry(client)?.applied.map(({ key }) => key)).toEqual(["1", "2"]);
});

test("half a batch can be all that is answered", async () => {
  const client = await suffering({ apply: "half" });
  expect((await client.bulk(BATCH)).json.items).toHaveLength(2);
});

test.each([
  ["before", "none", 0],
  ["after", "all", 4],
] as const)("the connection is reset %s applying", async (_, apply, applied) => {
  const client = await suffering({ apply, reply: "reset" });
  await expect(client.bulk(BATCH)).rejects.toThrow(/ECONNRESET|hang up/);
  expect(records(client)).toBe(applied);
  expect(entry(client)).toMatchObject({ status: null, reply: "cut" });
});

test("the reply is cut in the middle", async () => {
  const client = await suffering({ reply: "cut" });
  await expect(client.bulk(BATCH)).rejects.toThrow("aborted");
  await until(() => entry(client)?.reply === "cut");
  expect(records(client)).toBe(4);
});

test("the reply is complete, but its JSON is not", async () => {
  const client = await suffering({ reply: "truncated" });
  const reply = await client.bulk(BATCH);
  expect([reply.status, reply.json]).toEqual([200, undefined]);
  expect(reply.text.startsWith('{"items"')).toBe(true);
});

test("silence lasts until the client gives up", async () => {
  const client = await suffering({ reply: "silence" });
  const aborted = new AbortController();
  const reply = fetch(`${client.sandbox.url}/v2/deals`, {
    headers: { Authorization: "Bearer x", Accept: "application/json" },
    signal: aborted.signal,
  });
  await until(() => client.sandbox.log().length === 1);
  aborted.abort();
  await expect(reply).rejects.toThrow();
  await until(() => entry(client)?.reply === "withheld");
});

test("a delay before applying outlives a client that gave up", async () => {
  const client = await suffering({ delayMs: 600 });
  const reply = client.bulk(BATCH);
  await until(() => client.clock.sleeping === 1);
  expect(records(client)).toBe(0);
  client.clock.advance(600);
  expect((await reply).status).toBe(200);
});

test("a delay after applying: the records are there, the reply is not", async () => {
  const client = await suffering({ replyDelayMs: 600 });
  const reply = client.bulk(BATCH);
  await until(() => client.clock.sleeping === 1);
  expect(records(client)).toBe(4);
  client.clock.advance(600);
  expect((await reply).status).toBe(200);
});

test("a batch can be applied long after its connection was closed", async () => {
  const client = await suffering({ apply: "late", lateMs: 800, reply: "reset" });
  await expect(client.bulk(BATCH)).rejects.toThrow();
  expect(records(client)).toBe(0);
  const sentAtMs = client.clock.monotonicMs();
  client.clock.advance(800);
  await until(() => records(client) === 4);
  expect(entry(client)?.applied[0]).toMatchObject({ key: "1", result: "created", atMs: sentAtMs + 800 });
});

test.each([
  ["shuffled", ["4", "3", "2", "1"]],
  ["missing", ["1", "2", "3"]],
  ["extra", ["1", "2", "3", "4", "1"]],
  ["doubled", ["1", "2", "3", "4", "1"]],
] as const)("the list of verdicts comes %s", async (verdicts, keys) => {
  const client = await suffering({ verdicts });
  const { items } = (await client.bulk(BATCH)).json;
  expect(items.map((item: { data: { custom_fields: { erp_id: string } } }) => item.data.custom_fields.erp_id)).toEqual(
    keys,
  );
  if (verdicts === "extra") expect(items[4].meta.ref).toBe("nobody-asked");
  expect(records(client)).toBe(4);
});

test("verdicts can carry an older version", async () => {
  const client = await suffering({ verdicts: "older-version" });
  expect((await client.bulk(BATCH)).json.items[0].meta.version).toBe(0);
});

test.each([
  [false, 3],
  [true, 4],
])("a single item fails; applied all the same: %s", async (applied, count) => {
  const client = await suffering({ items: { keys: ["2"], status: 503, code: "temporarily_unavailable", applied } });
  const reply = await client.bulk(BATCH);
  expect(reply.status).toBe(207);
  expect(reply.json.items[1]).toMatchObject({ meta: { ref: "ref-2", status: 503, result: "failed", retryable: true } });
  expect(records(client)).toBe(count);
});

test("a reply trickles byte by byte", async () => {
  const client = await suffering({ match: { path: "/v2/accounts" }, reply: { trickleMs: 10 } });
  const reply = client.get("/v2/accounts/self");
  await until(() => client.clock.sleeping === 1);
  let done = false;
  void reply.then(() => {
    done = true;
  });
  await until(() => {
    client.clock.advance(10);
    return done;
  });
  expect((await reply).json.data.id).toBe(1);
});

test.each([false, true])("a huge reply, gzip %s", async (gzip) => {
  const client = await suffering({ reply: { hugeBytes: 3_000_000, gzip } });
  const { text, headers } = await client.get("/v2/deals");
  expect(headers["content-encoding"]).toBe(gzip ? "gzip" : undefined);
  if (gzip) expect(text.length).toBeLessThan(20_000);
  else expect(text).toHaveLength(3_000_000);
});

test("faults choose by method, path, key, nth and everyNth, and each line counts for itself", async () => {
  const answer = (status: number) => ({ reply: { status } });
  const client = await suffering(
    { match: { key: "special" }, times: null, ...answer(501) },
    { match: { method: "POST", path: "/v2/leads", nth: 2 }, ...answer(502) },
    { match: { path: "/v2/deals", everyNth: 2 }, times: 2, ...answer(503) },
  );
  const lead = async () => (await client.post("/v2/leads", { data: { last_name: "S" } })).status;
  expect([await lead(), await lead(), await lead()]).toEqual([200, 502, 200]);
  const deals = [];
  for (let i = 0; i < 6; i += 1) deals.push((await client.get("/v2/deals")).status);
  expect(deals).toEqual([200, 503, 200, 503, 200, 200]);
  expect((await client.bulk([anAccount("1"), anAccount("special")])).status).toBe(501);
  expect((await client.get("/v2/contacts?custom_fields[erp_id]=special")).status).toBe(501);
  expect(client.sandbox.summary().faultsPending).toBe(1);
});

test("a write by id meets a fault on the key of its record", async () => {
  const client = await aSandbox();
  const { id } = (await client.bulk([anAccount("7")])).json.items[0].data;
  client.sandbox.script([{ match: { key: "7", method: "DELETE" }, reply: { status: 500 } }]);
  expect((await client.del(`/v2/contacts/${id}`)).status).toBe(500);
  expect((await client.del(`/v2/contacts/${id}`)).status).toBe(204);
});

test("a request that the quota refuses uses up no fault", async () => {
  const rate = { windows: [{ limit: 1, perMs: 1_000 }] };
  const client = await aSandbox({ rate, faults: [{ match: { nth: 2 }, reply: { status: 500 } }] });
  const statuses = [(await client.get("/v2/deals")).status, (await client.get("/v2/deals")).status];
  client.clock.advance(1_000);
  expect([...statuses, (await client.get("/v2/deals")).status]).toEqual([200, 429, 500]);
});
