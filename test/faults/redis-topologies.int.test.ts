/**
 * Redis as one server, behind sentinels and as a cluster: over TLS, with users who may do no more than the README gives them;
 * and a fail-over of each kind, in the middle of the work and of an announced wait.
 */
import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { boardKeyPrefix, redisBoard } from "../../src/control/board.ts";
import { redisCount } from "../../src/control/count.ts";
import type { Remembered } from "../../src/domain/stages.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { connectRedis } from "../../src/lib/redis.ts";
import type { RedisConfig } from "../../src/lib/redis-config.ts";
import { createRedisStore } from "../../src/store/redis-store.ts";
import { type Certificates, certificates, RedisFarm, type Server } from "../support/redis.ts";
import { RedisCrew } from "../support/redis-crew.ts";
import { until } from "../support/until.ts";

/** The hour is counted by the library's own limiter, which needs rights of its own. */
const QUOTA = {
  windows: [
    { limit: 20, perMs: 1_000 },
    { limit: 10_000, perMs: 3_600_000 },
  ],
  guardMs: 300,
};
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

const aStore = (config: RedisConfig, scope: string = randomUUID()) => {
  const redis = connectRedis(config);
  const store = createRedisStore({ redis, scope, clock: systemClock, random: Math.random, emit: () => {} });
  return { store, [Symbol.dispose]: () => redis.close() };
};

/** Gate, store and board do all that they can do. */
const useAll = async (config: RedisConfig): Promise<void> => {
  await using crew = new RedisCrew();
  for (const _ of [1, 2]) crew.join(config, QUOTA);
  await crew.goesOn(5);
  await crew.mates[0]?.gate.adopt(1_000);
  await until(() => crew.mates.every(({ gate }) => gate.cooldownLeftMs() > 0), "both know of the wait");
  await crew.goesOn(1);
  expect((await crew.mates[0]?.gate.peek())?.mode).toBe("redis");
  using memory = aStore(config);
  await memory.store.remember([[CUSTOMER, remembered("f1")]], never);
  expect(await memory.store.recall([CUSTOMER, { ...CUSTOMER, key: "C-2" }], never)).toMatchObject([
    { id: 7, fingerprint: "f1" },
    null,
  ]);
  const redis = connectRedis(config);
  await until(() => redis.lastError() === null, "a connection to Redis");
  const prefix = boardKeyPrefix({ baseUrl: "http://sell", account: randomUUID(), groupId: "g" });
  const board = redisBoard(redis, prefix);
  const revision = await board.put("pause r", { state: "resumed", who: "ann" });
  expect((await redisCount(redis, prefix).count("deletions", "r", 1, ["1", "2"])).within).toEqual([true, false]);
  expect([...(await board.look()).notes.keys()].toSorted()).toEqual(["brake deletions r", "pause r"]);
  expect(await board.swap("pause r", revision, null)).toBe(revision);
  redis.close();
  expect(crew.mates.flatMap(({ said }) => said).filter(({ name }) => name === "redis-refused")).toEqual([]);
};

/** The README's users: each the words after `ACL SETUSER`. */
const [SERVER_USER = [], CLUSTER_MORE = [], SENTINEL_USER = []] = [
  ...readFileSync("README.md", "utf8")
    .replaceAll("\\\n", "")
    .matchAll(/ACL SETUSER ([^#\n]+)/g),
].map(([, words = ""]) => words.replaceAll("'", "").trim().split(/\s+/));

const LOGIN = { username: "sell-sink", password: "secret" };

describe("over TLS, with the rights that the README lists,", () => {
  let tls: Certificates;
  beforeAll(async () => {
    tls = await certificates();
  });
  afterAll(() => tls[Symbol.asyncDispose]());
  const files = () => ({ enabled: true, caFile: tls.caFile, certFile: tls.certFile, keyFile: tls.keyFile });

  it("one server is enough for gate and store, and no right is too many", async () => {
    await using farm = new RedisFarm();
    const server = await farm.server({ tls, user: SERVER_USER });
    await server.do("CONFIG", "RESETSTAT");
    // By name, so that the certificate is checked for it.
    await useAll({ url: `rediss://localhost:${server.port}`, ...LOGIN, tls: files() });

    expect(await denied([server])).toEqual([]);

    const given = SERVER_USER.filter((word) => word.startsWith("+")).map((word) => word.slice(1));
    const stats = String(await server.do("INFO", "commandstats"));
    const used = [...stats.matchAll(/^cmdstat_(\w+)/gm)].map(([, name = ""]) => name);
    const mayBeUsed = new Set([...used, ...scriptCalls()]);
    const ofOthers = ["hello", "acl", "config"]; // free to everybody, and what this test asked
    for (const name of ofOthers) mayBeUsed.delete(name);
    expect(given.toSorted()).toEqual([...mayBeUsed].toSorted());
  });

  it("so is a primary that sentinels know", async () => {
    await using farm = new RedisFarm();
    const { primary, sentinels } = await farm.sentinels({ tls, user: SERVER_USER });
    for (const sentinel of sentinels) await sentinel.do("ACL", "SETUSER", ...SENTINEL_USER);
    const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`);
    await useAll({ sentinels: { hosts, name: "mymaster", ...LOGIN }, ...LOGIN, tls: files() });
    expect(await denied([primary, ...sentinels])).toEqual([]);
  });

  it("so is a cluster", async () => {
    await using farm = new RedisFarm();
    const user = [...SERVER_USER, ...CLUSTER_MORE.filter((word) => word.startsWith("+"))];
    const nodes = await farm.cluster({ tls, user });
    await useAll({ cluster: { nodes: [`127.0.0.1:${nodes[0]?.port}`] }, ...LOGIN, tls: files() });
    expect(await denied(nodes)).toEqual([]);
  });
});

describe("a primary that dies in an announced wait", () => {
  const WAIT_MS = 4_000;
  /** A wait is handed on as what is left of it, without the time on the way. */
  const HANDED_ON_MS = 50;
  const isHeldBy = async (server: Server): Promise<boolean> => String(await server.do("KEYS", "sell:*:e:*")) !== "";

  /** `kill` ends the server that holds both the quota and what is remembered, so that another one takes its place. */
  const isOutlived = async (config: RedisConfig, kill: () => Promise<void>): Promise<void> => {
    const scope = randomUUID(); // of both: in a cluster they are in one slot then
    await using crew = new RedisCrew(scope);
    using memory = aStore(config, scope);
    for (const _ of [1, 2, 3]) crew.join(config, QUOTA);
    await crew.goesOn(5);
    await memory.store.remember([[CUSTOMER, remembered("f1")]], never);
    const endMs = systemClock.monotonicMs() + WAIT_MS;
    await crew.mates[0]?.gate.adopt(WAIT_MS);
    await until(() => crew.mates.every(({ gate }) => gate.cooldownLeftMs() > 0), "all know of the wait");
    const knownMs = systemClock.monotonicMs();
    await kill();

    await crew.goesOn(5);
    expect(crew.grantsMs.filter((atMs) => atMs > knownMs && atMs < endMs - HANDED_ON_MS)).toEqual([]);
    expect(crew.fullest(1_000)).toBeLessThanOrEqual(20);
    // The id was copied in time. Whether Sell still holds what was remembered of it, the new primary cannot know.
    expect(await memory.store.recall([CUSTOMER], never)).toMatchObject([{ id: 7, fingerprint: null }]);
    await memory.store.remember([[CUSTOMER, remembered("f2")]], never);
    expect(await memory.store.recall([CUSTOMER], never)).toMatchObject([{ id: 7, fingerprint: "f2" }]);
  };

  it("is replaced by the one that its sentinels choose", async () => {
    await using farm = new RedisFarm();
    const { primary, replica, sentinels } = await farm.sentinels();
    const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`);
    await isOutlived({ sentinels: { hosts, name: "mymaster" } }, async () => {
      await until(() => isHeldBy(replica), "the replica has it too");
      await primary.process.kill("SIGKILL");
    });
  });

  it("is replaced by the one that the cluster chooses", async () => {
    await using farm = new RedisFarm();
    const nodes = await farm.cluster();
    await isOutlived({ cluster: { nodes: nodes.map(({ port }) => `127.0.0.1:${port}`) } }, async () => {
      const holders = async () => (await Promise.all(nodes.map(isHeldBy))).filter((isHolder) => isHolder).length;
      await until(async () => (await holders()) === 2, "its replica has it too");
      for (const node of nodes) {
        const isPrimary = String(await node.do("ROLE")).startsWith("master");
        if (isPrimary && (await isHeldBy(node))) await node.process.kill("SIGKILL");
      }
    });
  });
});

/** What was tried without the right to it, whether or not anybody noticed. */
const denied = async (servers: readonly Server[]): Promise<readonly unknown[]> =>
  (await Promise.all(servers.map((server) => server.do("ACL", "LOG")))).flatMap((log) => log as readonly unknown[]);

/** What the scripts may call, in small letters. */
const scriptCalls = (): readonly string[] =>
  ["src/gate", "src/store", "src/control"].flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith(".lua"))
      .flatMap((file) => [...readFileSync(`${folder}/${file}`, "utf8").matchAll(/redis\.p?call\(\s*["'](\w+)/g)])
      .map(([, name = ""]) => name.toLowerCase()),
  );
