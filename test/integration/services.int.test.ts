import { once } from "node:events";
import { connect } from "node:net";
import { Redis } from "ioredis";
import { expect, inject, onTestFinished, test } from "vitest";
import { startKafka } from "../../src/demo/services/kafka.ts";
import { startRedis } from "../../src/demo/services/redis.ts";
import { startServices } from "../../src/demo/services/services.ts";

const accepts = async (hostAndPort: string): Promise<boolean> => {
  const { hostname, port } = new URL(`tcp://${hostAndPort}`);
  const socket = connect(Number(port), hostname);
  return once(socket, "connect").then(
    () => Boolean(socket.destroy()),
    () => false,
  );
};

const ping = async (url: string): Promise<string> => {
  const redis = new Redis(url, { lazyConnect: true });
  onTestFinished(() => redis.disconnect());
  await redis.connect();
  return redis.ping();
};

test("the run's Kafka, Redis and registry answer", async () => {
  expect(await accepts(inject("kafka"))).toBe(true);
  expect(await ping(inject("redis"))).toBe("PONG");
  const response = await fetch(`${inject("registry")}/subjects`);
  expect(response.status).toBe(200);
});

test("a private Redis that was killed comes back on its address", async () => {
  await using redis = await startRedis();
  await redis.kill("SIGKILL");
  expect(await accepts(redis.address.slice("redis://".length))).toBe(false);
  await redis.start();
  expect(await ping(redis.address)).toBe("PONG");
});

test("a private Kafka that was killed comes back on its address, and stop frees that", async () => {
  await using kafka = await startKafka();
  await kafka.kill("SIGKILL");
  expect(await accepts(kafka.address)).toBe(false);
  await kafka.start();
  expect(await accepts(kafka.address)).toBe(true);
  await kafka.stop();
  expect(await accepts(kafka.address)).toBe(false);
});

test("an address in the environment is taken as it is, and told without its password", async () => {
  const said: string[] = [];
  const env = { SELL_SINK_REDIS: "redis://:secret@elsewhere:6379" };
  await using services = await startServices({ want: ["redis"], env, say: (line) => void said.push(line) });
  expect(services.redis).toBe(env.SELL_SINK_REDIS);
  expect(said).toEqual(["Redis: the address in SELL_SINK_REDIS"]);
});

test("when one service cannot start the others are stopped and one sentence says why", async () => {
  const nothingInstalled = { PATH: "" };
  const starting = startServices({ want: ["redis", "kafka"], env: nothingInstalled });
  await expect(starting).rejects.toThrow(/^Not found: .*SELL_SINK_KAFKA/);
});
