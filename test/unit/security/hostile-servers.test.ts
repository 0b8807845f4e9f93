/** A server's reply names addresses, sizes and times; none of them decides where we go, what we hold or how long we wait: S06, S07, S09, S19. */
import { inspect } from "node:util";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { schemaRegistryConfig } from "../../../src/decode/config.ts";
import { connectRegistry } from "../../../src/decode/registry-client.ts";
import { createSchemaSource } from "../../../src/decode/schema-source.ts";
import { followJob } from "../../../src/deliver/jobs.ts";
import { Listing } from "../../../src/deliver/listing.ts";
import { createWire, type Exchange } from "../../../src/deliver/wire.ts";
import { askAdmin } from "../../../src/lib/ask-admin.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { tokenProvider } from "../../../src/source/sasl.ts";
import { leaksIn } from "../../support/canaries.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { aConfig, aServer, json, type Seen, TOKEN } from "../deliver/support.ts";

const { signal } = new AbortController();

/** Whoever comes here was led astray. */
const aTrap = () => aServer((_seen, response) => json(response, 200, { access_token: "trapped", items: [] }));

const aWire = (overrides: Readonly<Record<string, unknown>>) => {
  const wire = createWire(aConfig(overrides), { clock: systemClock, version: "1", mayLeave: () => true });
  onTestFinished(() => wire.close());
  return wire;
};

/** Ways to write the trap's address where a path, an id or a link is expected. */
const lures = (trap: string): readonly string[] => {
  const host = trap.slice("http://".length);
  return [
    ...[
      trap,
      `${trap}/x`,
      `//${host}/x`,
      `\\\\${host}\\x`,
      `/\\${host}/x`,
      `http:/${host}`,
      `http:${host}`,
      `HTTP://${host}`,
    ],
    ...[`http://user@${host}/`, `http://127.0.0.1@${host}/`, `http://${host}#@127.0.0.1/`, `http://${host}?@127.0.0.1`],
    ...[
      "../../x",
      "../../../../../x",
      "..%2f..%2fx",
      "/../../x",
      "./x",
      "?x=1",
      "#x",
      "%0d%0aHost: x",
      "\r\nHost: x",
      "\u0000",
      "",
      "x".repeat(300),
    ],
    ...[
      "file:///etc/passwd",
      "gopher://x/",
      "data:,x",
      "javascript:x",
      "http://169.254.169.254/",
      "http://[::1]/",
      "http://0/",
    ],
  ];
};

afterEach(() => vi.unstubAllEnvs());

describe("a redirect is never followed", () => {
  const redirecting = async () => {
    const trap = await aTrap();
    const server = await aServer((_seen, response) => response.writeHead(307, { Location: `${trap.url}/x` }).end());
    return { trap, url: server.url };
  };

  test.each<readonly [string, (url: string) => Promise<unknown>]>([
    ["Sell", (url) => aWire({ baseUrl: url }).exchange({ method: "POST", path: "/v2/x", body: "{}" }, TOKEN, signal)],
    [
      "the registry",
      (url) => connectRegistry(schemaRegistryConfig.parse({ url, token: TOKEN }), systemClock).schemas(7),
    ],
    [
      "the registry's token endpoint",
      (url) => {
        const oauth = { tokenUrl: url, clientId: "me", clientSecret: TOKEN };
        return connectRegistry(schemaRegistryConfig.parse({ url, oauth }), systemClock).schemas(7);
      },
    ],
    [
      "Kafka's token endpoint",
      (tokenUrl) => {
        const client = { mechanism: "oauthbearer", clientId: "me", clientSecret: TOKEN, extensions: {} } as const;
        return tokenProvider({ ...client, tokenUrl }, systemClock)();
      },
    ],
    [
      "a replica",
      (url) => askAdmin(url, { path: "/lag", schema: z.object({}), tells: "its lag" }, systemClock, signal),
    ],
  ])("of %s", async (_, ask) => {
    const { trap, url } = await redirecting();
    const answer: unknown = await ask(url).catch((error: unknown) => error);
    expect(trap.seen).toEqual([]);
    expect(inspect(answer, { depth: 9 })).not.toContain(TOKEN);
  });
});

describe("a link or an id in a reply is never an address", () => {
  test("the next page is asked for by its number", async () => {
    const trap = await aTrap();
    for (const next of lures(trap.url)) {
      const listing = new Listing("/v2/users", (data) => data, systemClock);
      const page = listing.next();
      page.take(JSON.stringify({ items: [{ data: { id: 1 } }], meta: { links: { next_page: next } } }));
      expect(listing.next().request.path).toMatch(/^\/v2\/users\?per_page=100(&page=2)?$/);
    }
  });

  test("a job is asked for below our own address, if its id is one", async () => {
    const trap = await aTrap();
    const asked: string[] = [];
    const deps = {
      ...{ clock: { ...systemClock, sleep: async () => {} }, timeoutMs: 1_000, jobTimeoutMs: 1_000 },
      permit: async () => ({ lane: "live" as const, grantedAtMs: 0 }),
      tell: async () => {},
      ask: async ({ path }: { readonly path: string }): Promise<Exchange> => {
        asked.push(path);
        const body = JSON.stringify({ data: { status: "completed", results: [] } });
        return { kind: "reply", status: 200, headers: {}, body };
      },
    };
    for (const id of [...lures(trap.url), 7, null, ["a"], { toString: "a" }]) {
      const body = JSON.stringify({ data: { id, url: `${trap.url}/job`, links: { self: trap.url } } });
      await followJob({ status: 202, headers: { location: trap.url }, body }, deps, signal);
    }
    expect(asked.filter((path) => !/^\/api\/v2\/job_statuses\/[\w-]{1,100}$/.test(path))).toEqual([]);
    expect(asked.some((path) => path.length > 130)).toBe(false);
  });

  test("what a schema refers to is asked for at the registry, by subject and version", async () => {
    const trap = await aTrap();
    const names = lures(trap.url);
    const references = names.flatMap((lure) => [
      { name: "a", subject: lure, version: 1 },
      { name: "a", subject: "s", version: lure },
    ]);
    const registry = await aServer((seen, response) =>
      json(
        response,
        200,
        seen.url.startsWith("/base/schemas/") ? { schema: '"long"', references } : { schema: '"long"' },
      ),
    );
    const client = connectRegistry(
      schemaRegistryConfig.parse({ url: `${registry.url}/base`, token: TOKEN }),
      systemClock,
    );
    await client.schemas(7);
    await client.schemas("guid:0");
    expect(trap.seen).toEqual([]);
    const strays = registry.seen.filter(({ url }: Seen) => !/^\/base\/(schemas|subjects)\//.test(url));
    expect(strays).toEqual([]);
    expect(registry.seen.length).toBeGreaterThan(2 * names.length);
  });

  test("a path is never taken for an address of its own", async () => {
    const trap = await aTrap();
    const server = await aServer((_seen, response) => json(response, 200, {}));
    const wire = aWire({ baseUrl: `${server.url}/base` });
    for (const path of lures(trap.url)) await wire.exchange({ method: "GET", path, body: null }, TOKEN, signal);
    expect(trap.seen).toEqual([]);
    expect(server.seen.length).toBeGreaterThan(5);
  });
});

describe("the environment's proxies are not asked", () => {
  test("by the registry and the token endpoints", async () => {
    const trap = await aTrap();
    for (const name of ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]) vi.stubEnv(name, trap.url);
    for (const name of ["NO_PROXY", "no_proxy"]) vi.stubEnv(name, "");
    const server = await aServer((_seen, response) => json(response, 200, { access_token: "t", schema: '"long"' }));
    const oauth = { tokenUrl: server.url, clientId: "me", clientSecret: TOKEN };
    const client = connectRegistry(schemaRegistryConfig.parse({ url: server.url, oauth }), systemClock);
    expect(await client.schemas(7)).toMatchObject({ status: "found" });
    expect(await client.schemas("guid:0")).toMatchObject({ status: "found" });
    const kafka = { mechanism: "oauthbearer", clientId: "me", clientSecret: TOKEN, extensions: {} } as const;
    expect(await tokenProvider({ ...kafka, tokenUrl: server.url }, systemClock)()).toMatchObject({ value: "t" });
    expect([server.seen.length, trap.seen]).toEqual([4, []]);
  });
});

describe("a registry that does not end", () => {
  test("by size is cut off, for numbers as for other ids", async () => {
    const server = await aServer((_seen, response) => {
      response.writeHead(200, { "Content-Type": "application/json" });
      const pour = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(1 << 20, 0x20)));
        response.once("drain", pour);
      };
      pour();
    });
    const client = connectRegistry(schemaRegistryConfig.parse({ url: server.url }), systemClock);
    const cause = "maxContentLength size of 8388608 exceeded";
    for (const id of [7, "guid:0"] as const) expect(await client.schemas(id)).toEqual({ status: "unreachable", cause });
  });

  test("by time is cut off, however busily it trickles", async () => {
    const clock = new FakeClock();
    const server = await aServer((_seen, response) => {
      response.writeHead(200);
      const drip = (): void => void (response.destroyed || response.write(" ", () => setImmediate(drip)));
      drip();
      clock.advance(5_000);
    });
    const client = connectRegistry(schemaRegistryConfig.parse({ url: server.url }), clock);
    expect(await client.schemas(7)).toEqual({ status: "unreachable", cause: "no whole answer within 5000 ms" });
  });
});

describe("a server that quotes the request is not repeated", () => {
  const quote = (seen: Seen): string => `${seen.headers.authorization ?? ""} ${seen.url} ${seen.body}`;

  test.each([400, 401, 403, 409, 422, 500, 503])("by Sell, with status %i", async (status) => {
    const server = await aServer((seen, response) =>
      json(response, status, { errors: [{ error: { code: quote(seen), field: quote(seen), message: quote(seen) } }] }),
    );
    const exchange = await aWire({ baseUrl: server.url }).exchange(
      { method: "GET", path: "/v2/x", body: null },
      TOKEN,
      signal,
    );
    for (const form of [inspect(exchange, { depth: 9, showHidden: true }), JSON.stringify(exchange)])
      expect(form).not.toContain(TOKEN);
  });

  test.each([200, 302, 400, 401, 404, 409, 500])("by the registry, with status %i", async (status) => {
    const password = "cn4ry+password/=";
    const server = await aServer((seen, response) =>
      json(response, status, { message: quote(seen), schemaType: quote(seen) }),
    );
    const config = schemaRegistryConfig.parse({ url: server.url, username: "me", password });
    const use = { topic: "t", part: "value", expects: "AVRO", recordTimestampMs: 0 } as const;
    for (const id of [7, "guid:0"] as const) {
      const said: string[] = [];
      const emit = (name: string, fields: object): void => void said.push(name, JSON.stringify(fields));
      const failure: unknown = await createSchemaSource(config, { clock: systemClock, emit })
        .load(id, use)
        .catch((error: unknown) => error);
      const text = said.join("") + inspect(failure, { depth: 9, showHidden: true });
      expect(leaksIn(text, { password, basic: `me:${password}` })).toEqual([]);
    }
  });
});
