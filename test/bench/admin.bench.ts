/**
 * `npm run bench:admin`: what a scrape, a look and a page state cost a replica that owns many partitions, with a full history
 * of six hours: CPU in the process, bytes on the wire.
 * Usage: node test/bench/admin.bench.ts [partitions, default 1000]
 */
import { cpus } from "node:os";
import Table from "cli-table3";
import { OwnedPartition } from "../../src/commit/partition.ts";
import { partitionSnapshot } from "../../src/pipeline/partition-snapshot.ts";
import { createGauges } from "../../src/telemetry/gauges.ts";
import type { Snapshot } from "../../src/telemetry/snapshot.ts";
import { aPartition, aSnapshot, StatusWorld } from "../support/status-world.ts";

const PARTITIONS = Number(process.argv[2] ?? 1_000);
const ROUNDS = 50;
const WINDOW_RECORDS = 20_000;
const SIX_HOURS = 6 * 360;

const world = new StatusWorld();
const fill = createGauges(world.registry);

const stateAt = (look: number): Snapshot =>
  aSnapshot({
    partitions: Array.from({ length: PARTITIONS }, (_, partition) =>
      aPartition({
        ...{ partition, endOffset: 1_000_000 + 7 * look, lag: (partition * 31 + look) % 997 },
        oldestPendingAgeS: { live: ((partition * 17 + look) % 911) / 7, backfill: 0 },
        ...{ lastCommitS: 1_700_000_000 + look, paused: partition % 3 === 0 ? "window" : null },
      }),
    ),
  });

for (let look = 0; look < SIX_HOURS; look++) {
  world.emit("batch-closed", {
    reason: look % 2 ? "count" : "age",
    verb: "upsert",
    items: 1 + (look % 50),
    changes: 60,
  });
  world.call("200");
  world.emit("delivered", { topic: "erp.sales.orders", result: "updated", latencyMs: 900 });
  await world.looks(stateAt(look));
}
const snapshot = stateAt(SIX_HOURS);

const scrape = async (): Promise<string> => {
  fill(snapshot);
  return world.registry.metrics();
};
const page = (span: "1h" | "6h") => async (): Promise<string> => JSON.stringify(await world.status.page(span));
const look = async (): Promise<string> => {
  await world.looks(snapshot);
  return "";
};

/** The most that a window holds waits in memory. */
const owned = Array.from({ length: PARTITIONS }, (_, partition) => {
  const each = new OwnedPartition({ topic: "erp.sales.orders", partition }, 1);
  each.startAt(0n, []);
  each.highWatermark = 1_000n;
  for (let offset = 0n; offset < BigInt(Math.ceil(WINDOW_RECORDS / PARTITIONS)); offset++) {
    each.watermark.track(offset, 1_700_000_000_000);
    each.watermark.expect(offset, 1, "live");
  }
  return each;
});
const read = async (): Promise<string> => {
  for (const each of owned) partitionSnapshot(each, 1_700_000_600_000, { lane: "live", stop: null });
  return "";
};

const measured = async (name: string, work: () => Promise<string>) => {
  for (let round = 0; round < 5; round++) await work();
  let bytes = 0;
  const before = process.cpuUsage();
  for (let round = 0; round < ROUNDS; round++) bytes = Buffer.byteLength(await work());
  const { user, system } = process.cpuUsage(before);
  return [name, ((user + system) / 1_000 / ROUNDS).toFixed(1), bytes.toLocaleString("en-US")];
};

const table = new Table({ head: ["", "CPU ms", "bytes"], style: { head: [], border: [] } });
table.push(await measured("the partitions' state, in each of these", read));
table.push(await measured("GET /metrics", scrape));
table.push(await measured("a look, every 10 s", look));
table.push(await measured("GET /status, one hour", page("1h")));
table.push(await measured("GET /status, six hours", page("6h")));
console.log(`${PARTITIONS} partitions, ${cpus()[0]?.model}, Node ${process.version}\n${table.toString()}`);
