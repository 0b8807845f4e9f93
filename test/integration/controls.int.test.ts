/** What people tell replicas that run: pauses, skips, and brakes that all of them share. */
import { Redis } from "ioredis";
import { expect, inject, test } from "vitest";
import { startRedis } from "../../src/demo/services/redis.ts";
import { CLEAN, check } from "../support/checker.ts";
import { until } from "../support/until.ts";
import { World } from "../support/world.ts";

test.concurrent("a paused topic stands still in every replica, also in one that starts, and over a Redis that forgets; others go on; resumed, all arrives once", async () => {
  await using redis = await startRedis();
  await using world = await World.create({ redisUrl: redis.address });
  const [first, second] = await world.startAll(["a", "b"]);
  await world.writeCustomers(1, 20);
  await world.drained();

  const route = `${world.customers} -> accounts`;
  const paused = await world.tell("pause", route, "--why", "wrong prices", "--who", "ann");
  expect(paused).toMatchObject({ code: 0, out: expect.stringContaining(`${world.customers} stands still in every`) });
  for (const replica of [first, second])
    await replica?.until(() => replica.said("route-paused").length > 0, "it has read the pause");
  await world.writeCustomers(1, 40, 2);
  await world.writeOrders(1, 20);
  await until(async () => (await world.lag(world.orders)) === 0n, "the other topic goes on");
  expect(world.accepted("accounts")).toBe(20);

  const client = new Redis(redis.address);
  await client.flushall();
  await until(async () => (await client.keys("sell:c:*:board")).length === 1, "the pause is written anew");
  client.disconnect();
  expect((await first?.stop())?.code).toBe(0);
  const third = await world.start("c");
  await world.writeOrders(21, 40);
  await second?.stop();
  await third.until(async () => (await third.metric("sell_sink_assigned")) === 12, "it has every partition");
  const lag = await world.tell("lag", "--json", "--every", "1", "--admin", third.adminUrl);
  const { partitions, pauses } = JSON.parse(lag.out);
  expect(pauses).toMatchObject([{ route, topic: world.customers, who: "ann", why: "wrong prices" }]);
  expect(partitions.filter((p: { paused: string | null }) => p.paused === "paused")).toHaveLength(6);
  const doctor = await world.tell("doctor", "--json");
  expect(JSON.parse(doctor.out)).toContainEqual(
    expect.objectContaining({ name: "pauses", sentence: `Route "${route}" is paused by ann: wrong prices` }),
  );
  expect(world.accepted("accounts")).toBe(20);
  expect(await world.lag(world.customers)).toBe(40n);

  const resumed = await world.tell("resume", "--all", "--who", "bob");
  expect([resumed.code, resumed.out]).toEqual([0, expect.stringContaining(`"${route}" is resumed`)]);
  await world.drained();
  expect(check(await world.ledgers())).toEqual(CLEAN);
});

const withBrake = (world: World, deletions: number) => ({
  routes: [
    {
      ...{ topic: world.customers, name: "customers", format: "debezium-json", entity: "accounts", key: "id" },
      ...{ fields: { name: "name" }, onDelete: "delete", brake: { deletions } },
    },
    {
      ...{ topic: world.orders, format: "debezium-json", entity: "deals", key: "order_no" },
      fields: { name: "name", contact_id: { ref: "accounts", key: "customer_id" } },
    },
  ],
});

test.concurrent("replicas brake together, a restart forgets nothing, and an accepted number lets them go on", async () => {
  await using world = await World.create({ sandbox: { rate: { profile: "none" } } });
  world.configure(withBrake(world, 10));
  const replicas = await world.startAll(["a", "b"]);
  await world.writeCustomers(1, 40);
  await world.drained();
  await world.deleteCustomers(1, 30);
  for (const replica of replicas)
    await replica.until(() => replica.said("brake-engaged").length > 0, "the brake engages in each");
  const left = () => [...world.sandbox.state("contacts")].length;
  expect(left()).toBe(30);

  await Promise.all(replicas.map((replica) => replica.stop()));
  const third = await world.start("c");
  await world.writeOrders(31, 40);
  await until(async () => (await world.lag(world.orders)) === 0n, "other topics go on");
  expect([left(), third.said("brake-engaged").length]).toEqual([30, 1]);

  const held = await world.tell("resume", "customers");
  expect(held).toMatchObject({
    code: 1,
    err: expect.stringMatching(/tripped at 10 deletions an hour, the last keys are \d/),
  });
  const low = await world.tell("resume", "customers", "--accept", "10");
  expect(low).toMatchObject({ code: 2, err: expect.stringContaining("accept a larger number") });
  const accepted = await world.tell("resume", "customers", "--accept", "25");
  expect(accepted).toMatchObject({ code: 0, out: expect.stringContaining("its brake is released") });
  await until(() => left() === 15, "so many are deleted, and no more");
  await third.stop();

  world.configure(withBrake(world, 100));
  const fourth = await world.start("d");
  await world.drained();
  expect(fourth.said("dead-lettered")).toEqual([]);
  expect([left(), check(await world.ledgers())]).toEqual([10, CLEAN]);
});

test.concurrent("a record at which Sell always fails is skipped: its partition goes on, and a replay brings it back", async () => {
  await using world = await World.create({ partitions: 1, replays: true });
  await world.startAll(["a", "b"]);
  world.sandbox.script([
    { match: { method: "POST" }, times: null, items: { keys: ["3"], status: 500, code: "server_error" } },
  ]);
  await world.writeCustomers(1, 5);
  await until(() => world.accepted("accounts") === 4, "the others are accepted");
  await until(async () => (await world.lag(world.customers)) === 3n, "what is before it is committed");

  const skip = (offset: string, ...args: readonly string[]) =>
    world.tell("skip", world.customers, "0", offset, "--why", "ticket 7", "--who", "ann", ...args);
  expect(await skip("2")).toMatchObject({ code: 2, err: expect.stringContaining("say --yes") });
  expect(await skip("9", "--yes")).toMatchObject({ code: 1, err: expect.stringContaining("was not read yet") });
  expect(await skip("1", "--yes")).toMatchObject({ code: 1, err: expect.stringContaining("does not wait any more") });
  const done = await skip("2", "--yes");
  expect(done).toMatchObject({
    code: 0,
    out: expect.stringContaining(`${world.customers}[0]@2 is in the dead letters`),
  });
  await world.drained();
  const [letter] = (await world.ledgers()).deadLetters;
  const header = (name: string) => letter?.headers.find(([other]) => other === name)?.[1]?.toString();
  expect([header("x-sink.reason"), header("__connect.errors.exception.message")]).toEqual([
    "skipped",
    "Skipped by ann: ticket 7",
  ]);

  world.sandbox.clearFaults();
  await world.tell("dlq", "replay");
  await until(() => world.accepted("accounts") === 5, "it is accepted");
});

test.concurrent("where no replica runs a skip says so after a while, and leaves nothing behind that one would take up later", async () => {
  await using world = await World.create();
  const place = [world.customers, "0", "2"];
  const { code, err } = await world.tell("skip", ...place, "--why", "x", "--yes");
  expect([code, err]).toEqual([1, expect.stringContaining("No replica answered")]);
  const client = new Redis(inject("redis"));
  const fields = await Promise.all((await client.keys("sell:c:*:board")).map((key) => client.hkeys(key)));
  client.disconnect();
  expect(fields.flat()).not.toContain(`skip ${world.customers}[0]@2`);
});

test.concurrent("without Redis the sentence says what to do, and a wrong name what was meant", async () => {
  await using alone = await World.create({ withoutRedis: true });
  const { code, err } = await alone.tell("pause", "--all", "--why", "x");
  expect([code, err]).toEqual([2, expect.stringContaining('write paused: "why" under the route')]);
  await using world = await World.create();
  const wrong = await world.tell("resume", `${world.customers} -> account`);
  expect([wrong.code, wrong.err]).toEqual([
    2,
    expect.stringContaining(`did you mean "${world.customers} -> accounts"?`),
  ]);
});

test.concurrent("a pause in the configuration holds from the start, and no command lifts it", async () => {
  await using world = await World.create();
  const route = { format: "debezium-json", fields: { name: "name" } };
  const customers = { topic: world.customers, name: "customers", entity: "accounts", key: "id", ...route };
  const orders = { topic: world.orders, name: "orders", entity: "deals", key: "order_no", ...route };
  world.configure({ routes: [{ ...customers, paused: "until the migration" }, orders] });
  const replica = await world.start("a");
  await world.writeCustomers(1, 5);
  await world.writeOrders(1, 5);
  await until(async () => (await world.lag(world.orders)) === 0n, "the other topic goes on");
  const { code, err } = await world.tell("resume", "customers");
  expect([code, err]).toEqual([
    1,
    expect.stringMatching(/paused by routes\[0\]\.paused \(line 1\): until the migration/),
  ]);
  expect([world.accepted("accounts"), replica.said("route-paused")]).toMatchObject([0, [{ who: "the configuration" }]]);
});
