/**
 * `npm run bench:skewed`: how many calls a skewed update stream costs. A few customers change all the time and most hardly
 * ever (Zipf 1.0 over 2,000 keys), and every fifth change alters nothing that is mapped. The whole pipeline, on real Kafka
 * and Redis, against the simulator of Sell in bulk; the calls are counted there.
 *
 * What compaction and no-op suppression are worth shows in routes to which they cannot apply: one that maps a column which
 * every change alters, and one that makes every change a record of its own, as a connector sends it that compacts nothing.
 * Usage: node test/bench/skewed.bench.ts [changes, default 20000]
 */
import { randomUUID } from "node:crypto";
import { cpus } from "node:os";
import Table from "cli-table3";
import { Registry } from "prom-client";
import { configSchema } from "../../src/config/spec.ts";
import { startConnector } from "../../src/connector.ts";
import { Dice, seeded } from "../../src/demo/dice.ts";
import { startServices } from "../../src/demo/services/services.ts";
import { partitionName } from "../../src/domain/record.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { startSandbox } from "../../src/sandbox/index.ts";
import { Erp, type ErpRow } from "../support/erp.ts";
import { until } from "../support/until.ts";

const CHANGES = Number(process.argv[2] ?? 20_000);
const KEYS = 2_000;
const NO_OPS = 0.2;
const PARTITIONS = 4;
const ITEMS = 50;
/** The 200 calls a minute of a customer, ten times faster. */
const QUOTA = { limit: 200, perMs: 6_000 };
/** Changes a second that full batches without compaction just carry inside the quota. */
const PACE_PER_S = Math.floor((QUOTA.limit * ITEMS * 1_000) / QUOTA.perMs);
const GOAL = 8;
/** Null: all of them wait at the start. */
const PACES = [null, PACE_PER_S, 3 * PACE_PER_S] as const;
const never = new AbortController().signal;

/** Ranks from 0, the lowest most often: rank r with a probability proportional to 1 / (r + 1). */
const zipf = (count: number, random: () => number): (() => number) => {
  const sums = Array.from({ length: count }, (_, rank) => 1 / (rank + 1));
  for (let i = 1; i < count; i++) sums[i] = (sums[i] ?? 0) + (sums[i - 1] ?? 0);
  const total = sums[count - 1] ?? 1;
  return () => {
    const at = random() * total;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) > at) high = middle;
      else low = middle + 1;
    }
    return low;
  };
};

/** The same stream for every arm. */
const stream = () => {
  const dice = new Dice(seeded(7));
  const rank = zipf(KEYS, dice.random);
  const revisions = new Map<number, number>();
  let touched = 0;
  const rowOf = (id: number): ErpRow => {
    const revision = revisions.get(id) ?? 0;
    return {
      id,
      name: `Customer ${id} GmbH`,
      city: `City ${revision}`,
      email: `info@c${id}.example`,
      touched: touched++,
    };
  };
  return {
    opening: () => Array.from({ length: KEYS }, (_, id) => rowOf(id)),
    next(): ErpRow {
      const id = rank();
      if (dice.random() >= NO_OPS) revisions.set(id, (revisions.get(id) ?? 0) + 1);
      return rowOf(id);
    },
  };
};

const ROUTES = {
  "as it is": {},
  "no no-ops": { fields: { "custom_fields.remarks": { from: "touched", as: "string" } } },
  "no no-ops, no compaction": { key: { template: "${id}-${touched}" }, acceptUnordered: true },
} as const;

await using services = await startServices({ want: ["kafka", "redis"], say: (line) => console.log(line) });
await using erp = await Erp.connect(services.kafka);

const measured = async (route: keyof typeof ROUTES, pace: (typeof PACES)[number]) => {
  await using sandbox = await startSandbox(
    { rate: { windows: [{ type: "sliding-log", ...QUOTA }] } },
    { clock: systemClock, random: systemRandom },
  );
  const id = randomUUID().slice(0, 8);
  const topic = `erp.customers.${id}`;
  await erp.createTopics([topic, `dead-letters.${id}`], PARTITIONS);
  // A broker that has just heard of the topic may not lead all of it yet.
  await until(async () => (await erp.kafka.admin.endOffsets([topic])).length === PARTITIONS, `${topic} is there`);
  const groupId = `bench-${id}`;
  const config = configSchema.parse({
    kafka: { brokers: [services.kafka], groupId },
    redis: { url: services.redis },
    sell: { baseUrl: sandbox.url, token: "bench-token-0123456789", dialect: "bulk" },
    quota: { windows: [QUOTA] },
    deadLetter: { topic: `dead-letters.${id}` },
    admin: { port: 0, host: "127.0.0.1" },
    routes: [routeOf(topic, route)],
  });
  const start = () => {
    const registry = new Registry();
    const deps = {
      clock: systemClock,
      random: systemRandom,
      emit: () => {},
      registry,
      version: "bench",
      signal: never,
    };
    return startConnector(config, deps);
  };
  const write = (rows: readonly ErpRow[]): Promise<void> =>
    erp.write(
      topic,
      rows.map((after) => ({ key: { id: after["id"] ?? null }, after })),
    );
  const drained = () => until(async () => (await lagOf(topic, groupId)) === 0n, `${route}: all of it committed`);
  const bulk = () => sandbox.log().filter(({ items }) => items > 0);
  const rows = stream();

  const first = await start();
  await write(rows.opening());
  await drained();
  const before = bulk().length;
  if (pace === null) {
    await first.stop("bench");
    for (let at = 0; at < CHANGES; at += 1_000)
      await write(Array.from({ length: Math.min(1_000, CHANGES - at) }, () => rows.next()));
    const second = await start();
    await drained();
    await second.stop("bench");
  } else {
    const tenth = Math.round(pace / 10);
    const startMs = systemClock.monotonicMs();
    for (let at = 0; at < CHANGES; at += tenth) {
      await systemClock.sleep(startMs + (at * 1_000) / pace - systemClock.monotonicMs());
      await write(Array.from({ length: Math.min(tenth, CHANGES - at) }, () => rows.next()));
    }
    await drained();
    await first.stop("bench");
  }
  const calls = bulk().slice(before);
  const items = calls.reduce((sum, call) => sum + call.items, 0);
  const refused = sandbox.log().filter((call) => call.refused).length;
  return { calls: calls.length, items, refused };
};

const routeOf = (topic: string, name: keyof typeof ROUTES) => {
  const fields = { name: "name", "address.city": "city", email: "email", owner_id: { value: 1 } };
  const { fields: more = {}, ...rest }: { readonly fields?: object; readonly key?: object } = ROUTES[name];
  return { topic, format: "debezium-json", entity: "accounts", key: "id", ...rest, fields: { ...fields, ...more } };
};

const lagOf = async (topic: string, groupId: string): Promise<bigint> => {
  const ends = await erp.kafka.admin.endOffsets([topic]);
  const committed = await erp.kafka.admin.committed(groupId, ends);
  const known = new Map(committed.map((row) => [partitionName(row), row.offset ?? 0n]));
  return ends.reduce((sum, end) => sum + end.high - (known.get(partitionName(end)) ?? 0n), 0n);
};

const head = ["route", "changes arrive", "calls", "calls per 1,000", "changes a call", "records a call", "429s"];
const table = new Table({ head, colAligns: ["left", "left", "right", "right", "right", "right", "right"] });
const figures: string[] = [];
for (const route of Object.keys(ROUTES) as (keyof typeof ROUTES)[]) {
  for (const pace of PACES) {
    const { calls, items, refused } = await measured(route, pace);
    const arrival = pace === null ? "all wait at the start" : `${pace} a second`;
    const [per1000, changesACall, recordsACall] = [(calls * 1_000) / CHANGES, CHANGES / calls, items / calls].map(
      (value) => value.toFixed(1),
    );
    if (route === "as it is") figures.push(`${per1000} (${arrival})`);
    table.push([route, arrival, calls, per1000, changesACall, recordsACall, refused]);
    console.log(`${route}, ${arrival}: ${calls} calls`);
  }
}
console.log(table.toString());
console.log(
  `as it is: ${figures.join(", ")} calls per 1,000 changes; goal ${GOAL}, against 20 for full batches without compaction and 1,000 for single calls.`,
);
console.log(
  `${PACE_PER_S} a second is what full batches without compaction just carry; while the quota has room a call leaves as soon as it is full, beyond it the changes wait and compaction grows.`,
);
console.log(
  `${CHANGES} updates of ${KEYS} records that are in Sell already, Zipf 1.0, ${NO_OPS * 100} % no-ops; debezium-json, ${PARTITIONS} partitions, bulk of ${ITEMS}, linger 1 s, 4 in flight, ${QUOTA.limit} calls in ${QUOTA.perMs / 1_000} s (200 a minute, ten times faster), Redis gate and store; Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}.`,
);
