import { writeFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  aBatch,
  aClock,
  anError,
  anOpenTarget,
  aSell,
  aServer,
  aTarget,
  aWrite,
  bulkItems,
  type Handler,
  json,
  never,
  TOKEN,
  writesOf,
} from "./support.ts";

const createsAll: Handler = ({ body }, response) =>
  json(response, 200, { items: bulkItems(body), meta: { type: "collection" } });

const aTokenFile = async (token: string) => {
  const folder = await mkdtemp(join(tmpdir(), "deliver-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, "token");
  await writeFile(path, `${token}\n`);
  return path;
};

describe("open", () => {
  test("reads the account and probes for bulk without writing, a permit each", async () => {
    const sell = await aSell(createsAll);
    const { target, permits, events } = await anOpenTarget({ baseUrl: sell.url });
    expect(target).toMatchObject({ account: "Nordlicht", accountId: 7, dialect: "bulk", maxItems: 50 });
    expect(permits()).toBe(2);
    expect(sell.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "GET /v2/accounts/self",
      "POST /api/v2/bulk/accounts",
    ]);
    expect(JSON.parse(sell.seen[1]?.body ?? "").items).toEqual([]);
    expect(events).toContainEqual({ name: "dialect-probed", fields: { dialect: "bulk", code: "400" } });
  });

  test("speaks core where there is no bulk path, and does not probe for a dialect that is set", async () => {
    const sell = await aSell(createsAll, { bulk: false });
    expect((await anOpenTarget({ baseUrl: sell.url })).target).toMatchObject({ dialect: "core", maxItems: 1 });
    expect((await anOpenTarget({ baseUrl: sell.url, dialect: "bulk" })).target.dialect).toBe("bulk");
    expect(sell.seen).toHaveLength(3);
  });

  test("tells the gate of a 429, also one in disguise, and asks again with another permit", async () => {
    let calls = 0;
    const disguise = anError("incorrect_path", undefined, "/429.json");
    const sell = await aServer((seen, response) => {
      calls += 1;
      if (calls === 1) return json(response, 429, { retry_after: 3_600 });
      if (calls === 3) return json(response, 404, disguise, { "Retry-After": "5" });
      if (seen.method === "GET") return json(response, 200, { data: { id: 7, name: "Nordlicht" } });
      json(response, 400, anError("invalid_payload"));
    });
    const { target, told, permits } = await anOpenTarget({ baseUrl: sell.url });
    expect(target.dialect).toBe("bulk");
    expect(told).toEqual([
      { hintMs: 3_600_000, source: "body" },
      { hintMs: 5_000, source: "header-seconds" },
    ]);
    expect(permits()).toBe(4);
  });

  test.each([
    [401, {}, "SELL_AUTH", false, "Sell refused the access token of sell.token (HTTP 401)"],
    [403, {}, "SELL_RIGHTS", false, "Sell does not let the user of sell.token use accounts/self (HTTP 403)"],
    [404, anError("incorrect_path"), "SELL_CONFIGURATION", false, "check sell.baseUrl"],
    [301, {}, "SELL_CONFIGURATION", false, "redirects are never followed"],
    [410, {}, "SELL_CONFIGURATION", false, "retires Sell on 2027-08-31"],
    [502, {}, "SELL_UNREACHABLE", true, "(HTTP 502)"],
    [200, { hello: 1 }, "SELL_UNREADABLE", false, "does not answer like Zendesk Sell"],
  ])("ends at a %i with a sentence", async (status, body, code, retriable, sentence) => {
    const sell = await aServer((_seen, response) => json(response, status, body));
    const error = await aTarget({ baseUrl: sell.url })
      .open()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, retriable, message: expect.stringContaining(sentence) });
  });

  test("can be tried again when nobody answered", async () => {
    await expect(aTarget({ baseUrl: "http://127.0.0.1:1" }).open()).rejects.toMatchObject({
      code: "SELL_UNREACHABLE",
      retriable: true,
      message: "Zendesk Sell at http://127.0.0.1:1 does not answer as it should (ECONNREFUSED); trying again.",
    });
  });

  test("refuses a token of another account than sell.account, by id or name", async () => {
    const sell = await aSell(createsAll);
    await anOpenTarget({ baseUrl: sell.url, account: 7 });
    await anOpenTarget({ baseUrl: sell.url, account: "Nordlicht" });
    await expect(aTarget({ baseUrl: sell.url, account: 8 }).open()).rejects.toMatchObject({
      code: "WRONG_ACCOUNT",
      retriable: false,
      message:
        'The token of sell.token belongs to the Sell account "Nordlicht" (7), but sell.account is 8: correct one of the two.',
    });
  });

  test("asks for a decision when the probe is not clear", async () => {
    const sell = await aServer((_seen, response) => json(response, 200, { data: { id: 7, name: "Nordlicht" } }));
    await expect(aTarget({ baseUrl: sell.url }).open()).rejects.toThrow("set sell.dialect to bulk or core");
  });
});

describe("send", () => {
  test("delivers a bulk batch in one request and says so", async () => {
    const sell = await aSell(createsAll);
    const { target, events } = await anOpenTarget({ baseUrl: sell.url });
    const receipt = await target.send(aBatch({ writes: writesOf("C-1", "C-2") }), never);
    expect(receipt).toEqual({
      outcomes: [
        { status: "accepted", result: "created", id: 1_000 },
        { status: "accepted", result: "created", id: 1_001 },
      ],
      throttle: null,
      halt: null,
      httpStatus: 200,
      names: { batchId: expect.any(String), requestId: null },
      announced: null,
    });
    expect(events.at(-1)).toMatchObject({
      name: "request-done",
      fields: { verb: "upsert", entity: "accounts", items: 2, code: "200" },
    });
  });

  test("names each request as its log line does, and as Sell did in its reply", async () => {
    const sell = await aSell((_seen, response) =>
      json(response, 422, anError("blank"), { "X-Request-Id": `b5h8u\u00e9 ${TOKEN}${"0".repeat(200)}` }),
    );
    const { target, events } = await anOpenTarget({ baseUrl: sell.url });
    const first = (await target.send(aBatch(), never)).names;
    const second = (await target.send(aBatch(), never)).names;
    expect(events.at(-1)).toMatchObject({ name: "request-done", fields: { ...second } });
    expect(second?.batchId).not.toBe(first?.batchId);
    expect(first?.batchId).toMatch(/^[0-9a-z]+-[0-9a-z]+$/);
    expect(first?.requestId).toBe(`b5h8u??***${"0".repeat(118)}`);
  });

  test("names no request where none left", async () => {
    const sell = await aSell(createsAll);
    const { target } = await anOpenTarget({ baseUrl: sell.url });
    const tooLarge = await target.send(aBatch({ writes: [aWrite({ body: { name: "x".repeat(2 ** 20) } })] }), never);
    sell.server.closeAllConnections();
    sell.server.close();
    await target.send(aBatch(), never); // may meet the connection that was kept
    const refused = await target.send(aBatch(), never);
    expect([tooLarge, refused].map(({ outcomes, names }) => [outcomes[0]?.status, names])).toEqual([
      ["rejected", null],
      ["retriable", null],
    ]);
  });

  test("looks up by the core path in the bulk dialect too", async () => {
    const sell = await aSell((_seen, response) => json(response, 200, { items: [] }));
    const { target } = await anOpenTarget({ baseUrl: sell.url });
    const receipt = await target.send(aBatch({ verb: "lookup" }), never);
    expect(receipt.outcomes).toEqual([{ status: "accepted", result: "missing", id: null }]);
    expect(sell.seen.at(-1)).toMatchObject({
      method: "GET",
      url: "/v2/contacts?custom_fields%5Berp_id%5D=C-1&is_organization=true",
    });
  });

  test("passes on a 429 with its hint and what the headers announce, in both spellings", async () => {
    const headers = {
      "X-RateLimit-Limit": "200",
      "X-Rate-Limit-Remaining": "0",
      "X-RateLimit-Reset": "37",
      "Retry-After": "40",
    };
    const sell = await aSell((_seen, response) => json(response, 429, {}, headers));
    const { target } = await anOpenTarget({ baseUrl: sell.url });
    expect(await target.send(aBatch({ writes: writesOf("C-1", "C-2") }), never)).toEqual({
      outcomes: [
        { status: "retriable", reason: "rate-limited" },
        { status: "retriable", reason: "rate-limited" },
      ],
      throttle: { hintMs: 40_000, source: "header-seconds" },
      halt: null,
      httpStatus: 429,
      names: { batchId: expect.any(String), requestId: null },
      announced: { limit: 200, remaining: 0, resetMs: 37_000 },
    });
  });

  test("asks for halves of a batch refused as a whole", async () => {
    const sell = await aSell((_seen, response) => json(response, 422, anError("incorrect_payload", "/items/1")));
    const { target } = await anOpenTarget({ baseUrl: sell.url });
    const { outcomes } = await target.send(aBatch({ writes: writesOf("C-1", "C-2") }), never);
    expect(outcomes).toEqual(Array(2).fill({ status: "refused", reason: "invalid-record" }));
  });

  test("leaves all unknown when the reply is lost or no JSON", async () => {
    let calls = 0;
    const sell = await aSell((_seen, response) => {
      calls += 1;
      if (calls === 1) response.destroy();
      else response.writeHead(200).end("<html>");
    });
    const { target } = await anOpenTarget({ baseUrl: sell.url });
    const lost = await target.send(aBatch(), never);
    expect(lost).toMatchObject({
      outcomes: [{ status: "unknown", reason: "no-reply" }],
      httpStatus: null,
      throttle: null,
    });
    const html = await target.send(aBatch(), never);
    expect(html).toMatchObject({ outcomes: [{ status: "unknown", reason: "reply-unreadable" }], httpStatus: 200 });
  });

  test("takes a record of a remembered id that is gone as missing", async () => {
    const sell = await aSell((_seen, response) => json(response, 404, anError("not_found")), { bulk: false });
    const { target } = await anOpenTarget({ baseUrl: sell.url });
    for (const verb of ["upsert", "update", "delete"] as const) {
      const { outcomes } = await target.send(aBatch({ verb, writes: [aWrite({ id: 5 })] }), never);
      expect(outcomes).toEqual([{ status: "accepted", result: "missing", id: null }]);
    }
  });

  test("halts an entity whose rights are missing and names no key", async () => {
    const sell = await aSell((_seen, response) => json(response, 403, {}), { bulk: false });
    const { target } = await anOpenTarget({ baseUrl: sell.url });
    const receipt = await target.send(
      aBatch({ entity: "leads", writes: [aWrite({ entity: "leads", key: "canary-key" })] }),
      never,
    );
    expect(receipt.outcomes).toEqual([{ status: "retriable", reason: "forbidden" }]);
    expect(receipt.halt).toMatchObject({ kind: "rights", message: expect.stringContaining("use leads (HTTP 403)") });
    expect(inspect(receipt)).not.toContain("canary-key");
  });

  test("does not send what is larger than Sell takes", async () => {
    const sell = await aSell(createsAll);
    const { target } = await anOpenTarget({ baseUrl: sell.url });
    const write = aWrite({ body: { description: "ü".repeat(600_000) } });
    expect((await target.send(aBatch({ writes: [write] }), never)).outcomes).toMatchObject([
      { status: "rejected", reason: "too-large" },
    ]);
    const both = await target.send(aBatch({ writes: [write, aWrite({ key: "C-2" })] }), never);
    expect(both.outcomes).toEqual(Array(2).fill({ status: "refused", reason: "too-large" }));
    expect(sell.seen).toHaveLength(2);
  });

  test("counts a call that the caller cut off", async () => {
    const caller = new AbortController();
    const sell = await aSell(() => caller.abort(new Error("draining")));
    const { target, events } = await anOpenTarget({ baseUrl: sell.url });
    await expect(target.send(aBatch(), caller.signal)).rejects.toThrow("draining");
    expect(events.at(-1)).toMatchObject({ name: "request-done", fields: { items: 1, code: "cut-off" } });
  });
});

describe("a refused token", () => {
  test("halts, and credentialChanged waits for another one in the file", async () => {
    const path = await aTokenFile("old");
    const { clock, advance, asleep } = aClock();
    const sell = await aSell(({ headers, body }, response) =>
      headers.authorization === "Bearer new"
        ? json(response, 200, { items: bulkItems(body) })
        : json(response, 401, {}),
    );
    const { target } = await anOpenTarget({ baseUrl: sell.url, token: `file:${path}` }, clock);
    const { halt } = await target.send(aBatch(), never);
    expect(halt).toEqual({
      kind: "auth",
      message: `Sell refused the access token of sell.token (file ${path}) (HTTP 401): write a valid token into the file, it is read again by itself.`,
    });

    const changed = target.credentialChanged(never);
    await asleep();
    await writeFile(path, "new");
    advance(2_000);
    await changed;
    expect((await target.send(aBatch(), never)).outcomes).toMatchObject([{ status: "accepted" }]);
  });

  test("halts nobody when the file holds another one already, however many calls met the old one", async () => {
    const path = await aTokenFile("old");
    const sell = await aSell(({ headers }, response) => {
      if (headers.authorization === "Bearer old") writeFileSync(path, "new");
      json(response, 401, {});
    });
    const { target } = await anOpenTarget({ baseUrl: sell.url, token: `file:${path}` });
    const receipts = await Promise.all([1, 2, 3].map(() => target.send(aBatch(), never)));
    expect(receipts.map(({ halt }) => halt)).toEqual([null, null, null]);
    expect((await target.send(aBatch(), never)).halt?.kind).toBe("auth");
  });

  test("that is a text is waited for until the caller calls off", async () => {
    const { target } = aTarget({});
    const caller = new AbortController();
    const changed = target.credentialChanged(caller.signal);
    caller.abort(new Error("stopping"));
    await expect(changed).rejects.toThrow("stopping");
  });

  test("in a file that is not there is a sentence", async () => {
    await expect(aTarget({ token: "file:/no/such/token" }).open()).rejects.toMatchObject({
      code: "CREDENTIAL_UNREADABLE",
      message: "The token file /no/such/token of sell.token cannot be read (ENOENT).",
    });
  });
});

describe("the token", () => {
  // Replies that echo what they got, as a debugging proxy does, and every way to get none.
  const faults: Record<string, Handler> = {
    echo401: ({ headers }, response) =>
      json(response, 401, { headers, errors: [{ error: { code: headers.authorization } }] }),
    echo422: ({ headers }, response) =>
      json(response, 422, anError("blank", `/data/${headers.authorization}`, headers.authorization), {
        "X-Echo": headers.authorization,
      }),
    html502: ({ headers }, response) => response.writeHead(502).end(`<html>${headers.authorization}`),
    redirect: ({ headers }, response) => response.writeHead(301, { Location: `/?${headers.authorization}` }).end(),
    reset: (_seen, response) => response.socket?.resetAndDestroy(),
    close: (_seen, response) => response.destroy(),
    noHttp: ({ headers }, response) => response.socket?.end(`${headers.authorization}\r\n\r\n`),
    cut: (_seen, response) => response.writeHead(200, { "Content-Length": "99" }).write("{", () => response.destroy()),
    huge: (_seen, response) => response.end(Buffer.alloc(9 * 1024 * 1024)),
  };
  const reveals = (value: unknown): boolean =>
    [TOKEN, btoa(TOKEN), encodeURIComponent(`Bearer ${TOKEN}`)].some((secret) =>
      `${inspect(value, { depth: 20, showHidden: true })}${JSON.stringify(value)}${String(value)}`.includes(secret),
    );

  test.each(Object.entries(faults))("is in nothing that comes out of a send that met %s", async (_name, handler) => {
    const sell = await aSell(handler);
    const { target, events } = await anOpenTarget({ baseUrl: sell.url });
    expect(reveals(await target.send(aBatch(), never))).toBe(false);
    expect(reveals(events)).toBe(false);
    expect(sell.seen.at(-1)?.headers.authorization).toBe(`Bearer ${TOKEN}`);
  });

  test("of a gateway, sent as a header, is in nothing either, though it looks like a code", async () => {
    const key = "0123456789abcdef".repeat(2);
    const sell = await aSell(({ headers }, response) =>
      json(response, 422, anError(`k${headers["x-gateway-key"]}`, `/data/${headers["x-gateway-key"]}`)),
    );
    const { target, events } = await anOpenTarget({ baseUrl: sell.url, headers: { "X-Gateway-Key": key } });
    expect(inspect([await target.send(aBatch(), never), events], { depth: 20 })).not.toContain(key);
    expect(sell.seen.at(-1)?.headers["x-gateway-key"]).toBe(key);
  });

  test.each(Object.entries(faults))(
    "is in no error of an open that met %s, nor in the target",
    async (_name, handler) => {
      const server = await aServer(handler);
      const { target, open } = aTarget({ baseUrl: server.url });
      const error = await open().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Error);
      expect(reveals(error)).toBe(false);
      expect(inspect(target, { depth: 20, showHidden: true })).not.toContain(TOKEN);
    },
  );

  test("is in no error when it was never sent", async () => {
    const error = await aTarget({})
      .open()
      .catch((thrown: unknown) => thrown);
    expect(reveals(error)).toBe(false);
  });
});
