import { randomUUID } from "node:crypto";
import { Registry } from "prom-client";
import { expect, inject, test } from "vitest";
import { configSchema } from "../../src/config/spec.ts";
import { startConnector } from "../../src/connector.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { startSandbox } from "../../src/sandbox/index.ts";
import { Erp } from "../support/erp.ts";

const until = async (condition: () => Promise<boolean> | boolean, what: string): Promise<void> => {
  const deadline = performance.now() + 60_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within 60 s: ${what}`);
    await systemClock.sleep(50);
  }
};

test("a change reaches Sell and its offset is committed after that", async () => {
  const deps = { clock: systemClock, random: Math.random };
  await using sandbox = await startSandbox({ rate: { profile: "none" } }, deps);
  await using erp = await Erp.connect(inject("kafka"));
  const id = randomUUID().slice(0, 8);
  const topic = `erp.customers.${id}`;
  const groupId = `sink-${id}`;
  await erp.createTopics([topic, `dlq.${id}`], 3);
  const config = configSchema.parse({
    kafka: { brokers: [inject("kafka")], groupId },
    redis: { url: inject("redis") },
    sell: { baseUrl: sandbox.url, token: "sandbox-token-0001" },
    quota: { windows: [{ limit: 100, perMs: 1_000 }] },
    batch: { lingerMs: 100 },
    deadLetter: { topic: `dlq.${id}` },
    admin: { port: 0, host: "127.0.0.1" },
    routes: [
      { topic, format: "debezium-json", entity: "accounts", key: "id", fields: { name: "name" }, onDelete: "delete" },
    ],
  });
  const connector = await startConnector(config, {
    ...deps,
    emit: (name, fields) => {
      if (!["permit-granted", "delivered"].includes(name)) console.log(name, JSON.stringify(fields));
    },
    registry: new Registry(),
    version: "test",
    signal: AbortSignal.timeout(60_000),
  });
  await erp.write(topic, [
    { key: { id: 1 }, after: { id: 1, name: "Nordlicht" } },
    { key: { id: 2 }, after: { id: 2, name: "Südwind" } },
    { key: { id: 2 }, after: null },
  ]);
  await erp.writeRaw(topic, "x", "{broken");
  await until(() => [...sandbox.state()].some(({ data }) => data.name === "Nordlicht"), "Nordlicht in Sell");
  const lag = async (): Promise<bigint> => {
    const ends = await erp.kafka.admin.endOffsets([topic]);
    const committed = await erp.kafka.admin.committed(groupId, ends);
    return ends.reduce(
      (sum, end) => sum + end.high - (committed.find(({ partition }) => partition === end.partition)?.offset ?? 0n),
      0n,
    );
  };
  await until(async () => (await lag()) === 0n, "all committed");
  await connector.stop("test");
  expect(await connector.done).toBe(0);
  expect([...sandbox.state()].map(({ data }) => data.name)).toEqual(["Nordlicht"]);
  console.log(sandbox.summary());
});
