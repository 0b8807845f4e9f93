import { request } from "node:http";
import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { Health } from "../../../src/admin/health.ts";
import { type Admin, type AdminDeps, startAdmin } from "../../../src/admin/server.ts";
import type { Snapshot } from "../../../src/telemetry/snapshot.ts";
import { until } from "../../support/until.ts";

const GOOD: Health = { live: { ok: true }, ready: { ok: true }, started: { ok: true } };

const open: Admin[] = [];
afterEach(async () => {
  for (const admin of open.splice(0)) await admin.close();
});

const anAdmin = async (
  health: () => Health = () => GOOD,
  scrape?: AdminDeps["scrape"],
  snapshot: () => Promise<Snapshot | null> = async () => null,
): Promise<Admin> => {
  const admin = await startAdmin(
    { port: 0, host: "127.0.0.1" },
    {
      health,
      scrape: scrape ?? (async () => ({ contentType: "text/plain; version=0.0.4", text: "a 1\n" })),
      snapshot,
      quota: async () => ((await snapshot()) === null ? null : { calls: 7 }),
      status: async (span) => ({ span }),
      groupId: "g",
    },
  );
  open.push(admin);
  return admin;
};

/** Everything a server says to these bytes until it closes the connection. */
const raw = (admin: Admin, bytes: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let heard = "";
    const socket = connect(Number(new URL(admin.url).port), "127.0.0.1", () => socket.write(bytes));
    socket.on("data", (chunk) => {
      heard += chunk.toString();
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(heard));
  });

/** Open sockets of this process: the admin server runs in it. */
const sockets = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "TCPSocketWrap").length;

test.each(["/livez", "/readyz", "/startupz"])("%s answers 200 while all is well", async (path) => {
  const { url } = await anAdmin();
  const reply = await fetch(url + path);
  expect([reply.status, await reply.text()]).toEqual([200, "ok\n"]);
});

test("a failing probe says why and leaves the others alone", async () => {
  const { url } = await anAdmin(() => ({
    ...GOOD,
    ready: { ok: false, why: "draining: the process was asked to stop" },
  }));
  const ready = await fetch(`${url}/readyz`);
  expect([ready.status, await ready.text()]).toEqual([503, "draining: the process was asked to stop\n"]);
  expect((await fetch(`${url}/livez`)).status).toBe(200);
});

test("/metrics answers with the scrape, / is the page, anything else is a 404 that names what there is", async () => {
  const { url } = await anAdmin();
  const metrics = await fetch(`${url}/metrics?name[]=a`);
  expect([metrics.headers.get("content-type"), await metrics.text()]).toEqual(["text/plain; version=0.0.4", "a 1\n"]);
  const page = await fetch(url);
  expect([page.headers.get("content-type"), await page.text()]).toEqual([
    "text/html; charset=utf-8",
    expect.stringMatching(/^<!doctype html>/),
  ]);
  const unknown = await fetch(`${url}/debug`);
  expect([unknown.status, await unknown.text()]).toEqual([
    404,
    "nothing here; there are / /status /livez /readyz /startupz /metrics /lag /quota\n",
  ]);
});

test("every file that the page names is served, and its policy allows nothing from elsewhere", async () => {
  const { url } = await anAdmin();
  const page = await fetch(url);
  const policy = page.headers.get("content-security-policy") ?? "";
  expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'; /);
  expect(policy).not.toMatch(/unsafe|\*|http|data:/);
  const named = (text: string): readonly string[] =>
    [...text.matchAll(/(?:src|href)="(\/page[^"]*)"|from "\.\/([^"]+)"/g)].map(
      ([, path, file]) => path ?? `/page/${file}`,
    );
  const scripts = await Promise.all(
    named(await page.text()).map(async (path) => {
      const reply = await fetch(url + path);
      expect([path, reply.status]).toEqual([path, 200]);
      return path.endsWith(".mjs") ? named(await reply.text()) : [];
    }),
  );
  const imported = scripts.flat();
  expect(imported).toContain("/page/plots.mjs");
  for (const path of imported) expect([path, (await fetch(url + path)).status]).toEqual([path, 200]);
});

test("/status answers with the span that was asked for, and refuses others", async () => {
  const { url } = await anAdmin();
  expect(await (await fetch(`${url}/status`)).json()).toEqual({ span: "1h" });
  expect(await (await fetch(`${url}/status?span=6h`)).json()).toEqual({ span: "6h" });
  for (const span of ["9h", "__proto__", "constructor", ""]) {
    expect([span, (await fetch(`${url}/status?span=${span}`)).status]).toEqual([span, 400]);
  }
});

test.each([
  "/page/../../../../etc/passwd",
  "/page/..%2f..%2fserver.ts",
  "/page/page.mjs%00",
  "/page",
  "/page/",
  "//page/page.mjs",
  "/src/admin/server.ts",
  "/%",
  "http://other.example/",
])("%s leads to no file", async (path) => {
  const heard = await raw(await anAdmin(), `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  expect(heard).toMatch(/^HTTP\/1\.1 404/);
  expect(heard).not.toContain("passwd");
});

test("a refused request is not repeated to whoever sent it", async () => {
  const admin = await anAdmin();
  for (const method of ["TRACE", "POST", "BREW"]) {
    const heard = await raw(
      admin,
      `${method} /c4n4ry HTTP/1.1\r\nHost: x\r\nCookie: c4n4ry\r\nConnection: close\r\n\r\n`,
    );
    expect(heard).toMatch(/^HTTP\/1\.1 4/);
    expect(heard).not.toContain("c4n4ry");
  }
});

test("a scrape that fails is a 500 with its sentence and no stack", async () => {
  const { url } = await anAdmin(undefined, () => Promise.reject(new Error("Redis is away")));
  const reply = await fetch(`${url}/metrics`);
  expect([reply.status, await reply.text()]).toEqual([500, "failed: Redis is away\n"]);
});

test.each(["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])("%s is refused", async (method) => {
  const { url } = await anAdmin();
  const [status, allow] = await new Promise<[number | undefined, string | undefined]>((resolve, reject) => {
    request(`${url}/livez`, { method }, (reply) => resolve([reply.resume().statusCode, reply.headers.allow]))
      .on("error", reject)
      .end();
  });
  expect([status, allow]).toEqual([405, "GET, HEAD"]);
});

test("HEAD answers without a body", async () => {
  const { url } = await anAdmin();
  const reply = await fetch(`${url}/livez`, { method: "HEAD" });
  expect([reply.status, reply.headers.get("content-length"), await reply.text()]).toEqual([200, "3", ""]);
});

test("a huge header, and a huge address, are refused", async () => {
  const admin = await anAdmin();
  const big = "a".repeat(10_000); // Node itself would take 16 KiB
  for (const head of [`/livez HTTP/1.1\r\nHost: x\r\nX-Big: ${big}`, `/${big} HTTP/1.1\r\nHost: x`]) {
    expect(await raw(admin, `GET ${head}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431/);
  }
});

test("a request that never ends is cut off, and so is whoever does not take the answer", async () => {
  const text = "a 1\n".repeat(8_000_000); // more than the kernel takes for somebody who does not read
  const admin = await anAdmin(undefined, async () => ({ contentType: "text/plain", text }));
  const before = sockets();
  const deaf = connect(Number(new URL(admin.url).port), "127.0.0.1", () => {
    deaf.write("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    deaf.pause();
  });
  await until(() => sockets() === before + 2, "both ends are open");
  expect(await raw(admin, "GET /livez HTTP/1.1\r\nHost:")).toMatch(/^HTTP\/1\.1 408/);
  await until(() => sockets() === before + 1, "the server's end is closed");
  deaf.destroy();
}, 20_000);

test("whoever holds connections open keeps no probe out", async () => {
  const admin = await anAdmin();
  const held = Array.from({ length: 200 }, () => connect(Number(new URL(admin.url).port), "127.0.0.1"));
  await Promise.all(
    held.map((socket) => {
      socket.on("error", () => {});
      return new Promise((resolve) => socket.once("connect", () => socket.write("GET /li", resolve)));
    }),
  );
  expect(await (await fetch(`${admin.url}/livez`)).text()).toBe("ok\n");
  for (const socket of held) socket.destroy();
});

test("a body is not waited for: the connection closes behind the answer", async () => {
  const admin = await anAdmin();
  const heard = await raw(admin, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n");
  expect(heard).toMatch(/^HTTP\/1\.1 405/);
});

test("/lag tells of the partitions that are owned, and says so while there is no pipeline", async () => {
  const starting = await fetch(`${(await anAdmin()).url}/lag`);
  expect([starting.status, await starting.text()]).toEqual([503, "the pipeline does not run yet\n"]);
  const aPartition = {
    ...{ topic: "t", partition: 3, endOffset: 50, lag: 8, lastCommitS: null, paused: "quota" },
    oldestPendingAgeS: { live: 2, backfill: 90 },
  };
  const gate = { permitsPerSecond: 3, cooldownLeftMs: 1_500 };
  const state = { partitions: [aPartition], gate, halted: false, pauses: [] } as unknown as Snapshot;
  const { url } = await anAdmin(undefined, undefined, async () => state);
  const reply = await fetch(`${url}/lag`);
  expect(reply.headers.get("content-type")).toBe("application/json; charset=utf-8");
  expect(await reply.json()).toEqual({
    ...{ groupId: "g", halted: false, pauses: [], permitsPerSecond: 3, cooldownLeftS: 1.5 },
    partitions: [{ topic: "t", partition: 3, next: 42, end: 50, ageS: 90, paused: "quota" }],
  });
});

test("/quota answers with the figures, and says so while there is no pipeline", async () => {
  const starting = await fetch(`${(await anAdmin()).url}/quota`);
  expect([starting.status, await starting.text()]).toEqual([503, "the pipeline does not run yet\n"]);
  const { url } = await anAdmin(undefined, undefined, async () => ({}) as unknown as Snapshot);
  expect(await (await fetch(`${url}/quota`)).json()).toEqual({ calls: 7 });
});

test("a taken port is one sentence that names the setting", async () => {
  const { url } = await anAdmin();
  const port = Number(new URL(url).port);
  const second = startAdmin(
    { port, host: "127.0.0.1" },
    {
      health: () => GOOD,
      scrape: () => Promise.reject(),
      snapshot: async () => null,
      quota: async () => null,
      status: async () => ({}),
      groupId: "g",
    },
  );
  await expect(second).rejects.toMatchObject({
    code: "ADMIN_PORT",
    message: `The admin address 127.0.0.1:${port} is not free: another process listens there; set admin.port.`,
  });
});
