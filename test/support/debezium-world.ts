/**
 * An ERP in a real PostgreSQL, read by a real Debezium, and one connector into a simulator of Sell. What must be true in the
 * end is read from the tables by SQL.
 */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import getPort from "get-port";
import pg from "pg";
import { inject } from "vitest";
import { type Connect, startConnect } from "../../src/demo/services/connect.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/index.ts";
import { Erp } from "./erp.ts";
import { readTopics, type StoredRecord } from "./read-topics.ts";
import { Replica } from "./replica.ts";
import { until } from "./until.ts";

const PARTITIONS = 3;
const TOKEN = "sandbox-token-of-the-tests";
const TABLES = ["sales.customers", "sales.orders"];

const SCHEMA = `
  create schema sales;
  create table sales.customers (
    id bigint primary key, name text not null, credit numeric(38,4), balance numeric, born date, note text
  );
  create table sales.orders (
    region text, number int, customer_id bigint not null, total numeric(12,2) not null default 1, primary key (region, number)
  );
`;

export class DebeziumWorld implements AsyncDisposable {
  readonly sql: pg.Client;
  readonly sandbox: Sandbox;
  readonly replica: Replica;
  readonly prefix: string;
  readonly #format: "json" | "avro";
  readonly #database: string;
  readonly #erp: Erp;
  readonly #owned: AsyncDisposableStack;
  readonly #offsetsFile: string;

  private constructor(
    parts: Pick<DebeziumWorld, "sql" | "sandbox" | "replica" | "prefix">,
    format: "json" | "avro",
    inside: {
      readonly database: string;
      readonly erp: Erp;
      readonly folder: string;
      readonly owned: AsyncDisposableStack;
    },
  ) {
    this.sql = parts.sql;
    this.sandbox = parts.sandbox;
    this.replica = parts.replica;
    this.prefix = parts.prefix;
    this.#format = format;
    this.#database = inside.database;
    this.#erp = inside.erp;
    this.#owned = inside.owned;
    this.#offsetsFile = join(inside.folder, "connect.offsets");
  }

  /** Tables, topics and the connector; Debezium comes later. `server` is the URL of a PostgreSQL. */
  static async create(format: "json" | "avro", server: string): Promise<DebeziumWorld> {
    await using owned = new AsyncDisposableStack();
    const prefix = `erp${randomUUID().slice(0, 6)}`;
    const database = await createDatabase(server, prefix);
    const sql = await connected(database);
    owned.defer(() => sql.end());
    await sql.query(SCHEMA);
    const erp = owned.use(await Erp.connect(inject("kafka")));
    await erp.createTopics([...TABLES.map((table) => `${prefix}.${table}`)], PARTITIONS);
    await erp.createTopics([`${prefix}.dead-letters`], 1);
    const sandbox = owned.use(await startSandbox(SANDBOX, { clock: systemClock, random: Math.random }));
    const folder = await mkdtemp(join(tmpdir(), "sell-sink-debezium-"));
    owned.defer(() => rm(folder, { recursive: true, force: true }));
    const port = await getPort();
    const config = configFor(format, prefix, sandbox.url, port);
    const replica = owned.use(await Replica.start("connector", folder, config, `http://127.0.0.1:${port}`));
    await replica.joined();
    const parts = { sql, sandbox, replica, prefix };
    return new DebeziumWorld(parts, format, { database, erp, folder, owned: owned.move() });
  }

  /** Another session, for a transaction that stays open beside `sql`. */
  async session(): Promise<pg.Client> {
    const session = await connected(this.#database);
    this.#owned.defer(() => session.end());
    return session;
  }

  /** The log is kept from here on, before any snapshot: as DBAs make a slot by hand. */
  async createSlot(): Promise<void> {
    await this.sql.query(`create publication ${this.prefix} for table ${TABLES.join(", ")}`);
    await this.sql.query("select pg_create_logical_replication_slot($1, 'pgoutput')", [this.prefix]);
  }

  /** Resolves when its task runs. It goes on where the one before it had stored its offsets, every `flushMs`. */
  async startDebezium(flushMs: number): Promise<Connect> {
    const connect = await startConnect({
      ...{ kafka: inject("kafka"), postgres: this.#database, prefix: this.prefix },
      registry: this.#format === "avro" ? inject("registry") : null,
      ...{ tables: TABLES, partitions: PARTITIONS },
      worker: {
        "offset.storage.file.filename": this.#offsetsFile,
        "offset.flush.interval.ms": String(flushMs),
      },
      connector: { "publication.autocreate.mode": "disabled", "skipped.operations": "none" },
    });
    await connect.running();
    return connect;
  }

  /** Resolves when all that Debezium wrote is committed, with all of it. */
  async drained(): Promise<readonly StoredRecord[]> {
    await until(async () => {
      const { admin } = this.#erp.kafka;
      const ends = await admin.endOffsets(this.#topics);
      const committed = await admin.committed(this.prefix, ends);
      return ends.every((end) => {
        const row = committed.find(({ topic, partition }) => topic === end.topic && partition === end.partition);
        return (row?.offset ?? 0n) === end.high;
      });
    }, `all of it committed\n${this.replica.tail()}`);
    return this.records();
  }

  records(): Promise<readonly StoredRecord[]> {
    return readTopics(inject("kafka"), this.#topics);
  }

  /** Why each of them is one. */
  async deadLetters(): Promise<readonly string[]> {
    const records = await readTopics(inject("kafka"), [`${this.prefix}.dead-letters`]);
    return records.map(({ headers }) => {
      const told = new Map(headers.map(([name, value]) => [name, String(value)]));
      return `${told.get("x-sink.reason")}: ${told.get("__connect.errors.exception.message")}`;
    });
  }

  /** What Sell holds, and what the tables say that it must hold, both by the ERP's key. */
  async sides(): Promise<{ readonly sell: object; readonly tables: object }> {
    const held = [...this.sandbox.state()];
    const accounts = new Map(
      held.filter(({ resource }) => resource === "accounts").map(({ data }) => [erpId(data), data]),
    );
    const sell = Object.fromEntries(held.map(({ resource, data }) => [`${resource} ${erpId(data)}`, shown(data)]));
    const { rows: customers } = await this.sql.query(CUSTOMERS);
    const { rows: orders } = await this.sql.query(ORDERS);
    const tables = Object.fromEntries([
      ...customers.map(({ key, ...row }) => [`accounts ${key}`, row]),
      ...orders.map(({ key, customer, ...row }) => [
        `deals ${key}`,
        { ...row, contact_id: accounts.get(customer)?.["id"] ?? "no such account" },
      ]),
    ]);
    return { sell, tables };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }

  get #topics(): readonly string[] {
    return TABLES.map((table) => `${this.prefix}.${table}`);
  }
}

/** Columns as Sell shows them; written down in SQL, far from the connector's mapping. */
const CUSTOMERS = `
  select 'C-' || id as key, name, note as description, born::text, round(credit, 4)::text as credit,
    round(balance, 2)::text as balance, id::text as number
  from sales.customers`;
const ORDERS = `
  select region || '/' || number as key, 'Order ' || region || number as name, 'C-' || customer_id as customer,
    total::text as value
  from sales.orders`;

const CUSTOM = ["erp_id", "credit", "balance", "born", "number"].map((name) => ({ name, type: "string" as const }));
const SANDBOX = {
  rate: { profile: "none" as const },
  settings: { indexLagMs: 0, tokens: [TOKEN] },
  customFields: { contact: CUSTOM, deal: CUSTOM },
};

const erpId = (data: Readonly<Record<string, unknown>>): string => String(custom(data)["erp_id"]);

const custom = (data: Readonly<Record<string, unknown>>) =>
  (data["custom_fields"] ?? {}) as Readonly<Record<string, unknown>>;

const shown = (data: Readonly<Record<string, unknown>>): object => {
  const { name, description = null, contact_id, value } = data;
  if (value !== undefined) return { name, contact_id, value: Number(value).toFixed(2) };
  const { born = null, credit = null, balance = null, number = null } = custom(data);
  return { name, description, born, credit, balance, number };
};

const connected = async (url: string): Promise<pg.Client> => {
  const client = new pg.Client(url);
  await client.connect();
  return client;
};

const createDatabase = async (server: string, name: string): Promise<string> => {
  const client = await connected(server);
  await client.query(`create database ${name}`);
  await client.end();
  return Object.assign(new URL(server), { pathname: `/${name}` }).href;
};

const configFor = (format: "json" | "avro", prefix: string, sellUrl: string, port: number) => {
  const debezium = { format: `debezium-${format}` };
  // JSON without schemas does not tell a decimal from text, nor a date from a number.
  const hints = (types: object) => (format === "json" ? { hints: types } : {});
  return {
    kafka: { brokers: [inject("kafka")], groupId: prefix, maxWaitMs: 50 },
    ...(format === "avro" ? { schemaRegistry: { url: inject("registry") } } : {}),
    redis: { url: inject("redis") },
    sell: { baseUrl: sellUrl, token: TOKEN, dialect: "bulk", indexLagMs: 0 },
    quota: { profile: "none" },
    batch: { lingerMs: 50 },
    deadLetter: { topic: `${prefix}.dead-letters` },
    admin: { host: "127.0.0.1", port },
    routes: [
      {
        ...{ topic: `${prefix}.sales.customers`, ...debezium, entity: "accounts", key: { template: "C-${id}" } },
        ...hints({ credit: "decimal(4)", balance: "varDecimal", born: "date" }),
        fields: {
          name: "name",
          description: "note",
          "custom_fields.credit": { from: "credit", as: "decimal(4)" },
          "custom_fields.balance": { from: "balance", as: "decimal(2)" },
          "custom_fields.born": "born",
          "custom_fields.number": { from: "id", as: "string" },
        },
        onDelete: "delete",
      },
      {
        ...{
          topic: `${prefix}.sales.orders`,
          ...debezium,
          entity: "deals",
          key: { template: "${region}/${number}" },
        },
        ...hints({ total: "decimal(2)" }),
        fields: {
          name: { template: "Order ${region}${number}" },
          contact_id: { ref: "accounts", key: { template: "C-${customer_id}" } },
          value: { from: "total", as: "decimal(2)" },
        },
        onDelete: "delete",
      },
    ],
  };
};
