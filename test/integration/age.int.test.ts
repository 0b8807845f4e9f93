/** Lag and age of a running replica, where they are easily wrong: ends without records, filters, waits, a pause, a brake. */
import { expect, inject, test } from "vitest";
import { Kafka, logLevel } from "../../src/source/kafkajs.ts";
import type { Replica } from "../support/replica.ts";
import { until } from "../support/until.ts";
import { World } from "../support/world.ts";

const AGE = "sell_sink_oldest_pending_record_age_seconds";
const LAG = "sell_sink_consumer_lag_records";
const HOUR_MS = 3_600_000;

/** Writes rows of customers as one transaction, dated `agedMs` ago. */
const transaction = async (
  world: World,
  ids: readonly number[],
  end: "commit" | "abort",
  { agedMs = 0, name = "Nordlicht" } = {},
): Promise<number> => {
  const kafka = new Kafka({ brokers: [inject("kafka")], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ transactionalId: world.customers, idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  const going = await producer.transaction();
  const timestampMs = Date.now() - agedMs;
  const messages = ids.map((id) => ({
    ...{ key: JSON.stringify({ id }), timestamp: String(timestampMs) },
    value: JSON.stringify({ op: "u", before: null, after: { id, name }, source: {}, ts_ms: timestampMs }),
  }));
  await going.send({ topic: world.customers, messages });
  await going[end]();
  await producer.disconnect();
  return timestampMs;
};

/** How far every place that tells an age is from the truth, in seconds; 0 while the truth lies between two looks at the clock. */
const errorsOf = async (replica: Replica, timestampMs: number): Promise<readonly number[]> => {
  const readers = [
    () => replica.metric(AGE),
    async () => JSON.parse(await replica.page("/lag")).partitions[0].ageS,
    async () => JSON.parse(await replica.page("/status")).now.ageS.live,
  ];
  const errors: number[] = [];
  for (const read of readers) {
    const [before, told, after] = [Date.now(), await read(), Date.now()];
    const [least, most] = [(before - timestampMs) / 1_000, (after - timestampMs) / 1_000];
    errors.push(Math.max(0, least - told, told - most));
  }
  return errors;
};

const EXACT = [expect.closeTo(0, 0), expect.closeTo(0, 0), expect.closeTo(0, 0)]; // half a second either way

test("the age is exact while Sell makes it wait and while a person holds it; an end without records leaves no lag", async () => {
  await using world = await World.create({ partitions: 1 });
  const route = { topic: world.customers, format: "debezium-json", entity: "accounts", key: "id" };
  world.configure({
    routes: [{ ...route, name: "customers", fields: { name: "name" }, when: { name: { not: "hidden" } } }],
  });
  const replica = await world.start("a");
  const isCaughtUp = async (): Promise<boolean> => (await replica.metric(LAG)) + (await replica.metric(AGE)) === 0;

  await transaction(world, [1, 2], "commit");
  await transaction(world, [3, 4], "abort");
  await until(async () => (await world.lag(world.customers)) === 0n, "the aborted transaction at the end is committed");
  await until(isCaughtUp, "the markers at the end are no lag");
  await transaction(world, [5, 6], "commit", { name: "hidden", agedMs: HOUR_MS });
  await until(async () => (await world.lag(world.customers)) === 0n, "what is filtered out is committed");
  await until(isCaughtUp, "what is filtered out does not age");
  expect(world.accepted("accounts")).toBe(2);

  world.sandbox.script([{ reply: { status: 429, headers: { "Retry-After": "3" } } }]);
  const cooled = await transaction(world, [7], "commit", { agedMs: HOUR_MS });
  await until(async () => (await replica.metric("sell_sink_cooldown_left_seconds")) > 0, "Sell made it wait");
  expect(await errorsOf(replica, cooled)).toEqual(EXACT);
  await until(isCaughtUp, "accepted after the wait");

  await world.tell("pause", "customers", "--why", "a look");
  await replica.until(() => replica.said("route-paused").length > 0, "paused");
  const held = await transaction(world, [8], "commit", { agedMs: HOUR_MS });
  await until(async () => (await replica.metric(AGE)) > 0, "it holds the record");
  expect(await errorsOf(replica, held)).toEqual(EXACT);
  await world.tell("resume", "customers");
  await until(isCaughtUp, "accepted after the pause");
});
