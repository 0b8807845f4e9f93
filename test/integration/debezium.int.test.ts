/**
 * Real rows, real Debezium: PostgreSQL's log through a Kafka Connect worker, in JSON and in Avro. After each chapter Sell
 * equals the tables, row by row.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Connect } from "../../src/demo/services/connect.ts";
import { startServices } from "../../src/demo/services/services.ts";
import { DebeziumWorld } from "../support/debezium-world.ts";
import { guard, until } from "../support/until.ts";

/** Too long for a page of the table and hard to compress: PostgreSQL stores it aside and leaves it out of updates. */
const LARGE = Array.from({ length: 4_000 }, (_, i) => ((i * 2_654_435_761) >>> 0).toString(36)).join(" ");
const NEVER_MS = 3_600_000;

let services: Awaited<ReturnType<typeof startServices<"postgres">>>;
beforeAll(async () => {
  services = await startServices({ want: ["postgres"], say: (line) => process.stderr.write(`${line}\n`) });
});
afterAll(() => services?.stop());

describe.each(["json", "avro"] as const)("PostgreSQL through Debezium, %s", (format) => {
  let world: DebeziumWorld;
  let debezium: Connect;
  beforeAll(async () => {
    world = await DebeziumWorld.create(format, services.postgres);
  });
  afterAll(async () => {
    await debezium?.[Symbol.asyncDispose]();
    await world?.[Symbol.asyncDispose]();
  });

  const sellEqualsTables = async (): Promise<void> => {
    await until(async () => {
      const { sell, tables } = await world.sides();
      return isSame(sell, tables);
    }, `Sell equals the tables\n${world.replica.tail()}`).catch(() => {});
    const { sell, tables } = await world.sides();
    expect(sell).toEqual(tables);
    expect(await world.deadLetters()).toEqual([]);
  };

  const skips = () => world.replica.metric("sell_sink_records_skipped_total");

  test("a snapshot, and an update whose transaction was open while it was read", async () => {
    await world.sql.query(`insert into sales.customers values
      (1, 'Nordlicht GmbH', 12.5, 0.125, '1969-12-31', null),
      (2, 'Café Łódź', null, null, null, 'kept'),
      (9007199254740993, 'Beyond 2^53', 9999999999999999999999999999999999.9999, 12345678901234567890.12, '9999-12-31', '')`);
    await world.sql.query("insert into sales.orders values ('N', 1, 1, 10.00), ('S', 1, 9007199254740993, 0.01)");
    await world.createSlot();
    const open = await world.session();
    await open.query("begin");
    await open.query("update sales.customers set name = 'Nordlicht AG' where id = 1");
    await world.sql.query("select pg_switch_wal()"); // the log goes on before the snapshot is taken
    debezium = await world.startDebezium(500);
    await until(async () => (await world.records()).length >= 5, "the snapshot is in the topics");
    await open.query("commit");
    await sellEqualsTables();
    if (format === "json") {
      const ofCustomer1 = (await world.records())
        .filter(({ key }) => String(key) === '{"id":1}')
        .map(({ value }) => JSON.parse(String(value)));
      const lsns = ofCustomer1.map(({ source }) => source.lsn);
      guard(lsns.length === 2 && lsns[1] < lsns[0], `the newer change has the lower position: ${lsns}`);
    }
  });

  test("inserts, updates to null and back, and deletes with their tombstones", async () => {
    await debezium[Symbol.asyncDispose]();
    debezium = await world.startDebezium(NEVER_MS);
    await world.sql.query(
      "insert into sales.customers values (3, 'Short-lived', 1, 1, '2024-02-29', 'x'), (4, 'Four', 0.0001, -0.01, null, null)",
    );
    await world.sql.query("update sales.customers set credit = null, balance = null, note = null where id = 2");
    await world.sql.query("update sales.customers set born = '0001-01-01', balance = 1.1 where id = 4");
    await world.sql.query("delete from sales.customers where id = 3");
    await world.sql.query("insert into sales.orders values ('N', 2, 4, 99999999.99)");
    await world.sql.query("update sales.orders set total = 1000 where number = 2");
    await sellEqualsTables();
    expect((await world.records()).some(({ value }) => value === null)).toBe(true);
  });

  test("a changed primary key: the old record goes, the new one comes, also when they are on two partitions", async () => {
    await world.sql.query("update sales.customers set id = 40 where id = 4");
    await world.sql.query("update sales.orders set customer_id = 40 where number = 2");
    await world.sql.query("update sales.orders set region = 'W', number = 7 where region = 'N' and number = 1");
    await sellEqualsTables();
  });

  test("a large text that an update did not touch stays in Sell", async () => {
    await world.sql.query("insert into sales.customers values (5, 'Novelist', 1, 1, null, $1)", [LARGE]);
    await sellEqualsTables();
    await world.sql.query("update sales.customers set name = 'Nobel laureate' where id = 5");
    await sellEqualsTables();
    const marked = (await world.records()).filter(({ value }) => value?.includes("__debezium_unavailable_value"));
    guard(marked.length > 0, "Debezium left the large text out");
  });

  test("a column that is added, filled and dropped while records flow", async () => {
    await world.sql.query("alter table sales.customers add column phone text default '+49 40 1'");
    await world.sql.query("update sales.customers set name = 'With phone' where id = 2");
    await world.sql.query("alter table sales.customers drop column phone");
    await world.sql.query("update sales.customers set name = 'Without phone' where id = 2");
    await sellEqualsTables();
  });

  test("a worker that dies sends again what it had sent: nothing is written, nothing comes back", async () => {
    const before = await world.drained();
    const [writes, skipped] = [world.sandbox.log().flatMap(({ applied }) => applied).length, await skips()];
    await debezium.process.kill("SIGKILL");
    await debezium.process.start();
    await debezium.running();
    await world.sql.query("update sales.customers set name = 'After the crash' where id = 40");
    await sellEqualsTables();
    const after = await world.drained();
    guard(after.length > before.length + 5, `it sent again: ${before.length} records, then ${after.length}`);
    expect(world.sandbox.log().flatMap(({ applied }) => applied)).toHaveLength(writes + 1);
    expect(await skips()).toBeGreaterThan(skipped);
  });

  test("a truncated table is counted, and deletes nothing in Sell", async () => {
    const held = (await world.sides()).sell;
    const [before, skipped] = [await world.drained(), await skips()];
    await world.sql.query("truncate sales.orders");
    await until(async () => (await world.records()).length > before.length, "the truncate is in the topic");
    await world.drained();
    expect((await world.sides()).sell).toEqual(held);
    expect((await skips()) - skipped).toBe(1);
    expect(await world.deadLetters()).toEqual([]);
  });
});

const isSame = (one: object, other: object): boolean => {
  try {
    expect(one).toEqual(other);
    return true;
  } catch {
    return false;
  }
};
