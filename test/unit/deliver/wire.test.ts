import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import https from "node:https";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { createWire, type WireRequest } from "../../../src/deliver/wire.ts";
import { type Clock, systemClock } from "../../../src/lib/clock.ts";
import { CERTIFICATE, KEY } from "./certificate.ts";
import { aClock, aConfig, aServer, json, never, TOKEN } from "./support.ts";

const aWire = (
  overrides: Readonly<Record<string, unknown>>,
  clock: Clock = systemClock,
  mayLeave: () => boolean = () => true,
) => {
  const wire = createWire(aConfig(overrides), { clock, version: "1.2.3", mayLeave });
  onTestFinished(() => wire.close());
  return (request: Partial<WireRequest> = {}, signal = never) =>
    wire.exchange({ method: "POST", path: "/v2/contacts", body: '{"data":{}}', ...request }, TOKEN, signal);
};

/** A TCP server that does with each connection what the test says. */
const aPeer = async (onSocket: (socket: Socket) => void) => {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    onSocket(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
};

const aClosedPort = async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
};

afterEach(() => vi.unstubAllEnvs());

describe("a lease that ended after the request was allowed", () => {
  test.each(["a new connection", "a kept one"])(
    "keeps it here, on %s, and it counts as not sent",
    async (connection) => {
      const server = await aServer((_seen, response) => json(response, 200, {}));
      let isOver = false;
      const send = aWire({ baseUrl: server.url }, systemClock, () => !isOver);
      if (connection === "a kept one") await send();
      const before = server.seen.length;
      isOver = true;
      expect(await send()).toEqual({ kind: "not-sent", cause: "LEASE_OVER" });
      isOver = false;
      expect(await send()).toMatchObject({ kind: "reply", status: 200 });
      expect(server.seen).toHaveLength(before + 1);
    },
  );

  test("keeps it here behind a TLS handshake, too", async () => {
    const { url, seen } = await aTlsServer();
    const send = aWire({ baseUrl: url, tls: { caFile: await aCaFile() } }, systemClock, () => false);
    expect(await send()).toEqual({ kind: "not-sent", cause: "LEASE_OVER" });
    expect(seen()).toBe(0);
  });
});

describe("a reply", () => {
  test("comes back whole, whatever its status, and carries our headers there", async () => {
    const server = await aServer((_seen, response) => json(response, 418, { a: "ü" }, { "X-Test": "1" }));
    const send = aWire({ baseUrl: `${server.url}/sell/`, headers: { "X-Gateway": "g", authorization: "other" } });
    const reply = await send({ path: "/v2/contacts/upsert?custom_fields%5Berp_id%5D=C%201" });
    expect(reply).toMatchObject({ kind: "reply", status: 418, headers: { "x-test": "1" }, body: '{"a":"ü"}' });
    expect(server.seen[0]).toMatchObject({
      url: "/sell/v2/contacts/upsert?custom_fields%5Berp_id%5D=C%201",
      body: '{"data":{}}',
      headers: {
        authorization: `Bearer ${TOKEN}`,
        accept: "application/json",
        "content-type": "application/json",
        "user-agent": "sell-sink/1.2.3",
        "x-gateway": "g",
      },
    });
  });

  test.each([301, 302, 303, 307, 308])("%i is not followed", async (status) => {
    const server = await aServer((_seen, response) => response.writeHead(status, { Location: "/elsewhere" }).end());
    expect(await aWire({ baseUrl: server.url })()).toMatchObject({ kind: "reply", status });
    expect(server.seen).toHaveLength(1);
  });

  test("reuses the connection", async () => {
    const ports = new Set<number | undefined>();
    const server = await aServer((_seen, response, request) => {
      ports.add(request.socket.remotePort);
      response.end("{}");
    });
    const send = aWire({ baseUrl: server.url });
    for (let i = 0; i < 3; i += 1) await send();
    expect(ports.size).toBe(1);
  });

  test("that unpacks to more than the cap is cut off", async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const server = await aServer((_seen, response) =>
      response.writeHead(200, { "Content-Encoding": "gzip" }).end(bomb),
    );
    expect(await aWire({ baseUrl: server.url })()).toEqual({ kind: "no-reply", cause: "too-large" });
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ["a broken gzip stream", (response) => response.writeHead(200, { "Content-Encoding": "gzip" }).end("no gzip")],
    [
      "a body cut short",
      (response) => response.writeHead(200, { "Content-Length": "99" }).write("{", () => response.destroy()),
    ],
    ["a reset instead of a reply", (response) => response.socket?.resetAndDestroy()],
    ["a close instead of a reply", (response) => response.destroy()],
    ["no HTTP at all", (response) => response.socket?.end("hello\r\n\r\n")],
  ])("with %s is none", async (_name, answer) => {
    const server = await aServer((_seen, response) => answer(response));
    expect(await aWire({ baseUrl: server.url })()).toMatchObject({ kind: "no-reply" });
    expect(server.seen).toHaveLength(1);
  });
});

describe("the deadline", () => {
  test("ends a reply that trickles for ever, and leaves nothing behind", async () => {
    const { clock, advance, sleeping } = aClock();
    const server = await aServer((_seen, response) => {
      const drip = (): void => void (response.destroyed || response.write(" ", () => setImmediate(drip)));
      response.writeHead(200);
      drip();
      response.once("drain", () => undefined);
      advance(6_000);
    });
    expect(await aWire({ baseUrl: server.url }, clock)()).toEqual({ kind: "no-reply", cause: "timeout" });
    expect(sleeping()).toBe(0);
  });

  test("ends a silence", async () => {
    const { clock, advance } = aClock();
    const server = await aServer(() => advance(6_000));
    expect(await aWire({ baseUrl: server.url }, clock)()).toEqual({ kind: "no-reply", cause: "timeout" });
  });

  test("ends a TLS handshake that never ends, before anything was sent", async () => {
    const { clock, advance } = aClock();
    const port = await aPeer((socket) => socket.once("data", () => advance(6_000)));
    const send = aWire({ baseUrl: `https://127.0.0.1:${port}` }, clock);
    expect(await send()).toEqual({ kind: "not-sent", cause: "timeout" });
  });

  test("is not waited for when the caller calls off", async () => {
    const { clock, sleeping } = aClock();
    const caller = new AbortController();
    const server = await aServer(() => caller.abort(new Error("draining")));
    await expect(aWire({ baseUrl: server.url }, clock)({}, caller.signal)).rejects.toThrow("draining");
    expect(sleeping()).toBe(0);
    await expect(aWire({ baseUrl: server.url }, clock)({}, caller.signal)).rejects.toThrow("draining");
    expect(server.seen).toHaveLength(1);
  });
});

describe("a request surely not sent", () => {
  test("met a closed port", async () => {
    const port = await aClosedPort();
    expect(await aWire({ baseUrl: `http://127.0.0.1:${port}` })()).toEqual({ kind: "not-sent", cause: "ECONNREFUSED" });
  });

  test("has no address", async () => {
    const exchange = await aWire({ baseUrl: "http://no-such-host.invalid" })();
    expect(exchange).toMatchObject({ kind: "not-sent", cause: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/) });
  });

  test("met a certificate nobody vouches for", async () => {
    const { url, seen } = await aTlsServer();
    const cause = "DEPTH_ZERO_SELF_SIGNED_CERT";
    expect(await aWire({ baseUrl: url })()).toEqual({ kind: "not-sent", cause });
    expect(seen()).toBe(0);
  });

  test("met a peer that resets the handshake, with the code of a reset after sending", async () => {
    const port = await aPeer((socket) => socket.once("data", () => socket.resetAndDestroy()));
    expect(await aWire({ baseUrl: `https://127.0.0.1:${port}` })()).toEqual({ kind: "not-sent", cause: "ECONNRESET" });
  });
});

describe("TLS and proxy", () => {
  test("a caFile vouches for the certificate", async () => {
    const { url, seen } = await aTlsServer();
    const send = aWire({ baseUrl: url, tls: { caFile: await aCaFile() } });
    expect(await send()).toMatchObject({ kind: "reply", status: 200 });
    expect(seen()).toBe(1);
  });

  test("a server that speaks nothing newer than TLS 1.1 is left alone, even where Node would talk to it", async () => {
    const { DEFAULT_MIN_VERSION, DEFAULT_CIPHERS } = tls;
    onTestFinished(() => void Object.assign(tls, { DEFAULT_MIN_VERSION, DEFAULT_CIPHERS }));
    Object.assign(tls, { DEFAULT_MIN_VERSION: "TLSv1", DEFAULT_CIPHERS: "DEFAULT@SECLEVEL=0" });
    const { url, seen } = await aTlsServer({ maxVersion: "TLSv1.1" });
    const send = aWire({ baseUrl: url, tls: { caFile: await aCaFile() } });
    expect(await send()).toEqual({ kind: "not-sent", cause: "EPROTO" });
    expect(seen()).toBe(0);
  });

  test("a missing caFile is said at once", () => {
    expect(() => aWire({ tls: { caFile: "/no/such/ca.pem" } })).toThrow("sell.tls.caFile cannot be read: ENOENT");
  });

  test("the environment's proxy is not asked", async () => {
    const proxy = await aServer((_seen, response) => response.end());
    const server = await aServer((_seen, response) => response.end("{}"));
    for (const name of ["HTTP_PROXY", "http_proxy", "ALL_PROXY"]) vi.stubEnv(name, proxy.url);
    expect(await aWire({ baseUrl: server.url })()).toMatchObject({ kind: "reply", body: "{}" });
    expect(proxy.seen).toEqual([]);
  });

  test("the configured proxy is", async () => {
    const proxy = await aServer((_seen, response) => response.end("{}"));
    const send = aWire({ baseUrl: "http://sell.invalid", proxy: proxy.url.replace("//", "//u:p@") });
    expect(await send()).toMatchObject({ kind: "reply", status: 200 });
    expect(proxy.seen[0]).toMatchObject({
      url: "http://sell.invalid/v2/contacts",
      headers: { "proxy-authorization": `Basic ${btoa("u:p")}` },
    });
  });

  test("a tunnel carries the request inside TLS", async () => {
    const { url, seen } = await aTlsServer();
    const proxy = await aServer(() => undefined);
    proxy.server.on("connect", (_request, socket) => {
      const upstream = connect(Number(new URL(url).port), "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        upstream.pipe(socket).pipe(upstream);
      });
      for (const end of [upstream, socket]) end.on("error", () => upstream.destroy());
    });
    const send = aWire({ baseUrl: url, proxy: proxy.url, tls: { caFile: await aCaFile() } });
    expect(await send()).toMatchObject({ kind: "reply", status: 200 });
    expect(seen()).toBe(1);
    expect(await aWire({ baseUrl: url, proxy: proxy.url })()).toEqual({
      kind: "not-sent",
      cause: "DEPTH_ZERO_SELF_SIGNED_CERT",
    });
  });

  test("a proxy that refuses the tunnel is no answer of Sell", async () => {
    const proxy = await aServer(() => undefined);
    proxy.server.on("connect", (_request, socket) => socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"));
    const send = aWire({ baseUrl: "https://sell.invalid", proxy: proxy.url });
    expect(await send()).toEqual({ kind: "not-sent", cause: "proxy-403" });
  });
});

const aCaFile = async () => {
  const folder = await mkdtemp(join(tmpdir(), "deliver-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "ca.pem"), CERTIFICATE);
  return join(folder, "ca.pem");
};

const aTlsServer = async (options: tls.SecureContextOptions = {}) => {
  let requests = 0;
  const server = https.createServer({ cert: CERTIFICATE, key: KEY, ...options }, (_request, response) => {
    requests += 1;
    response.end("{}");
  });
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, seen: () => requests };
};
