import { expect, test } from "vitest";
import { anAccount, aSandbox, type Client } from "./support.ts";

const statuses = async (client: Client, count: number, token = "a"): Promise<number[]> => {
  const all = [];
  for (let i = 0; i < count; i += 1) {
    all.push((await client.call("GET", "/v2/deals", undefined, { Authorization: `Bearer ${token}` })).status);
  }
  return all;
};

const SMALL = { windows: [{ limit: 2, perMs: 6_000 }] };

test("customer: limit and remaining on every reply, and a refusal in the customer's words", async () => {
  const client = await aSandbox({ rate: SMALL });
  client.clock.advance(6_000 - (client.clock.now() % 6_000) + 2_500);
  const first = await client.get("/v2/deals");
  expect(first.headers).toMatchObject({ "x-ratelimit-limit": "2", "x-ratelimit-remaining": "1" });
  await client.get("/v2/deals");
  const refused = await client.bulk([anAccount("1")]);
  expect(refused.status).toBe(429);
  expect(refused.json).toEqual({ error: "rate_limit_exceeded", retry_after: 4, message: "API rate limit reached" });
  expect(refused.headers).toMatchObject({ "retry-after": "4", "x-ratelimit-remaining": "0" });
  const resetMs = Number(refused.headers["x-ratelimit-reset"]) * 1_000 - client.clock.now();
  expect(resetMs).toBeGreaterThanOrEqual(3_500);
  expect(resetMs).toBeLessThan(4_500);
  expect(client.sandbox.log().map(({ refused: isRefused, hintMs }) => [isRefused, hintMs])).toEqual([
    [false, null],
    [false, null],
    [true, 4_000],
  ]);
  expect(client.sandbox.summary().records["contacts"]).toBe(0);
});

test("the account's quota is shared by all tokens; Sell's documented one belongs to each", async () => {
  const shared = await aSandbox({ rate: SMALL });
  expect([...(await statuses(shared, 2, "a")), ...(await statuses(shared, 1, "b"))]).toEqual([200, 200, 429]);
  const each = await aSandbox({ rate: { ...SMALL, scope: "token" } });
  expect([...(await statuses(each, 3, "a")), ...(await statuses(each, 1, "b"))]).toEqual([200, 200, 429, 200]);
});

test("sell-documented: ten at once, then one each 100 ms, refused in Sell's envelope without any header", async () => {
  const client = await aSandbox({ rate: { profile: "sell-documented" } });
  expect((await statuses(client, 11, "canary-token")).filter((status) => status === 200)).toHaveLength(10);
  client.clock.advance(100);
  expect(await statuses(client, 1, "canary-token")).toEqual([200]);
  const refused = await client.get("/v2/deals");
  expect(refused.json.errors[0].error.code).toBe("rate_limit_exceeded");
  expect(Object.keys(refused.headers).filter((name) => /limit|retry/.test(name))).toEqual([]);
});

test("sell-observed: refusals are empty, or a 404 about /429.json", async () => {
  const client = await aSandbox({ rate: { profile: "sell-observed", ...SMALL, disguisedShare: 0 } });
  await statuses(client, 2, "canary-token");
  const plain = await client.get("/v2/deals");
  expect([plain.status, plain.text, plain.headers["content-type"]]).toEqual([429, "", undefined]);
  client.sandbox.setRate({ profile: "sell-observed", ...SMALL, disguisedShare: 1 });
  await statuses(client, 2, "canary-token");
  const disguised = await client.get("/v2/deals");
  expect(disguised.json.errors[0].error).toMatchObject({
    code: "incorrect_path",
    details: expect.stringContaining("/429.json"),
  });
});

test("support-like: the other spelling of the headers, and plain text", async () => {
  const client = await aSandbox({ rate: { profile: "support-like", ...SMALL } });
  await statuses(client, 2);
  const { headers, text } = await client.get("/v2/deals");
  expect(headers).toMatchObject({ "x-rate-limit": "2", "x-rate-limit-remaining": "0", "ratelimit-limit": "2" });
  expect([headers["retry-after"], headers["content-type"]]).toEqual([
    headers["ratelimit-reset"],
    "text/plain; charset=utf-8",
  ]);
  expect(text).toContain("exceeded");
});

test("a penalty refuses everything until it is over, and does not grow by asking", async () => {
  const client = await aSandbox({ rate: { ...SMALL, penaltyMs: 60_000 } });
  expect(await statuses(client, 3)).toEqual([200, 200, 429]);
  client.clock.advance(30_000);
  expect((await client.get("/v2/deals")).json.retry_after).toBe(30);
  client.clock.advance(29_999);
  expect(await statuses(client, 1)).toEqual([429]);
  client.clock.advance(1);
  expect(await statuses(client, 1)).toEqual([200]);
});

test("every 429 can say an hour, whatever the truth is", async () => {
  const client = await aSandbox({ rate: { ...SMALL, retryAfterS: 3_600 } });
  await statuses(client, 2);
  const refused = await client.get("/v2/deals");
  expect([refused.json.retry_after, refused.headers["retry-after"]]).toEqual([3_600, "3600"]);
  client.clock.advance(6_000);
  expect(await statuses(client, 1)).toEqual([200]);
});

test("headers can be few, skewed or absent", async () => {
  const client = await aSandbox({ rate: { ...SMALL, headers: "remaining" } });
  const few = (await client.get("/v2/deals")).headers;
  expect([few["x-ratelimit-remaining"], few["x-ratelimit-limit"]]).toEqual(["1", undefined]);
  client.sandbox.setRate({ ...SMALL, resetSkewMs: 90_000 });
  const skewed = Number((await client.get("/v2/deals")).headers["x-ratelimit-reset"]) * 1_000 - client.clock.now();
  expect(skewed).toBeGreaterThan(90_000);
  client.sandbox.setRate({ ...SMALL, headersMissingShare: 1 });
  expect((await client.get("/v2/deals")).headers["x-ratelimit-remaining"]).toBeUndefined();
});

test("the limit can change in the middle of a window", async () => {
  const client = await aSandbox({ rate: { windows: [{ limit: 4, perMs: 60_000 }] } });
  expect(await statuses(client, 2)).toEqual([200, 200]);
  client.sandbox.setLimit(3);
  expect(await statuses(client, 2)).toEqual([200, 429]);
  client.sandbox.setLimit(5);
  expect(await statuses(client, 3)).toEqual([200, 200, 429]);
});

test("a bulk call costs one request, or one for each item", async () => {
  const rate = { windows: [{ limit: 3, perMs: 60_000 }] };
  const one = await aSandbox({ rate });
  expect((await one.bulk([anAccount("1"), anAccount("2")])).headers["x-ratelimit-remaining"]).toBe("2");
  const each = await aSandbox({ rate: { ...rate, bulkCost: "items" } });
  expect((await each.bulk([anAccount("1"), anAccount("2")])).headers["x-ratelimit-remaining"]).toBe("1");
  expect((await each.bulk([anAccount("1"), anAccount("2")])).status).toBe(429);
});

test("another integration eats from the quota at even distances", async () => {
  const client = await aSandbox({
    rate: { windows: [{ type: "sliding-log", limit: 10, perMs: 60_000 }], foreignPerMinute: 6 },
  });
  await client.get("/v2/deals");
  client.clock.advance(30_000);
  expect((await client.get("/v2/deals")).headers["x-ratelimit-remaining"]).toBe("5");
  client.sandbox.setForeign(0);
  client.clock.advance(20_000);
  expect((await client.get("/v2/deals")).headers["x-ratelimit-remaining"]).toBe("4");
});

test("requests without a good token cost no quota", async () => {
  const client = await aSandbox({ rate: SMALL, settings: { tokens: ["canary-token"] } });
  expect(await statuses(client, 5, "stolen")).toEqual([401, 401, 401, 401, 401]);
  expect((await client.get("/v2/deals")).headers["x-ratelimit-remaining"]).toBe("1");
});
