import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { AppliedLog } from "../../../src/sandbox/applied-log.ts";
import { bodyHash } from "../../../src/sandbox/index.ts";
import { busiestWindow } from "../../../src/sandbox/summary.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { anAccount, aSandbox, until } from "./support.ts";

test("a request is logged with what it wrote, and its token only as a hash", async () => {
  const client = await aSandbox();
  const item = anAccount("7");
  await client.call(
    "POST",
    "/api/v2/bulk/accounts?async=false",
    { items: [item], meta: { match_on: ["custom_fields.erp_id"] } },
    { "X-Sandbox-Instance": "r1" },
  );
  const [request] = client.sandbox.log();
  expect(request).toMatchObject({
    id: 1,
    atMs: client.clock.monotonicMs(),
    wallMs: client.clock.now(),
    method: "POST",
    path: "/api/v2/bulk/accounts",
    query: "?async=false",
    instance: "r1",
    items: 1,
    status: 200,
    refused: false,
    applied: [{ resource: "accounts", key: "7", id: 90001, result: "created", code: null, hash: bodyHash(item.data) }],
  });
  expect(request?.token).toMatch(/^[0-9a-f]{12}$/);
  expect(JSON.stringify(client.sandbox.log())).not.toContain("canary-token");
});

test("both dialects name a record alike", async () => {
  const client = await aSandbox();
  const { id } = (await client.bulk([anAccount("7")])).json.items[0].data;
  await client.put(`/v2/contacts/${id}`, { data: { phone: "1" } });
  await client.del(`/v2/contacts/${id}`);
  await client.post("/v2/leads", { data: { email: "x" } });
  const items = client.sandbox.log().flatMap(({ applied }) => applied);
  expect(items.map(({ resource, key, result, code, hash }) => [resource, key, result, code, hash])).toEqual([
    ["accounts", "7", "created", null, bodyHash(anAccount("7").data)],
    ["accounts", "7", "updated", null, bodyHash({ phone: "1" })],
    ["accounts", "7", "deleted", null, null],
    ["leads", null, "failed", "missing", bodyHash({ email: "x" })],
  ]);
});

test("the summary counts repeated writes and the busiest window", async () => {
  const client = await aSandbox();
  for (const name of ["A", "B", "B", "A"]) {
    await client.bulk([anAccount("7", { name })]);
    client.clock.advance(400);
  }
  expect(client.sandbox.summary(1_000)).toMatchObject({
    requests: 4,
    byStatus: { "200": 4 },
    byResult: { created: 1, updated: 2, unchanged: 1 },
    duplicates: 1,
    busiest: { windowMs: 1_000, arrived: 3, granted: 3 },
  });
});

test("the busiest window is half-open", () => {
  expect(busiestWindow([], 1_000)).toBe(0);
  expect(
    busiestWindow(
      [0, 0, 999, 1_000].map((atMs) => ({ atMs })),
      1_000,
    ),
  ).toBe(3);
});

test("the file has every application before its reply, and every request after it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "applied-log-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const logFile = join(folder, "applied.ndjson");
  const client = await aSandbox({ logFile });
  const lines = () =>
    readFileSync(logFile, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  await client.bulk([anAccount("7")]);
  expect(lines()[0]).toMatchObject({ type: "applied", request: 1, items: [{ key: "7", result: "created" }] });
  await until(() => lines().length === 2);
  expect(lines()[1]).toMatchObject({ type: "request", id: 1, status: 200, reply: "sent" });
});

test("beyond its bound the log forgets the oldest requests and says how many", () => {
  const log = new AppliedLog(new FakeClock());
  for (let i = 0; i < 200_005; i += 1) log.arrived("GET", "/v2/deals", "", "t", "");
  expect(log.dropped).toBe(5);
  expect(log.requests()).toHaveLength(200_000);
  expect(log.requests()[0]?.id).toBe(6);
  expect(log.requests(200_003).map(({ id }) => id)).toEqual([200_004, 200_005]);
});
