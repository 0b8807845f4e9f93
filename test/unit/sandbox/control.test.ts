import { expect, test } from "vitest";
import { anAccount, aSandbox, type HttpReply } from "./support.ts";

const lines = ({ text }: HttpReply) =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

test("records, log and counts can be read without a token and without quota", async () => {
  const client = await aSandbox({ rate: { windows: [{ limit: 1, perMs: 60_000 }] } });
  await client.bulk([anAccount("1"), anAccount("2")]);
  const look = (path: string) => client.call("GET", `/__sandbox${path}`, undefined, { Authorization: "" });
  expect(lines(await look("/state"))[1]).toMatchObject({
    resource: "accounts",
    version: 1,
    data: { name: "Company 2", email: null },
  });
  expect(lines(await look("/state?resource=deals"))).toEqual([]);
  expect(lines(await look("/log"))).toMatchObject([{ id: 1, status: 200, applied: [{ key: "1" }, { key: "2" }] }]);
  expect(lines(await look("/log?since=1"))).toEqual([]);
  expect((await look("/summary")).json).toMatchObject({ requests: 1, records: { contacts: 2 } });
  expect((await look("")).json).toHaveProperty(["GET /__sandbox/state"]);
  expect((await look("/dragons")).status).toBe(404);
});

test("faults, quota and settings can be set from another process", async () => {
  const client = await aSandbox();
  await client.post("/__sandbox/faults", [{ reply: { status: 502 } }, { reply: { status: 503 } }]);
  expect((await client.get("/v2/deals")).status).toBe(502);
  await client.del("/__sandbox/faults");
  expect((await client.get("/v2/deals")).status).toBe(200);

  await client.put("/__sandbox/rate", { windows: [{ limit: 3, perMs: 60_000 }] });
  await client.put("/__sandbox/limit", { limit: 1 });
  expect([(await client.get("/v2/deals")).status, (await client.get("/v2/deals")).status]).toEqual([200, 429]);
  await client.put("/__sandbox/rate", { profile: "none" });

  await client.call("PATCH", "/__sandbox/settings", { bulk: false });
  expect((await client.bulk([anAccount("1")])).status).toBe(404);
  await client.call("PATCH", "/__sandbox/settings", { bulk: true });
  expect((await client.bulk([anAccount("1")])).status).toBe(200);
  expect((await client.put("/__sandbox/foreign", { perMinute: 6 })).status).toBe(200);
});

test("reset forgets records, log, faults and counts, and keeps the settings", async () => {
  const client = await aSandbox({ rate: { windows: [{ limit: 2, perMs: 60_000 }] }, settings: { bulkMaxItems: 1 } });
  await client.bulk([anAccount("1")]);
  await client.post("/__sandbox/faults", [{ reply: { status: 502 } }]);
  await client.post("/__sandbox/reset", undefined);
  expect(client.sandbox.summary()).toMatchObject({ requests: 0, records: { contacts: 0 }, faultsPending: 0 });
  expect((await client.bulk([anAccount("1"), anAccount("2")])).status).toBe(413);
  expect((await client.bulk([anAccount("1")])).json.items[0].data.id).toBe(90001);
});

test.each([
  ["POST", "/faults", [{ reply: { status: 99 } }]],
  ["POST", "/faults", [{ when: "always" }]],
  ["POST", "/faults", "{broken"],
  ["PUT", "/rate", { profile: "generous" }],
  ["PUT", "/limit", { limit: 0 }],
  ["PATCH", "/settings", { indexLag: 0 }],
])("%s %s %j is refused with a reason", async (method, path, body) => {
  const client = await aSandbox();
  const reply = await client.call(method, `/__sandbox${path}`, body);
  expect([reply.status, typeof reply.json.error]).toEqual([400, "string"]);
});

test("close ends open requests and waits for work that goes on", async () => {
  const client = await aSandbox({ faults: [{ delayMs: 60_000 }] });
  const reply = expect(client.get("/v2/deals")).rejects.toThrow(/ECONNRESET|hang up/);
  while (client.clock.sleeping === 0) await new Promise((resolve) => setImmediate(resolve));
  await client.sandbox.close();
  await reply;
  expect(client.clock.sleeping).toBe(0);
});
