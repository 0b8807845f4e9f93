/** `init` on the demo's topics: what it writes validates, and previews every record as a write. */
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { parse } from "yaml";
import { Dice } from "../../src/demo/dice.ts";
import { avroEncoder, jsonEncoder } from "../../src/demo/encoder.ts";
import { Erp as DemoErp } from "../../src/demo/erp.ts";
import { TABLE_NAMES } from "../../src/demo/tables.ts";
import { topicJournal } from "../../src/demo/topic-journal.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/index.ts";
import { Erp } from "../support/erp.ts";
import { runCli } from "../support/run-cli.ts";

const TOKEN = "token-of-the-init-tests";
const ENV = { SELL_TOKEN: TOKEN };

let erp: Erp;
let sandbox: Sandbox;
let folder: string;

beforeAll(async () => {
  erp = await Erp.connect(inject("kafka"));
  sandbox = await startSandbox(
    { rate: { profile: "none" }, settings: { tokens: [TOKEN] } },
    { clock: systemClock, random: Math.random },
  );
  folder = await mkdtemp(join(tmpdir(), "sell-sink-init-"));
});

afterAll(async () => {
  await erp[Symbol.asyncDispose]();
  await sandbox.close();
  await rm(folder, { recursive: true });
});

/** The demo's ERP after a short day; the prefix of its topics. */
const aDay = async (format: "avro" | "json"): Promise<string> => {
  const prefix = `erp-${randomUUID().slice(0, 8)}`;
  const topicOf = (table: string): string => `${prefix}.sales.${table}`;
  await erp.createTopics(TABLE_NAMES.map(topicOf), 2);
  const producer = await erp.kafka.producer();
  const encoder = format === "json" ? jsonEncoder : await avroEncoder(inject("registry"), topicOf);
  const journal = topicJournal({ encoder, producer, topicOf, clock: systemClock });
  for (const wave of new DemoErp(new Dice(Math.random)).work(200, 3)) await journal.write(wave);
  await producer.close();
  return prefix;
};

const init = (...args: readonly string[]) => runCli(["init", "--brokers", inject("kafka"), ...args], ENV);

const fileOf = (name: string): string => join(folder, `${name}-${randomUUID()}.yaml`);

describe.each(["avro", "json"] as const)("the demo's topics in %s", (format) => {
  let prefix: string;
  let file: string;
  beforeAll(async () => {
    prefix = await aDay(format);
    file = fileOf(format);
  });

  test("become three routes that validate without a warning, with references and types", async () => {
    const services = ["--registry", inject("registry"), "--redis", inject("redis"), "--owner", "sales@example.com"];
    const sell = ["--sell-url", sandbox.url];
    const { code, out, err } = await init("--topic", `${prefix}.sales.*`, ...services, ...sell, "-o", file);
    const warnings = err.replaceAll(/^ {2}✓ .*\n/gm, ""); // what is left beside its progress
    expect({ code, warnings }).toEqual({ code: 0, warnings: "" });
    expect(out).toContain("3 topics looked at: 3 proposed, 0 left out.\n");
    const [contacts, customers, orders] = parse(await readFile(file, "utf8")).routes;
    expect(customers).toMatchObject({
      ...{ topic: `${prefix}.sales.customers`, format: `debezium-${format}`, entity: "accounts", key: "id" },
      fields: {
        ...{ name: "company_name", email: { from: "email", transform: "lowercase" }, "address.city": "city" },
        "custom_fields.credit_limit": { from: "credit_limit", as: "decimal(2)" },
      },
      onDelete: { update: { customer_status: "past" } },
    });
    expect(contacts.fields).toMatchObject({
      first_name: "first_name",
      last_name: "last_name",
      contact_id: { ref: "accounts", key: "customer_id" },
    });
    expect(orders.fields).toMatchObject({
      ...{ name: { template: "Order ${order_no}" }, value: { from: "total", as: "decimal(2)" }, currency: "currency" },
      contact_id: { ref: "contacts", key: "contact_id" },
      estimated_close_date: "deliver_on",
    });
    expect([customers.hints, orders.hints]).toEqual(
      format === "avro"
        ? [undefined, undefined]
        : [{ credit_limit: "decimal(2)" }, { total: "decimal(2)", deliver_on: "date" }],
    );
    const validated = await runCli(["validate", "-c", file], ENV);
    expect(validated).toMatchObject({ code: 0, err: "" });
  });

  test("and what is written previews every record as a write", async () => {
    for (const table of TABLE_NAMES) {
      const { code, out } = await runCli(["preview", "-c", file, "-t", `${prefix}.sales.${table}`, "--json"], ENV);
      const { records } = JSON.parse(out);
      expect({ table, code, written: new Set(records.map(({ status }: { status: string }) => status)) }).toEqual({
        ...{ table, code: 0, written: new Set(["written"]) },
      });
    }
  });

  test("a file that is there is left as it is, but with --force", async () => {
    const before = await readFile(file, "utf8");
    const refused = await init("--topic", `${prefix}.sales.customers`, "--registry", inject("registry"), "-o", file);
    expect(refused).toMatchObject({ code: 2, out: "" });
    expect(refused.err).toMatch(/is there already and is left as it is/);
    expect(await readFile(file, "utf8")).toBe(before);
    const secret = inject("registry").replace("http://", "http://erp:canary-password@");
    const forced = ["--force", "--json", "--registry", "${REGISTRY}", "-o", file];
    const { code, out } = await runCli(
      ["init", "--brokers", inject("kafka"), "--topic", `${prefix}.sales.customers`, ...forced],
      { ...ENV, REGISTRY: secret },
    );
    expect(code).toBe(0);
    const { topics, written, config } = JSON.parse(out);
    expect({ written, topics }).toMatchObject({ written: file, topics: [{ status: "proposed", entity: "accounts" }] });
    expect(await readFile(file, "utf8")).toBe(config);
    expect(config).toContain('url: "${REGISTRY}"');
    expect(out).not.toContain("canary-password");
  });
});

test("Avro without a registry, an empty topic and plain rows are left out, each with its reason; exit 1 and no file", async () => {
  const prefix = await aDay("avro");
  const [empty, rows] = [`${prefix}.empty.customers`, `${prefix}.rows.customers`];
  await erp.createTopics([empty, rows], 1);
  await erp.writeRaw(rows, "7", '{"id":7,"name":"Nordlicht"}');
  const topics = ["--topic", `${prefix}.sales.customers`, "--topic", `${prefix}.e*`, "--topic", `${prefix}.r*`];
  const { code, out, err } = await init(...topics, "--dry-run", "--json");
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    ...{ looked: 3, written: null, config: null },
    topics: [
      { status: "left-out", why: expect.stringContaining("say in schemaRegistry.url where its schemas are") },
      { status: "left-out", why: "is empty; run init again once it has records." },
      { status: "left-out", why: `does not look like change data; --topic ${rows} takes it all the same.` },
    ],
  });
  expect(err).toContain("Nothing is proposed; name topics and what they become");
  const named = await init("--topic", rows, "-o", "-");
  expect(named.code).toBe(0);
  expect(parse(named.out).routes).toMatchObject([
    { format: "json", keyColumns: ["id"], key: "id", fields: { name: "name" } },
  ]);
});
