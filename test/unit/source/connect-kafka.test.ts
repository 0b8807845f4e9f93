import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { kafkaConfig } from "../../../src/source/config.ts";
import { connectKafka } from "../../../src/source/connect-kafka.ts";

describe("connecting to Kafka", () => {
  it("waits for brokers that do not answer, says so once, and ends when it is told to", async () => {
    const broker = `127.0.0.1:${await closedPort()}`;
    const stop = new AbortController();
    const said: unknown[] = [];
    let sleeps = 0;
    const clock = {
      ...systemClock,
      sleep: async () => {
        if (++sleeps === 3) stop.abort(new Error("enough"));
        stop.signal.throwIfAborted();
      },
    };
    const deps = {
      clock,
      random: () => 0.5,
      emit: (name: string, fields: object) => void said.push({ name, ...fields }),
    };
    await expect(
      connectKafka(kafkaConfig.parse({ brokers: [broker], groupId: "g" }), deps, stop.signal),
    ).rejects.toThrow("enough");
    expect(said).toEqual([
      { name: "kafka-unreachable", brokers: broker, cause: expect.stringContaining("ECONNREFUSED") },
    ]);
  });

  it("takes a broker that hangs up for one that perhaps wants TLS or a login", async () => {
    const server = createServer((socket) => socket.once("data", () => socket.end()));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const broker = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const stop = new AbortController();
    const said = Promise.withResolvers<object>();
    const emit = (_name: string, fields: object) => {
      said.resolve(fields);
      stop.abort(new Error("enough"));
    };
    const deps = { clock: systemClock, random: () => 0.5, emit };
    const config = kafkaConfig.parse({ brokers: [broker], groupId: "g" });
    await expect(connectKafka(config, deps, stop.signal)).rejects.toThrow("enough");
    expect(await said.promise).toMatchObject({
      cause: expect.stringContaining("perhaps that port wants TLS or a login"),
    });
    server.close();
  });
});

const closedPort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
