/** Three processes on one quota in real time: a minute in six seconds. */
import { fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { Redis } from "ioredis";
import { quotaKeyPrefix } from "../../src/gate/redis-limiter.ts";
import { systemClock } from "../../src/lib/clock.ts";

const LIMIT = 200;
const PER_MS = 6_000;
const GUARD_MS = 60;
export const LIVE_QUOTA = { windows: [{ limit: LIMIT, perMs: PER_MS }], guardMs: GUARD_MS };
export const SLOT_MS = (PER_MS + GUARD_MS) / LIMIT;
const REPLICAS = 3;
/** The first window is the start: cold, and not all processes are there yet. */
const WARM_UP_MS = PER_MS;

export interface ReplicaReport {
  /** Of all grants, milliseconds since 1970. */
  readonly grantsMs: readonly number[];
  /** How long each live call waited. */
  readonly liveWaitsMs: readonly number[];
}

export interface LiveReport {
  /** Part of the quota that was used between the first window and the last grant. */
  readonly used: number;
  /** Most grants in any six seconds, as Redis recorded them, and as the processes saw them. */
  readonly fullest: number;
  readonly fullestSeen: number;
  /** Permits by replica, in the time in which all of them ran. */
  readonly byReplica: readonly number[];
  /** Commands of clients to Redis for each permit. */
  readonly commandsEach: number;
  /** Waits of live calls under the backfill, ascending, in milliseconds. */
  readonly liveWaitsMs: readonly number[];
}

/** `url`: a Redis that nobody else uses, because its commands are counted. */
export const runLive = async (url: string, seconds: number): Promise<LiveReport> => {
  const scopeText = `live ${randomUUID()}`;
  const arm = new URL("./gate-live-arm.ts", import.meta.url);
  const redis = new Redis(url);
  const before = await questions(redis);
  const replicas = Array.from({ length: REPLICAS }, async (_, at): Promise<ReplicaReport> => {
    const child = fork(arm, [url, scopeText, `replica-${at}`, String(seconds), String(700 + 100 * at)], {
      execArgv: [],
    });
    const [report] = await once(child, "message");
    return report as ReplicaReport;
  });
  const ended = new AbortController();
  const recorded = watch(redis, `${quotaKeyPrefix(scopeText)}:r`, ended.signal);
  const reports = await Promise.all(replicas);
  ended.abort();
  const ringMs = await recorded;
  const commands = (await questions(redis)) - before;
  redis.disconnect();
  return { ...figuresOf(reports, ringMs), commandsEach: commands / reports.flatMap(({ grantsMs }) => grantsMs).length };
};

const figuresOf = (reports: readonly ReplicaReport[], ringMs: readonly number[]): Omit<LiveReport, "commandsEach"> => {
  const grants = reports.map(({ grantsMs }) => grantsMs);
  const fromMs = Math.max(...grants.map(([first = 0]) => first)) + WARM_UP_MS;
  const untilMs = Math.min(...grants.map((ofReplica) => ofReplica.at(-1) ?? 0));
  const within = grants.map((ofReplica) => ofReplica.filter((atMs) => atMs >= fromMs && atMs < untilMs).length);
  const all = within.reduce((sum, count) => sum + count, 0);
  return {
    used: all / ((LIMIT * (untilMs - fromMs)) / PER_MS),
    fullest: fullest(ringMs),
    fullestSeen: fullest(grants.flat()),
    byReplica: within,
    liveWaitsMs: reports.flatMap(({ liveWaitsMs }) => liveWaitsMs).sort((a, b) => a - b),
  };
};

/** Every grant as the script recorded it; the list holds the last window only, so it is read again and again. */
const watch = async (redis: Redis, key: string, signal: AbortSignal): Promise<readonly number[]> => {
  const seen = new Set<number>();
  const read = async (): Promise<void> => {
    for (const time of await redis.lrange(key, 0, -1)) seen.add(Number(time));
  };
  while (!signal.aborted) {
    await read();
    await systemClock.sleep(1_000, signal).catch(() => {});
  }
  await read();
  return [...seen];
};

const fullest = (timesMs: readonly number[]): number => {
  const sorted = [...timesMs].sort((a, b) => a - b);
  let first = 0;
  return sorted.reduce((most, atMs, last) => {
    while (atMs - (sorted[first] ?? 0) >= PER_MS) first++;
    return Math.max(most, last - first + 1);
  }, 0);
};

/** Commands that clients sent; what scripts call is not among them. */
const questions = async (redis: Redis): Promise<number> => {
  const stats = await redis.info("commandstats");
  const calls = (name: string): number => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
  return calls("evalsha") + calls("eval");
};
