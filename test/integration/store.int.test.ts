import { randomUUID } from "node:crypto";
import { afterEach, expect, inject, test } from "vitest";
import { startRedis } from "../../src/demo/services/redis.ts";
import type { Remembered } from "../../src/domain/stages.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { connectRedis, type RedisConnection } from "../../src/lib/redis.ts";
import { createRedisStore } from "../../src/store/redis-store.ts";
import type { Emit } from "../../src/telemetry/events.ts";
import { until } from "../support/until.ts";

const CUSTOMER = { entity: "accounts", key: "C-1" } as const;
const never = new AbortController().signal;
const remembered = (fingerprint: string): Remembered => ({
  id: 7,
  deleted: false,
  version: { kind: "lsn", parts: ["1"] },
  route: "customers",
  fingerprint,
  acceptedAtMs: Date.now(),
  from: "erp.customers[0]@1",
});

const open: RedisConnection[] = [];
afterEach(() => open.splice(0).forEach((redis) => redis.close()));

const aStore = async (url: string, scope: string) => {
  const redis = connectRedis({ url });
  open.push(redis);
  await until(() => redis.lastError() === null, "a connection to Redis");
  const failures: object[] = [];
  const emit: Emit = (name, fields) => failures.push({ name, ...fields });
  const store = createRedisStore({ redis, scope, clock: systemClock, random: Math.random, emit });
  return { redis, store, failures };
};

test("replicas share what is remembered; other groups do not see it, and every key expires", async () => {
  const scope = randomUUID();
  const [one, two, other] = await Promise.all(
    [scope, scope, randomUUID()].map((name) => aStore(inject("redis"), name)),
  );
  await one?.store.remember([[CUSTOMER, remembered("f1")]], never);
  expect(await two?.store.recall([CUSTOMER, { entity: "accounts", key: "C-2" }], never)).toEqual(
    [remembered("f1"), null].map((memory) => memory && expect.objectContaining({ id: 7, fingerprint: "f1" })),
  );
  expect(await other?.store.recall([CUSTOMER], never)).toEqual([null]);
  const keys = (await one?.redis.client.keys("sell:*:e:accounts:C-1")) ?? [];
  for (const key of keys) expect(await one?.redis.client.pttl(key)).toBeGreaterThan(0);
});

test("another incarnation of Redis voids fingerprints and keeps ids", async () => {
  await using server = await startRedis();
  const { redis, store } = await aStore(server.address, "s");
  await store.remember([[CUSTOMER, remembered("f1")]], never);
  // A fail-over to a replica: the data is there, the server is another one.
  const dump = await redis.client.get((await redis.client.keys("*:e:accounts:C-1"))[0] ?? "");
  const epoch = await redis.client.get((await redis.client.keys("*:epoch"))[0] ?? "");
  const names = [(await redis.client.keys("*:e:accounts:C-1"))[0] ?? "", (await redis.client.keys("*:epoch"))[0] ?? ""];
  await server.kill("SIGKILL");
  await server.start();
  await until(
    () =>
      redis.client.ping().then(
        () => true,
        () => false,
      ),
    "Redis is back",
  );
  await redis.client.mset(names[0] ?? "", dump ?? "", names[1] ?? "", epoch ?? "");
  expect(await store.recall([CUSTOMER], never)).toMatchObject([{ id: 7, fingerprint: null }]);
  await store.remember([[CUSTOMER, remembered("f2")]], never);
  expect(await store.recall([CUSTOMER], never)).toMatchObject([{ id: 7, fingerprint: "f2" }]);
});

test("a failed write voids every older fingerprint before it resolves", async () => {
  await using server = await startRedis();
  const { store, failures } = await aStore(server.address, "s");
  await store.remember([[CUSTOMER, remembered("a")]], never);
  const second = { entity: "accounts", key: "C-2" } as const;
  await server.kill("SIGSTOP");
  const writing = store.remember([[second, remembered("b")]], never);
  await until(() => failures.length > 0, "Redis does not answer");
  await server.kill("SIGCONT");
  await writing;
  expect(await store.recall([CUSTOMER, second], never)).toMatchObject([{ fingerprint: null }, { fingerprint: "b" }]);
});

test("a Redis that does not answer is waited for: nobody is told that nothing is remembered", async () => {
  await using server = await startRedis();
  const { store, failures } = await aStore(server.address, "s");
  await store.remember([[CUSTOMER, remembered("a")]], never);
  await server.kill("SIGSTOP");
  const recalling = store.recall([CUSTOMER], never);
  await until(() => failures.length > 0, "Redis does not answer");
  await server.kill("SIGCONT");
  expect(await recalling).toMatchObject([{ id: 7, fingerprint: "a" }]);
});

test("a Redis that is out of memory is named, with the setting it needs, and waited for", async () => {
  await using server = await startRedis();
  const { redis, store, failures } = await aStore(server.address, "s");
  await redis.client.config("SET", "maxmemory", "1");
  const writing = store.remember([[CUSTOMER, remembered("a")]], never);
  await until(() => failures.length > 1, "Redis refuses it twice");
  await redis.client.config("SET", "maxmemory", "0");
  await writing;
  expect(failures.slice(0, 2)).toMatchObject(
    [false, true].map((again) => ({
      ...{ name: "redis-refused", reason: "out-of-memory", command: "SET", again },
      needs: expect.stringContaining("maxmemory"),
    })),
  );
  expect(await store.recall([CUSTOMER], never)).toMatchObject([{ fingerprint: "a" }]);
});

test("batches that are remembered at the same time begin one epoch, not one each", async () => {
  const { store } = await aStore(inject("redis"), randomUUID());
  const ids = Array.from({ length: 8 }, (_, i) => ({ entity: "accounts", key: `C-${i}` }) as const);
  await Promise.all([store.recall(ids, never), ...ids.map((id) => store.remember([[id, remembered("f")]], never))]);
  expect((await store.recall(ids, never)).map((memory) => memory?.fingerprint)).toEqual(ids.map(() => "f"));
});

test("replicas that start at once write in one epoch: neither voids what the other remembers", async () => {
  const scope = randomUUID();
  const stores = await Promise.all([1, 2, 3].map(() => aStore(inject("redis"), scope)));
  const ids = stores.map((_, i) => ({ entity: "accounts", key: `C-${i}` }) as const);
  // All have seen that no epoch is in force; then each writes.
  for (const { store } of stores) await store.recall(ids, never);
  for (const [i, { store }] of stores.entries()) await store.remember([[ids[i] ?? CUSTOMER, remembered("f")]], never);
  for (const { store } of stores) {
    expect((await store.recall(ids, never)).map((memory) => memory?.fingerprint)).toEqual(["f", "f", "f"]);
  }
});

test("a failed write begins a new epoch also when another key was asked for in between", async () => {
  await using server = await startRedis();
  const { store, failures } = await aStore(server.address, "s");
  await store.remember([[CUSTOMER, remembered("a")]], never);
  const second = { entity: "accounts", key: "C-2" } as const;
  await server.kill("SIGSTOP");
  const writing = store.remember([[second, remembered("b")]], never);
  const asking = store.recall([CUSTOMER], never);
  await until(() => failures.length > 1, "Redis answers neither");
  await server.kill("SIGCONT");
  await Promise.all([writing, asking]);
  expect(await store.recall([CUSTOMER], never)).toMatchObject([{ fingerprint: null }]);
});

test("the answer to a lookup fills a gap, and never replaces what another replica had accepted meanwhile", async () => {
  const { store } = await aStore(inject("redis"), randomUUID());
  const other = { entity: "accounts", key: "C-2" } as const;
  const lookup: Remembered = { ...remembered("f1"), id: 9, version: null, route: null, fingerprint: null };
  await store.remember([[CUSTOMER, remembered("f1")]], never);
  await store.remember(
    [
      [CUSTOMER, lookup],
      [other, lookup],
    ],
    never,
  );
  expect(await store.recall([CUSTOMER, other], never)).toMatchObject([
    { id: 7, route: "customers", fingerprint: "f1" },
    { id: 9, route: null },
  ]);
});

test("a deletion that another incarnation of Redis remembers is believed by nobody: the record may be back since", async () => {
  await using server = await startRedis();
  const { redis, store } = await aStore(server.address, "s");
  await store.remember([[CUSTOMER, { ...remembered("f1"), id: null, deleted: true }]], never);
  expect(await store.recall([CUSTOMER], never)).toMatchObject([{ deleted: true }]);
  const [epochKey = ""] = await redis.client.keys("*:epoch");
  await redis.client.set(epochKey, "another-run:1");
  expect(await store.recall([CUSTOMER], never)).toMatchObject([{ id: null, deleted: false, route: "customers" }]);
});

test("it knows since when it remembers everything: from its opening, anew after it was emptied, never of another server", async () => {
  await using server = await startRedis();
  const { redis, store } = await aStore(server.address, "s");
  expect(await store.completeSinceMs(never)).toBe(Number.POSITIVE_INFINITY);
  const beforeMs = systemClock.now();
  await store.open(never);
  const sinceMs = await store.completeSinceMs(never);
  expect(sinceMs).toBeGreaterThanOrEqual(beforeMs);
  await store.remember([[CUSTOMER, remembered("f1")]], never);
  await store.open(never);
  expect(await store.completeSinceMs(never)).toBe(sinceMs);
  await redis.client.flushall();
  expect(await store.completeSinceMs(never)).toBe(Number.POSITIVE_INFINITY);
});
