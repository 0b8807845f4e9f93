import { describe, expect, it } from "vitest";
import { type RedisConfig, redisConfig, redisProblems } from "../../../src/lib/redis-config.ts";

const url = "redis://redis:6379";
const sentinels = { hosts: ["s1:26379", "[::1]:26379"], name: "mymaster" };
const cluster = { nodes: ["r1:6379"] };

const problemsOf = (config: object): readonly string[] =>
  redisProblems(redisConfig.parse(config) satisfies RedisConfig).map(
    ({ path, message }) => `${path.join(".")} ${message}`,
  );

describe("Redis is", () => {
  it.each([{ url }, { url: "rediss://:secret@redis:6380/2" }, { sentinels }, { cluster, tls: {} }])("%o", (config) => {
    expect(problemsOf(config)).toEqual([]);
  });
});

describe("Redis is not", () => {
  it.each([{ url: "redis:6379" }, { sentinels: { hosts: ["s1:26379"] } }, { cluster: { nodes: ["redis://r1:6379"] } }])(
    "%o",
    (config) => expect(redisConfig.safeParse(config).success).toBe(false),
  );

  it("nowhere, nor in two places", () => {
    expect(problemsOf({ username: "sell-sink" })).toEqual([
      "redis names no server: set redis.url, redis.sentinels or redis.cluster.",
    ]);
    expect(problemsOf({ url, cluster })).toEqual([
      "redis.cluster stands beside redis.url; keep the one that is meant.",
    ]);
  });

  it("with and without TLS at once", () => {
    expect(problemsOf({ url: "rediss://redis:6379", tls: { enabled: false } })).toEqual([
      "redis.tls.enabled is false, but rediss:// asks for TLS; write redis://.",
    ]);
  });
});
