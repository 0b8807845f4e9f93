/** The thinnest thread, in this process: a record in, a call out, an offset committed; and where a new group begins. */
import { randomUUID } from "node:crypto";
import { expect, inject, test } from "vitest";
import { configSchema } from "../../src/config/spec.ts";
import { type Connector, startConnector } from "../../src/connector.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/index.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { createRegistry } from "../../src/telemetry/metrics.ts";
import { observe } from "../../src/telemetry/observe.ts";
import { Erp, type ErpRow } from "../support/erp.ts";
import { until } from "../support/until.ts";

const deps = { clock: systemClock, random: Math.random };

class Thread implements AsyncDisposable {
  readonly topic = `erp.customers.${randomUUID().slice(0, 8)}`;
  readonly #sandbox: Sandbox;
  readonly #erp: Erp;
  readonly #running: Connector[] = [];

  private constructor(sandbox: Sandbox, erp: Erp) {
    this.#sandbox = sandbox;
    this.#erp = erp;
  }

  static async create(): Promise<Thread> {
    const sandbox = await startSandbox({ rate: { profile: "none" } }, deps);
    const thread = new Thread(sandbox, await Erp.connect(inject("kafka")));
    await thread.#erp.createTopics([thread.topic, `${thread.topic}.dead`], 3);
    return thread;
  }

  async start(startFrom = "earliest"): Promise<Connector> {
    const config = configSchema.parse({
      kafka: { brokers: [inject("kafka")], groupId: this.topic },
      redis: { url: inject("redis") },
      sell: { baseUrl: this.#sandbox.url, token: "sandbox-token-of-the-test" },
      quota: { windows: [{ limit: 100, perMs: 1_000 }] },
      batch: { lingerMs: 20 },
      deadLetter: { topic: `${this.topic}.dead` },
      admin: { port: 0, host: "127.0.0.1" },
      routes: [
        {
          ...{ topic: this.topic, startFrom, format: "debezium-json", entity: "accounts", key: "id" },
          ...{ fields: { name: "name" }, onDelete: "delete" },
        },
      ],
    });
    const signal = new AbortController().signal;
    const registry = createRegistry(this.topic, "test");
    const emit = observe({ logger: createLogger({ level: "error", fields: {} }), registry });
    const options = { ...deps, emit, registry, version: "test", signal };
    const connector = await startConnector(config, options);
    this.#running.push(connector);
    return connector;
  }

  write(...rows: readonly (readonly [id: number, name: string | null])[]): Promise<void> {
    const changes = rows.map(([id, name]): { key: ErpRow; after: ErpRow | null } => ({
      key: { id },
      after: name === null ? null : { id, name },
    }));
    return this.#erp.write(this.topic, changes);
  }

  writePoison(): Promise<void> {
    return this.#erp.writeRaw(this.topic, "x", "{broken");
  }

  inSell(): readonly unknown[] {
    return [...this.#sandbox.state()].map(({ data }) => data["name"]).sort();
  }

  async drained(): Promise<void> {
    const { admin } = this.#erp.kafka;
    await until(async () => {
      const ends = await admin.endOffsets([this.topic]);
      const committed = await admin.committed(this.topic, ends);
      return ends.every((end) => committed.some((row) => row.partition === end.partition && row.offset === end.high));
    }, "everything is committed");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connector of this.#running) await connector.stop("test");
    await this.#erp[Symbol.asyncDispose]();
    await this.#sandbox.close();
  }
}

test("changes reach Sell, a poison record does not stop them, and their offsets are committed", async () => {
  await using thread = await Thread.create();
  const connector = await thread.start();
  await thread.write([1, "Nordlicht"], [2, "Südwind"], [2, null]);
  await thread.writePoison();
  await thread.drained();
  expect(thread.inSell()).toEqual(["Nordlicht"]);
  await connector.stop("test");
  expect(await connector.done).toBe(0);
});

test("the metrics tell what happened, the probes that all is well", async () => {
  await using thread = await Thread.create();
  const { adminUrl } = await thread.start();
  await thread.write([1, "Nordlicht"], [2, "Südwind"]);
  await thread.writePoison();
  await thread.drained();
  const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
  const group = `consumergroup="${thread.topic}"`;
  const valueOf = (name: string, label: string): number[] =>
    metrics
      .split("\n")
      .filter((line) => line.startsWith(`sell_sink_${name}{`) && line.includes(label) && line.includes(group))
      .map((line) => Number(line.slice(line.lastIndexOf(" ") + 1)));
  expect(valueOf("records_delivered_total", 'operation="created"')).toEqual([2]);
  expect(valueOf("records_dead_lettered_total", 'reason="invalid-json"')).toEqual([1]);
  expect(valueOf("consumer_lag_records", thread.topic)).toEqual([0, 0, 0]);
  expect(valueOf("oldest_pending_record_age_seconds", 'lane="live"')).toEqual([0, 0, 0]);
  expect(valueOf("limiter_mode", 'mode="redis"')).toEqual([1]);
  expect(valueOf("subscription_info", 'timestamp_type="CreateTime"')).toEqual([1]);
  for (const probe of ["livez", "readyz", "startupz"]) expect((await fetch(`${adminUrl}/${probe}`)).status).toBe(200);
});

test("`startFrom: latest` leaves what is older alone, once: what comes while the group is away is not lost", async () => {
  await using thread = await Thread.create();
  await thread.write([1, "old"], [2, "old"], [3, "old"]);
  const first = await thread.start("latest");
  await thread.drained();
  await thread.write([4, "new"]);
  await thread.drained();
  await first.stop("test");
  await thread.write([5, "while away"]);
  await thread.start("latest");
  await thread.drained();
  expect(thread.inSell()).toEqual(["new", "while away"]);
});

test("`startFrom` a time begins with the first record written then", async () => {
  await using thread = await Thread.create();
  await thread.write([1, "old"], [2, "old"], [3, "old"]);
  await systemClock.sleep(5); // Kafka's timestamps count milliseconds
  const from = new Date().toISOString();
  await thread.write([4, "new"], [5, "new"]);
  await thread.start(from);
  await thread.drained();
  expect(thread.inSell()).toEqual(["new", "new"]);
});
