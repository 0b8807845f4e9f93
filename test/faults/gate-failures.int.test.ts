/**
 * What may happen to the Redis that holds the quota, and what the replicas do then. The same promise in each case: never more
 * than the limit in any window, nothing while Redis does not answer, and all go on by themselves. What happens to an announced
 * wait is in redis-topologies (fail-over) and in cooldown (whole connectors); the clock of Redis is turned in gate-walk.
 */
import { describe, expect, it } from "vitest";
import type { LocalProcess } from "../../src/demo/services/local-process.ts";
import { FIGURES } from "../support/gate-figures.ts";
import { RedisFarm, type Server } from "../support/redis.ts";
import { type Mate, RedisCrew } from "../support/redis-crew.ts";
import { RedisProxy } from "../support/redis-proxy.ts";
import { guard, until } from "../support/until.ts";

/** The guard covers what a crowded machine and a long way add between a grant in Redis and its use here. */
const LIMIT = 20;
const WINDOW_MS = 1_000;
const QUOTA = { windows: [{ limit: LIMIT, perMs: WINDOW_MS }], guardMs: 300 };

/** A port where nothing listens. */
const NOBODY = 1;

/** A Redis of its own, and a crew that has not begun. */
const aTrial = async () => {
  const stack = new AsyncDisposableStack();
  const farm = stack.use(new RedisFarm());
  const server = await farm.server();
  const crew = stack.use(new RedisCrew());
  return {
    ...{ farm, server, crew },
    async threeJoin(url: string): Promise<void> {
      for (const _ of [1, 2, 3]) crew.join({ url }, QUOTA);
      await crew.goesOn(5);
    },
    /** Nobody gets a permit for longer than a window. */
    async nothingHappens(): Promise<void> {
      const before = crew.grantsMs.length;
      await crew.lasts(WINDOW_MS);
      expect(crew.grantsMs.length).toBe(before);
    },
    isKept: (limit: number = LIMIT): void => expect(crew.fullest(WINDOW_MS)).toBeLessThanOrEqual(limit),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
};

describe.concurrent("Redis is away", () => {
  const OUTAGES = [
    {
      title: "killed, and back empty",
      down: (redis: LocalProcess) => redis.kill("SIGKILL"),
      up: (redis: LocalProcess) => redis.start(),
    },
    {
      title: "frozen",
      down: (redis: LocalProcess) => redis.kill("SIGSTOP"),
      up: (redis: LocalProcess) => redis.kill("SIGCONT"),
    },
  ] as const;

  it.for(OUTAGES)("$title: nothing meanwhile, said once, then all go on", async ({ down, up }) => {
    await using trial = await aTrial();
    const { crew, server } = trial;
    await trial.threeJoin(server.process.address);
    await down(server.process);
    await crew.says("redis-unreachable");
    await trial.nothingHappens();
    await up(server.process);
    await crew.goesOn(10);
    await crew.says("redis-back");
    trial.isKept();
    expect([crew.count("redis-unreachable"), crew.count("redis-back")]).toEqual([3, 3]);
  });
});

describe.concurrent("Redis forgets", () => {
  it("everything (FLUSHALL): what was granted before counts on, by a pause", async () => {
    await using trial = await aTrial();
    const { crew, server } = trial;
    await trial.threeJoin(server.process.address);
    await server.do("FLUSHALL");
    await crew.goesOn(15);
    trial.isKept();
    expect(crew.count("gate-cold-start")).toBeGreaterThanOrEqual(1 + 3); // at the start the first to come, then each
    expect(crew.count("redis-unreachable")).toBe(0);
  });

  it("everything, again and again: nobody spends the quota twice by it", async () => {
    await using trial = await aTrial();
    const { crew, server } = trial;
    await trial.threeJoin(server.process.address);
    await server.do("FLUSHALL");
    const before = crew.grantsMs.length;
    for (let times = 0; times < 100; times++) await server.do("FLUSHALL");
    expect(crew.grantsMs.length - before, "but for permits on their way").toBeLessThanOrEqual(3);
    await crew.goesOn(5);
    trial.isKept();
  });

  it("the scripts (SCRIPT FLUSH): nobody notices", async () => {
    await using trial = await aTrial();
    const { crew, server } = trial;
    await trial.threeJoin(server.process.address);
    const before = crew.mates.map(({ said }) => said.length);
    await server.do("SCRIPT", "FLUSH");
    await crew.goesOn(15);
    trial.isKept();
    const news = crew.mates.flatMap(({ said }, at) => said.slice(before[at]).map(({ name }) => name));
    expect(news.filter((name) => name !== "permit-granted" && !FIGURES.has(name))).toEqual([]);
  });
});

describe.concurrent("the way to Redis", () => {
  it("is slow: all go on, unless an answer takes longer than a quarter of a second", async () => {
    await using trial = await aTrial();
    const { crew, server } = trial;
    await using proxy = await RedisProxy.to(server.port);
    await trial.threeJoin(proxy.url);
    proxy.delayMs = 150;
    await crew.goesOn(10);
    expect(crew.count("redis-unreachable")).toBe(0);
    proxy.delayMs = 600;
    await crew.says("redis-unreachable");
    await trial.nothingHappens();
    proxy.delayMs = 0;
    await crew.goesOn(10);
    trial.isKept();
  });

  it("loses replies to commands that were executed: a permit is lost then, and none is used twice", async () => {
    await using trial = await aTrial();
    const { crew, server } = trial;
    await using proxy = await RedisProxy.to(server.port);
    await trial.threeJoin(proxy.url);
    proxy.cutsEach = 7;
    await crew.goesOn(15);
    guard(proxy.cut > 5, "hardly a reply was lost");
    trial.isKept();
  });
});

describe.concurrent("a fail-over to a replica that lags", () => {
  it("forgets the last grants, and the pace covers them", async () => {
    await using trial = await aTrial();
    const { crew, server, farm } = trial;
    await using link = await RedisProxy.to(server.port);
    const replica = await farm.replica(link.port);
    await using proxy = await RedisProxy.to(server.port);
    await trial.threeJoin(proxy.url);
    link.isStalled = true;
    const before = crew.grantsMs.length;
    await until(() => crew.grantsMs.length >= before + 6, "six more permits, of which the replica does not hear");
    await server.process.kill("SIGKILL");
    await replica.do("REPLICAOF", "NO", "ONE");
    proxy.turnTo(replica.port);
    await crew.goesOn(10);
    trial.isKept();
    guard(crew.count("gate-cold-start") === 1, "the replica knew nothing at all");
  });
});

describe.concurrent("Redis refuses: it is said with the command and with what it needs, nothing is sent, and all go on when it is put right", () => {
  const aUser =
    (...words: readonly string[]) =>
    (server: Server) =>
      server.do("ACL", "SETUSER", "sell-sink", ...words);
  const set = (name: string, value: number) => (server: Server) => server.do("CONFIG", "SET", name, value);
  const theState = async (server: Server): Promise<string> => String(await server.do("KEYS", "sell:q:*:s"));
  const ANY = /^[A-Z]+$/;
  const REFUSALS = [
    { reason: "permission", command: /^HMGET$/, needs: "+hmget", begin: aUser("-hmget"), end: aUser("+hmget") },
    { reason: "permission", command: /^EVALSHA$/, needs: "+evalsha", begin: aUser("-evalsha"), end: aUser("+evalsha") },
    {
      ...{ reason: "key-permission", command: /^EVALSHA$/, needs: "~sell:*" },
      ...{ begin: aUser("resetkeys", "~other:*"), end: aUser("~sell:*") },
    },
    {
      ...{ reason: "login", command: /^AUTH$/, needs: "redis.password", end: aUser(">secret") },
      begin: async (server: Server) => {
        await aUser("resetpass", ">other")(server);
        await server.do("CLIENT", "KILL", "USER", "sell-sink");
      },
    },
    {
      ...{ reason: "read-only", command: ANY, needs: "is a replica" },
      begin: (server: Server) => server.do("REPLICAOF", "127.0.0.1", "1"),
      end: (server: Server) => server.do("REPLICAOF", "NO", "ONE"),
    },
    {
      ...{ reason: "wrong-type", command: ANY, needs: "delete them" },
      begin: async (server: Server) => server.do("SET", await theState(server), "something else"),
      end: async (server: Server) => server.do("DEL", await theState(server)),
    },
    {
      ...{ reason: "too-few-replicas", command: ANY, needs: "min-replicas-to-write" },
      ...{ begin: set("min-replicas-to-write", 1), end: set("min-replicas-to-write", 0) },
    },
  ];
  const news = ({ said }: Mate) =>
    said
      .filter(({ name, fields }) => name === "redis-refused" && fields["again"] === false)
      .map(({ fields }) => fields);

  it.for(REFUSALS)("$command ($reason)", async ({ reason, command, begin, end, needs }) => {
    await using trial = await aTrial();
    const { crew, server } = trial;
    await aUser("on", ">secret", "~sell:*", "+@all")(server);
    const config = { url: server.process.address, username: "sell-sink", password: "secret" };
    for (const _ of [1, 2]) crew.join(config, QUOTA);
    await crew.goesOn(3);
    await begin(server);
    await until(() => crew.mates.every((mate) => news(mate).length > 0), "everybody says it");
    await trial.nothingHappens();
    await end(server);
    await crew.goesOn(5);
    await crew.says("redis-back");
    trial.isKept();
    const sentence = { reason, command: expect.stringMatching(command), needs: expect.stringContaining(needs) };
    for (const mate of crew.mates) expect(news(mate)).toEqual([expect.objectContaining(sentence)]);
  });

  it("but not the gate when it is out of memory: its few keys do not grow", async () => {
    await using trial = await aTrial();
    const { crew, server } = trial;
    await trial.threeJoin(server.process.address);
    await set("maxmemory", 1)(server);
    await crew.goesOn(15);
    trial.isKept();
    expect(crew.count("redis-refused")).toBe(0);
  });
});

describe.concurrent("replicas", () => {
  it("that die in their turn lose it, and nobody waits for more than that", async () => {
    await using trial = await aTrial();
    const { crew, server } = trial;
    await using proxy = await RedisProxy.to(server.port);
    for (const url of [proxy.url, server.process.address, server.process.address]) crew.join({ url }, QUOTA);
    await crew.goesOn(3);
    proxy.isStalled = true;
    const areAllInLine = async (): Promise<boolean> => {
      const [line] = [await server.do("KEYS", "sell:q:*:t0")].flat();
      return (await server.do("ZCARD", String(line))) === 3;
    };
    await until(areAllInLine, "all three wait in line");
    proxy.turnTo(NOBODY); // it has asked, and does not come for the answer
    const [, ...alive] = crew.mates;
    const before = alive.map(({ grantsMs }) => grantsMs.length);
    await until(() => alive.every(({ grantsMs }, at) => grantsMs.length >= (before[at] ?? 0) + 10), "the others go on");
    expect((await alive[0]?.gate.peek())?.lostTurns).toBeGreaterThan(0);
    trial.isKept();
  });

  it("ten of them, one 25 ms farther from Redis than the others, share evenly", async () => {
    await using trial = await aTrial();
    const { crew, server } = trial;
    await using proxy = await RedisProxy.to(server.port);
    proxy.delayMs = 25;
    const far = crew.join({ url: proxy.url }, QUOTA);
    for (let near = 0; near < 9; near++) crew.join({ url: server.process.address }, QUOTA);
    await crew.goesOn(1);
    const before = crew.mates.map(({ grantsMs }) => grantsMs.length);
    await until(() => crew.grantsMs.length >= before.reduce((sum, count) => sum + count, 0) + 60, "six rounds");
    const shares = crew.mates.map(({ grantsMs }, at) => grantsMs.length - (before[at] ?? 0));
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(3);
    expect(shares[crew.mates.indexOf(far)]).toBeGreaterThanOrEqual(4);
    trial.isKept();
  });

  it("with another limit, as in a rolling deploy, bring all down to the lower one", async () => {
    await using trial = await aTrial();
    const { crew, server } = trial;
    const url = server.process.address;
    for (const limit of [LIMIT, LIMIT, 8]) crew.join({ url }, { windows: [{ limit, perMs: WINDOW_MS }], guardMs: 300 });
    await crew.goesOn(10);
    trial.isKept(8);
  });
});
