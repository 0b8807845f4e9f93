/**
 * One account of Sell, one ERP, one consumer group and as many replicas as a scenario needs: fresh topics and a fresh group
 * on the broker of the run, and a simulator of Sell in this process, whose log is the witness.
 */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import getPort from "get-port";
import { inject } from "vitest";
import { isConnectorError } from "../../src/domain/errors.ts";
import { partitionName } from "../../src/domain/record.ts";
import { systemClock } from "../../src/lib/clock.ts";
import {
  bodyHash,
  type LoggedRequest,
  type Sandbox,
  type SandboxOptions,
  startSandbox,
} from "../../src/sandbox/index.ts";
import { type Change, type Crash, check, type Findings, type Ledgers, type Written } from "./checker.ts";
import { Erp, type ErpRow } from "./erp.ts";
import { readTopics, type StoredRecord } from "./read-topics.ts";
import { type Ended, Replica, runMain } from "./replica.ts";
import { runCli } from "./run-cli.ts";
import { until } from "./until.ts";

export interface WorldOptions {
  readonly partitions?: number;
  readonly sandbox?: SandboxOptions;
  /** Bootstrap server; default that of the run. */
  readonly kafka?: string;
  /** Address of a Redis; default that of the run. */
  readonly redisUrl?: string;
  /** One replica alone, with a local gate and store. */
  readonly withoutRedis?: boolean;
  /** Sections of the configuration to lay over the default ones. */
  readonly config?: Readonly<Record<string, object>>;
  /** Topic settings by Kafka's names. */
  readonly deadLetterTopic?: Readonly<Record<string, string>>;
  /** Environment of the replicas, beside our own. */
  readonly env?: NodeJS.ProcessEnv;
  /** There is a topic by which dead letters are replayed. */
  readonly replays?: true;
}

/** The quota of a minute, thirty times faster. */
export const QUOTA = { limit: 20, perMs: 2_000 } as const;
export const TOKEN = "sandbox-token-of-the-tests";
export const SESSION_MS = 7_600;
const MAX_IN_FLIGHT = 4;

export class World implements AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly erp: Erp;
  readonly customers: string;
  readonly orders: string;
  readonly deadLetters: string;
  readonly groupId: string;
  readonly crashes: Crash[] = [];
  readonly #folder: string;
  readonly #options: WorldOptions;
  readonly #replicas: Replica[] = [];
  #more: Readonly<Record<string, object>> = {};

  private constructor(sandbox: Sandbox, erp: Erp, folder: string, options: WorldOptions) {
    const id = randomUUID().slice(0, 8);
    this.sandbox = sandbox;
    this.erp = erp;
    this.customers = `erp.customers.${id}`;
    this.orders = `erp.orders.${id}`;
    this.deadLetters = `dead-letters.${id}`;
    this.groupId = `sink-${id}`;
    this.#folder = folder;
    this.#options = options;
  }

  static async create(options: WorldOptions = {}): Promise<World> {
    const windows = [{ type: "sliding-log" as const, ...QUOTA }];
    const sandbox = await startSandbox(
      { rate: { windows }, settings: { indexLagMs: 0 }, ...options.sandbox },
      { clock: systemClock, random: Math.random },
    );
    const erp = await Erp.connect(options.kafka ?? inject("kafka"));
    const world = new World(sandbox, erp, await mkdtemp(join(tmpdir(), "sell-sink-world-")), options);
    await erp.createTopics([world.customers, world.orders], options.partitions ?? 6);
    const settings = options.deadLetterTopic ?? {};
    await erp.kafka.admin.createTopics([{ topic: world.deadLetters, partitions: 1, settings }]);
    if (options.replays) await erp.createTopics([world.replays], options.partitions ?? 6);
    return world;
  }

  get replays(): string {
    return `${this.deadLetters}.replay`;
  }

  // --- the ERP ------------------------------------------------------------------------------------------------------------

  /** Version `version` of customers `from` to `to` (inclusive). */
  async writeCustomers(from: number, to: number, version = 1): Promise<void> {
    await this.erp.write(
      this.customers,
      range(from, to).map((id) => ({ key: { id }, after: { id, name: `Customer ${id} v${version}` } })),
    );
  }

  /** A customer that Sell refuses: it has no name. */
  async writeNamelessCustomer(id: number): Promise<void> {
    await this.erp.write(this.customers, [{ key: { id }, after: { id, name: null } }]);
  }

  async deleteCustomers(from: number, to: number): Promise<void> {
    await this.erp.write(
      this.customers,
      range(from, to).map((id) => ({ key: { id }, after: null })),
    );
  }

  /** Version `version` of one order of each customer `from` to `to`. */
  async writeOrders(from: number, to: number, version = 1): Promise<void> {
    await this.erp.write(
      this.orders,
      range(from, to).map((id) => ({
        key: { order_no: id },
        after: { order_no: id, name: `Order ${id} v${version}`, customer_id: id },
      })),
    );
  }

  /** Sections of the configuration for the replicas and commands from now on, where the names of topics must be known. */
  configure(sections: Readonly<Record<string, object>>): void {
    this.#more = sections;
  }

  // --- replicas -----------------------------------------------------------------------------------------------------------

  /** Resolves when it has joined the group. */
  async start(name: string, sections: Readonly<Record<string, object>> = {}): Promise<Replica> {
    const replica = await this.begin(name, sections);
    await replica.joined();
    return replica;
  }

  /** Resolves when its process runs. */
  async begin(name: string, sections: Readonly<Record<string, object>> = {}): Promise<Replica> {
    const port = await getPort();
    const config = layered(this.config(name), { admin: { port }, ...sections });
    const replica = await Replica.start(name, this.#folder, config, `http://127.0.0.1:${port}`, this.#options.env);
    this.#replicas.push(replica);
    return replica;
  }

  /** One that was started, whether or not it has joined. */
  replica(name: string): Replica {
    const replica = this.#replicas.find((other) => other.name === name);
    if (replica === undefined) throw new Error(`there is no replica ${name}`);
    return replica;
  }

  startAll(names: readonly string[]): Promise<readonly Replica[]> {
    return Promise.all(names.map((name) => this.start(name)));
  }

  /** SIGKILL; what is on the wire now may be repeated. */
  crash(replica: Replica): void {
    replica.kill("SIGKILL");
    this.crashed(replica);
  }

  /** What is on the wire of this replica now may be repeated by others. */
  crashed({ name }: Replica): void {
    this.crashes.push({ instance: name, atMs: systemClock.monotonicMs() });
  }

  /** Calls of this replica that Sell has and has not answered. */
  onTheWire({ name }: Replica): readonly LoggedRequest[] {
    return this.sandbox.log().filter(({ instance, items, endMs }) => instance === name && items > 0 && endMs === null);
  }

  /** Writes of this resource that Sell accepted so far. */
  accepted(resource: string): number {
    const items = this.sandbox.log().flatMap(({ applied }) => applied);
    return items.filter((item) => item.resource === resource && item.result !== "failed").length;
  }

  /** Runs one command of `sell-sink` to its end, with a configuration like that of the replicas. */
  async command(...args: readonly string[]): Promise<Ended> {
    return runMain([...args, "--config", await this.#commandFile()]);
  }

  /** The same in this process, which spares the start of another. */
  async tell(...args: readonly string[]): Promise<Ended> {
    return runCli([...args, "--config", await this.#commandFile()]);
  }

  async #commandFile(): Promise<string> {
    const file = join(this.#folder, "command.yaml");
    await writeFile(file, JSON.stringify(this.config("command")));
    return file;
  }

  // --- what came of it ----------------------------------------------------------------------------------------------------

  async offsets() {
    const { admin } = this.erp.kafka;
    const ends = await admin.endOffsets([
      this.customers,
      this.orders,
      ...(this.#options.replays ? [this.replays] : []),
    ]);
    const committed = await admin.committed(this.groupId, ends);
    const byName = new Map(committed.map((row) => [partitionName(row), row.offset]));
    return ends.map((end) => ({ ...end, committed: byName.get(partitionName(end)) ?? null, end: end.high }));
  }

  /** Records that are not committed, of one topic or both. */
  async lag(of?: string): Promise<bigint> {
    const offsets = (await this.offsets()).filter(({ topic }) => of === undefined || of === topic);
    return offsets.reduce((sum, { committed, end }) => sum + end - (committed ?? 0n), 0n);
  }

  /** Everything that was written is committed. */
  async drained(): Promise<void> {
    await until(
      async () => {
        const dead = this.#replicas.find(({ exitedBadly }) => exitedBadly);
        if (dead !== undefined) throw new Error(`${dead.name} has ended.\n${dead.tail()}`);
        return (await this.lag().catch(whileKafkaIsAway)) === 0n;
      },
      `all of it committed\n${this.#replicas.map((replica) => replica.tail()).join("\n")}`,
    );
  }

  async ledgers(): Promise<Ledgers> {
    const sources = [this.customers, this.orders];
    const records = await readTopics(this.#kafka, [...sources, this.deadLetters]);
    const state = [...this.sandbox.state()];
    const ids = new Map(state.map(({ resource, data }) => [`${resource} ${erpId(data)}`, data["id"]]));
    return {
      written: records.filter(({ topic }) => sources.includes(topic)).map((record) => this.#written(record, ids)),
      requests: this.sandbox.log(),
      state,
      deadLetters: records.filter(({ topic }) => topic === this.deadLetters),
      offsets: await this.offsets(),
      crashes: this.crashes,
      maxInFlight: MAX_IN_FLIGHT,
    };
  }

  async findings(): Promise<Findings> {
    return check(await this.ledgers());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#replicas.map((replica) => replica[Symbol.asyncDispose]()));
    await this.sandbox.close();
    await this.erp[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }

  // --- parts of the above -------------------------------------------------------------------------------------------------

  get #kafka(): string {
    return this.#options.kafka ?? inject("kafka");
  }

  /** Of a replica or a command of that name. */
  config(name: string): Readonly<Record<string, object>> {
    const format = "debezium-json";
    const sections = {
      kafka: {
        brokers: [this.#kafka],
        groupId: this.groupId,
        clientId: name,
        sessionTimeoutMs: SESSION_MS,
        heartbeatIntervalMs: 250,
        maxWaitMs: 50,
      },
      ...(this.#options.withoutRedis ? {} : { redis: { url: this.#options.redisUrl ?? inject("redis") } }),
      sell: {
        baseUrl: this.sandbox.url,
        token: TOKEN,
        dialect: "bulk",
        timeoutMs: 2_000,
        lateApplyMaxMs: 4_000,
        indexLagMs: 0,
        headers: { "X-Sandbox-Instance": name },
      },
      quota: { windows: [QUOTA] },
      batch: { maxItems: 10, lingerMs: 50, maxInFlight: MAX_IN_FLIGHT },
      deadLetter: { topic: this.deadLetters },
      admin: { host: "127.0.0.1" },
    };
    const routes = [
      {
        topic: this.customers,
        ...{ format, entity: "accounts", key: "id", fields: { name: "name" }, onDelete: "delete" },
      },
      {
        topic: this.orders,
        ...{ format, entity: "deals", key: "order_no" },
        fields: { name: "name", contact_id: { ref: "accounts", key: "customer_id" } },
      },
    ];
    return layered({ ...sections, routes }, { ...this.#options.config, ...this.#more });
  }

  #written(record: StoredRecord, ids: ReadonlyMap<string, unknown>): Written {
    const { topic, partition, offset, key, value } = record;
    const place = { topic, partition, offset, key, value };
    if (value === null) return { ...place, change: null, isPoison: false };
    const envelope = readEnvelope(value);
    if (envelope === null) return { ...place, change: null, isPoison: true };
    const { before, after } = envelope;
    const isPoison = after !== null && after["name"] === null;
    const change = topic === this.customers ? accountOf(before, after) : dealOf(before, after, ids);
    return { ...place, change, isPoison };
  }
}

/** A broker that was just started does not know all its partitions yet. */
const whileKafkaIsAway = (error: unknown): null => {
  if (isConnectorError(error) && error.retriable) return null;
  throw error;
};

type Envelope = { readonly before: ErpRow | null; readonly after: ErpRow | null };

const readEnvelope = (value: Buffer): Envelope | null => {
  try {
    return JSON.parse(value.toString()) as Envelope;
  } catch {
    return null;
  }
};

/** What Sell should be sent for a row, written down a second time, independently of the mapping. */
const accountOf = (before: ErpRow | null, after: ErpRow | null): Change => {
  const key = String((after ?? before)?.["id"]);
  const body = { name: after?.["name"], custom_fields: { erp_id: key }, is_organization: true };
  return changeOf("accounts", key, after === null ? null : body);
};

const dealOf = (before: ErpRow | null, after: ErpRow | null, ids: ReadonlyMap<string, unknown>): Change => {
  const key = String((after ?? before)?.["order_no"]);
  const contact = ids.get(`accounts ${after?.["customer_id"]}`);
  const body = { name: after?.["name"], contact_id: contact, custom_fields: { erp_id: key } };
  return changeOf("deals", key, after === null ? null : body);
};

const changeOf = (resource: string, key: string, body: object | null): Change => ({
  resource,
  key,
  hash: body === null ? null : bodyHash(body),
  data: body,
});

const erpId = (data: Readonly<Record<string, unknown>>): unknown =>
  (data["custom_fields"] as Readonly<Record<string, unknown>> | null)?.["erp_id"];

const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

const layered = (
  below: Readonly<Record<string, object>>,
  above: Readonly<Record<string, object>>,
): Readonly<Record<string, object>> => ({
  ...below,
  ...Object.fromEntries(
    Object.entries(above).map(([name, section]) => [
      name,
      Array.isArray(section) ? section : { ...below[name], ...section },
    ]),
  ),
});
