/**
 * `npm run bench:gate:live`: three processes share 200 calls per 6 s (a minute ten times faster) in real time, with an
 * endless backfill and live calls in between. Usage: node test/bench/gate-live.bench.ts [seconds, default 120]
 */
import { startRedis } from "../../src/demo/services/redis.ts";
import { runLive, SLOT_MS } from "./gate-live.ts";

const SECONDS = Number(process.argv[2] ?? 120);

await using redis = await startRedis();
const { used, fullest, fullestSeen, byReplica, commandsEach, liveWaitsMs } = await runLive(redis.address, SECONDS);
const waitAt = (part: number): string => {
  const ms = liveWaitsMs[Math.floor(part * (liveWaitsMs.length - 1))] ?? 0;
  return `${ms.toFixed(0)} ms (${(ms / SLOT_MS).toFixed(1)} slots)`;
};
console.log(`3 processes, 200 calls per 6 s, guard 60 ms, one slot ${SLOT_MS.toFixed(1)} ms, ${SECONDS} s in real time
used             ${(100 * used).toFixed(2)} % of the quota (99.01 % is what the guard leaves)
fullest 6 s      ${fullest} calls as Redis granted them, ${fullestSeen} as the processes went on
by replica       ${byReplica.join(", ")}: min/max ${(Math.min(...byReplica) / Math.max(...byReplica)).toFixed(3)}
commands/permit  ${commandsEach.toFixed(2)} to Redis
live wait        p50 ${waitAt(0.5)}, p95 ${waitAt(0.95)}, most ${waitAt(1)}, of ${liveWaitsMs.length} calls under the backfill`);
process.exitCode = fullest > 200 || commandsEach > 2 ? 1 : 0;
