/** `validate --online` against real services: what is in order, what is away, and topics that are not what their route says. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { writeMark } from "../../src/commit/mark.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { Result } from "../../src/online/check.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/index.ts";
import { Kafka, logLevel } from "../../src/source/kafkajs.ts";
import { Erp } from "../support/erp.ts";
import { runCli } from "../support/run-cli.ts";
import { until } from "../support/until.ts";
import { World } from "../support/world.ts";

const TOKEN = "token-of-the-validate-tests";
const CLOSED = "127.0.0.1:1";

let erp: Erp;
let sandbox: Sandbox;
let folder: string;
const deadLetters = `dead-letters.${randomUUID().slice(0, 8)}`;

beforeAll(async () => {
  erp = await Erp.connect(inject("kafka"));
  await erp.createTopics([deadLetters], 1);
  sandbox = await startSandbox(
    { rate: { profile: "none" }, settings: { tokens: [TOKEN] } },
    { clock: systemClock, random: Math.random },
  );
  folder = await mkdtemp(join(tmpdir(), "sell-sink-validate-"));
});

afterAll(async () => {
  await erp[Symbol.asyncDispose]();
  await sandbox.close();
  await rm(folder, { recursive: true });
});

const aTopic = async (...values: readonly unknown[]): Promise<string> => {
  const topic = `erp.validate.${randomUUID().slice(0, 8)}`;
  await erp.createTopics([topic], 2);
  // A broker that has just heard of the topic may not lead it yet.
  await until(async () => (await erp.kafka.admin.endOffsets([topic])).length === 2, `${topic} is there`);
  for (const [id, value] of values.entries())
    await erp.writeRaw(topic, `{"id":${id}}`, typeof value === "string" ? value : JSON.stringify(value));
  return topic;
};

const anEnvelope = (after: object) => ({ op: "c", before: null, after, source: { connector: "postgresql", lsn: 7 } });
const CUSTOMER = { id: 1, name: "Nordlicht", credit_limit: "Yag=" };

const aRoute = (topic: string, route: object = {}) => ({
  ...{ topic, format: "debezium-json", entity: "accounts", key: "id" },
  ...{ fields: { name: "name", owner_id: { value: 7 } } },
  ...route,
});

const aConfig = (routes: readonly object[], sections: object = {}) => ({
  kafka: { brokers: [inject("kafka")], groupId: `validate-${randomUUID()}` },
  schemaRegistry: { url: inject("registry") },
  redis: { url: inject("redis") },
  sell: { baseUrl: sandbox.url, token: TOKEN },
  quota: { profile: "customer" },
  deadLetter: { topic: deadLetters },
  routes,
  ...sections,
});

const validate = async (config: object, ...options: readonly string[]) => {
  const file = join(folder, `${randomUUID()}.yaml`);
  await writeFile(file, JSON.stringify(config)); // JSON is YAML too
  return runCli(["validate", "--config", file, "--online", ...options]);
};

const checksOf = async (config: object): Promise<{ code: number; results: readonly Result[] }> => {
  const { code, out } = await validate(config, "--json");
  return { code, results: JSON.parse(out) };
};

/** Whatever is wrong with a topic whose services are all in order. */
const complaints = async (topic: string, route: object) => {
  const { code, results } = await checksOf(aConfig([aRoute(topic, route)]));
  const lines = results.filter(({ status, name }) => status !== "ok" && !name.startsWith("keys of"));
  return { code, lines: lines.map(({ status, sentence, next }) => `${status}: ${sentence} -> ${next}`) };
};

/** Somebody has this customer in Sell already. */
const inSell = async (key: string): Promise<void> => {
  const headers = { Authorization: `Bearer ${TOKEN}`, "User-Agent": "people/1", Accept: "application/json" };
  const data = { is_organization: true, name: `Customer ${key}`, custom_fields: { erp_id: key } };
  const sent = { method: "POST", headers: { ...headers, "Content-Type": "application/json" } };
  const { status } = await fetch(`${sandbox.url}/v2/contacts`, { ...sent, body: JSON.stringify({ data }) });
  expect(status).toBe(200);
};

test("services and topics in order: exit 0, a line each, nobody joined the group, nothing was committed or written", async () => {
  const topic = await aTopic(anEnvelope(CUSTOMER), anEnvelope({ ...CUSTOMER, id: 2 }));
  const config = aConfig([aRoute(topic)]);
  const { code, out, err } = await validate(config);
  expect(out.split("\n").slice(1)).toEqual([
    `ok       Kafka at ${inject("kafka")} answers.`,
    `ok       ${topic} is there: partitions 2, offsets 2.`,
    `ok       ${deadLetters} is there: partitions 1, offsets 0.`,
    `ok       The schema registry at ${inject("registry")} answers.`,
    expect.stringMatching(/^ok {7}Redis at redis:\S+ answers and keeps the quota\.$/),
    'ok       The token is good for the account "Sandbox", which speaks the bulk dialect.',
    `ok       2 of 2 sampled records of ${topic} are debezium-json.`,
    `warning  2 of 2 sampled keys of ${topic} -> accounts are unknown to Sell: the first run would create them.`,
    `         next: if their records are there already: sell-sink adopt --route "${topic} -> accounts" --match email --dry-run`,
    "7 ok, 1 warning, 0 failed",
    "",
  ]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  const { groupId } = config.kafka;
  expect(await erp.kafka.admin.members(groupId)).toEqual([]);
  const committed = await erp.kafka.admin.committed(groupId, [{ topic, partition: 0 }]);
  expect(committed).toMatchObject([{ offset: null }]);
  expect([...sandbox.state()]).toEqual([]);
});

test("a sample is the oldest and the newest ten of each partition, each record once", async () => {
  const topic = await aTopic();
  for (let n = 0; n < 30; n++) await erp.writeRaw(topic, "x", String(n), 0);
  for (let n = 0; n < 12; n++) await erp.writeRaw(topic, "x", String(n), 1);
  const sample = await erp.kafka.sample(topic);
  const offsetsOf = (wanted: number): readonly number[] =>
    sample
      .flatMap(({ position: { partition, offset } }) => (partition === wanted ? [Number(offset)] : []))
      .sort((a, b) => a - b);
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at);
  expect(offsetsOf(0)).toEqual([...range(0, 10), ...range(20, 30)]);
  expect(offsetsOf(1)).toEqual(range(0, 12));
  expect(sample.every(({ value, position }) => String(value) === String(position.offset))).toBe(true);
});

test("everything away: exit 1, a sentence and a next step for each, what depends on it is left out", async () => {
  const { code, results } = await checksOf(
    aConfig([aRoute("t")], {
      kafka: { brokers: [CLOSED], groupId: "g" },
      schemaRegistry: { url: `http://${CLOSED}/`, username: "u", password: "secret-of-the-registry" },
      redis: { url: `redis://:secret-of-redis@${CLOSED}` },
      sell: { baseUrl: `http://${CLOSED}`, token: TOKEN },
    }),
  );
  expect(code).toBe(1);
  expect(results.map(({ name, status }) => `${name} ${status}`)).toEqual([
    ...["kafka failed", "topic t warning", "dead letters warning", "registry failed", "redis failed"],
    ...["sell warning", "records of t warning", "keys of t -> accounts warning"],
  ]);
  for (const { status, sentence, next } of results) {
    expect(sentence).toMatch(
      status === "failed" ? /does not answer \(.*(ECONNREFUSED|Connection).*\)\.$/ : /^Not checked/,
    );
    expect(next).not.toBeNull();
  }
  expect(JSON.stringify(results)).not.toMatch(/secret-of|token-of/);
});

test("a wait that Sell asked for is read from the last commits, also when Redis forgot it: nothing is called", async () => {
  const topic = await aTopic(anEnvelope(CUSTOMER));
  // Another account, so that the wait is not everybody's here.
  const config = aConfig([aRoute(topic)], { sell: { baseUrl: sandbox.url, token: TOKEN, account: "Told to wait" } });
  const cooldownUntilMs = Date.now() + 3_600_000;
  const mark = { state: "clean", nonce: "n", account: "a", cooldownUntilMs, trustedFrom: 0n } as const;
  const kafka = new Kafka({ brokers: [inject("kafka")], logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: config.kafka.groupId });
  const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({ autoCommit: false, eachMessage: async () => {} });
  await joined;
  await consumer.commitOffsets([{ topic, partition: 0, offset: "0", metadata: writeMark(mark, 0n, []) }]);
  await consumer.disconnect();

  const { code, results } = await checksOf(config);
  expect(code).toBe(1);
  expect(results).toContainEqual({
    ...{ name: "sell", status: "failed", next: "ask again then" },
    sentence: expect.stringMatching(/^Sell asked everybody to wait, for 3[56]\d\d s from now: it was not called\.$/),
  });
});

test("Sell is checked although Kafka, which may know of a wait, is away", async () => {
  const config = aConfig([aRoute("erp.nowhere")], { kafka: { brokers: [CLOSED], groupId: "nobody" } });
  const { code, results } = await checksOf(config);
  expect(code).toBe(1);
  expect(results).toContainEqual(expect.objectContaining({ name: "kafka", status: "failed" }));
  expect(results).toContainEqual(expect.objectContaining({ name: "sell", status: "ok" }));
});

test("a missing topic comes with the command that creates it, a refused token with the setting", async () => {
  const { code, results } = await checksOf(
    aConfig([aRoute("no-such-topic")], { sell: { baseUrl: sandbox.url, token: "another-token-than-given" } }),
  );
  expect(code).toBe(1);
  const failures = results.filter(({ status }) => status === "failed");
  expect(failures.map(({ name }) => name)).toEqual(["topic no-such-topic", "sell"]);
  expect(failures[0]?.next).toContain(
    `kafka-topics.sh --bootstrap-server ${inject("kafka")} --create --topic no-such-topic`,
  );
  expect(failures[1]?.sentence).toContain("Sell refused the access token of sell.token (HTTP 401)");
  expect(JSON.stringify(results)).not.toContain("another-token");
});

describe("a topic whose records do not look like its format", () => {
  test("is named with the likely one, and fails where they cannot be read", async () => {
    const row = { ...CUSTOMER, __op: "c", __deleted: "false" };
    const topic = await aTopic(row, row, row);
    const { code, lines } = await complaints(topic, {});
    expect(code).toBe(1);
    expect(lines).toEqual([
      `failed: 3 of 3 sampled records of ${topic} do not look like debezium-json (json); __op or __deleted tells debezium-json-flattened (json). -> set format: debezium-json-flattened on the route, or correct its topic`,
    ]);
  });

  test("is a warning where they can be read: a row may have such columns", async () => {
    const topic = await aTopic(anEnvelope(CUSTOMER), anEnvelope(CUSTOMER));
    const { code, lines } = await complaints(topic, { format: "json" });
    expect(code).toBe(0);
    expect(lines).toEqual([expect.stringMatching(/^warning: 2 of 2 .*op and source tells debezium-json \(json\)/)]);
  });

  test("also when it is Avro, whose bytes name a schema and no shape", async () => {
    const topic = await aTopic("\0\0\0\0\u0007abc", "\0\0\0\0\u0007abc");
    const { code, lines } = await complaints(topic, {});
    expect(code).toBe(1);
    expect(lines[0]).toContain("set format to one of debezium-avro, debezium-avro-flattened, avro");
  });

  test("or Avro rows where Avro envelopes are expected", async () => {
    const registry = new SchemaRegistry({ host: inject("registry") });
    const fields = [{ name: "id", type: "long" }];
    const schema = JSON.stringify({ type: "record", name: "Row", fields });
    const { id } = await registry.register({ type: SchemaType.AVRO, schema }, { subject: `rows-${randomUUID()}` });
    const value = await registry.encode(id, { id: 7 });
    const topic = await aTopic();
    const producer = await erp.kafka.producer();
    await producer.send([{ topic, key: null, value, headers: [] }]);
    await producer.close();
    const { code, lines } = await complaints(topic, { format: "debezium-avro" });
    expect(code).toBe(1);
    expect(lines).toEqual([
      expect.stringMatching(
        /cannot be read as debezium-avro: shape-mismatch.*may also be debezium-avro-flattened, avro$/,
      ),
    ]);
  });

  test("and an empty one is said to be empty", async () => {
    const topic = await aTopic();
    const { code, lines } = await complaints(topic, {});
    expect({ code, lines }).toEqual({ code: 0, lines: [expect.stringContaining(`${topic} is empty`)] });
  });
});

test("a column that no record has is named with the one that was probably meant", async () => {
  const topic = await aTopic(anEnvelope(CUSTOMER));
  const { code, lines } = await complaints(topic, { fields: { name: "naem", owner_id: { value: 7 } } });
  expect(code).toBe(0);
  expect(lines).toEqual([
    `warning: No sampled record of ${topic} has the column "naem" that the mapping reads. -> did you mean name?`,
  ]);
});

describe("a decimal or date without type", () => {
  const fields = {
    name: "name",
    "custom_fields.credit_limit": { from: "credit_limit", as: "decimal(2)" },
  };
  const fault = (topic: string) =>
    `Route "${topic} -> accounts", field "custom_fields.credit_limit" reads column "credit_limit" as a number, whose type the records of ${topic} do not carry.`;

  test("fails with route, field and hint, and is in order with it", async () => {
    const topic = await aTopic(
      ...["Yag=", "1234", null].map((amount) => anEnvelope({ ...CUSTOMER, credit_limit: amount })),
    );
    const { code, lines } = await complaints(topic, { fields });
    expect(code).toBe(1);
    expect(lines).toEqual([
      `failed: ${fault(topic)} -> add hints: { credit_limit: decimal(2) }, 2 standing for its scale in the database`,
    ]);
    expect(await complaints(topic, { fields, hints: { credit_limit: "decimal(2)" } })).toEqual({ code: 0, lines: [] });
  });

  test("keeps a replica from starting, with exit 2, before it has joined or consumed", async () => {
    await using world = await World.create();
    await world.erp.write(world.customers, [{ key: { id: 1 }, after: CUSTOMER }]);
    const route = aRoute(world.customers, { fields });
    const config = { routes: [route] };
    await expect(world.start("a", config)).rejects.toThrow("has ended");
    const replica = world.replica("a");
    expect((await replica.exit).code).toBe(2);
    expect(replica.lines.at(-1)?.msg).toContain(fault(world.customers));
    expect(replica.said("joined")).toEqual([]);
    const hinted = { routes: [{ ...route, hints: { credit_limit: "decimal(2)" } }] };
    await world.start("b", hinted);
    await until(async () => (await world.lag(world.customers)) === 0n, "the hinted route delivers");
    expect([...world.sandbox.state()].map(({ data }) => data["custom_fields"])).toMatchObject([
      { credit_limit: "250.00" },
    ]);
  });
});

describe("keys that Sell does not know", () => {
  beforeAll(() => sandbox.set({ indexLagMs: 0 }));

  const aTopicOf = async (from: number, to: number): Promise<string> => {
    const topic = await aTopic();
    const ids = Array.from({ length: to - from + 1 }, (_, i) => i + from);
    await erp.write(
      topic,
      ids.map((id) => ({ key: { id }, after: { ...CUSTOMER, id } })),
    );
    return topic;
  };

  const keysOf = async (config: object) => {
    const { code, results } = await checksOf(config);
    const keys = results.filter(({ name }) => name.startsWith("keys of"));
    return { code, keys: keys.map(({ status, sentence }) => `${status}: ${sentence}`) };
  };

  test("are counted in a sample of at most twenty, each once; deleted ones are left out", async () => {
    const topic = await aTopicOf(501, 540);
    await erp.write(topic, [{ key: { id: 501 }, after: { ...CUSTOMER, id: 501 } }]);
    await erp.write(topic, [{ key: { id: 502 }, after: null }]);
    const since = sandbox.log().at(-1)?.id ?? 0;
    const { code, keys } = await keysOf(aConfig([aRoute(topic, { onDelete: "delete" })]));
    expect(code).toBe(0);
    expect(keys).toEqual([expect.stringContaining("warning: 20 of 20 sampled keys")]);
    const asked = sandbox.log(since).flatMap(({ query }) => /erp_id%5D=(5\d\d)/.exec(query)?.[1] ?? []);
    expect([asked.length, new Set(asked).size, asked.includes("502")]).toEqual([20, 20, false]);
  });

  test("are none when it has them all, and no warning once the group has begun", async () => {
    const topic = await aTopicOf(601, 601);
    await inSell("601");
    const config = aConfig([aRoute(topic)]);
    expect((await keysOf(config)).keys).toEqual([`ok: 1 of 1 sampled keys of ${topic} -> accounts are known to Sell.`]);
    await erp.write(topic, [{ key: { id: 602 }, after: { ...CUSTOMER, id: 602 } }]);
    expect((await keysOf(config)).keys[0]).toContain("warning: 1 of 2 sampled keys");
    const admin = new Kafka({ brokers: [inject("kafka")], logLevel: logLevel.NOTHING }).admin();
    await admin.setOffsets({ groupId: config.kafka.groupId, topic, partitions: [{ partition: 0, offset: "0" }] });
    await admin.disconnect();
    expect((await keysOf(config)).keys[0]).toContain("ok: 1 of 2 sampled keys");
  });

  test("are not asked for where nothing is created", async () => {
    const topic = await aTopicOf(701, 702);
    expect((await keysOf(aConfig([aRoute(topic, { mode: "updateOnly" })]))).keys).toEqual([]);
  });
});
