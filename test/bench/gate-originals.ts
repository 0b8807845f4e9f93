/** Whether the models of the library's limiters are like their originals: both in compressed time, the originals in real time. */
import { randomUUID } from "node:crypto";
import Table from "cli-table3";
import { RateLimiterQueue, RateLimiterRedis } from "rate-limiter-flexible";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import type { RedisClient } from "../../src/lib/redis-client.ts";
import { delays } from "./gate-account.ts";
import { type Parts, QueueModel, queueProcess, StockModel, stockProcess, VirtualClock } from "./gate-rivals.ts";

/** A minute in six seconds; the library counts whole seconds only. */
const PER_MS = 6_000;
const LIMIT = 200;
const LASTS_MS = 21_000;
const FASTER = 10;
const PROCESSES = [1, 2, 3];

type Start = (parts: Parts) => Promise<void>;
interface Seen {
  readonly calls: number;
  /** Most calls in any six seconds. */
  readonly fullest: number;
}

/** A table: calls in 21 s and the fullest 6 s of the model and of its original. */
export const compareWithOriginals = async (client: RedisClient): Promise<string> => {
  const table = new Table({
    head: ["", "calls, model", "calls, original", "fullest 6 s, model", "original"],
    style: { head: [], border: [] },
  });
  const original = () =>
    new RateLimiterRedis({
      storeClient: client,
      keyPrefix: `bench-${randomUUID()}`,
      points: LIMIT,
      duration: PER_MS / 1_000,
    });
  const rows: readonly (readonly [string, (clock: Clock) => Start, () => Start])[] = [
    [
      "RateLimiterRedis",
      (clock) => {
        const limiter = new StockModel(clock, LIMIT, PER_MS);
        return (parts) => stockProcess(limiter, parts);
      },
      () => {
        const limiter = original();
        return (parts) => stockProcess(limiter, parts);
      },
    ],
    [
      "RateLimiterQueue",
      (clock) => {
        const limiter = new StockModel(clock, LIMIT, PER_MS);
        return (parts) => queueProcess(new QueueModel(limiter, clock), parts);
      },
      () => {
        const limiter = original();
        return (parts) => queueProcess(new RateLimiterQueue(limiter), parts);
      },
    ],
  ];
  for (const [name, model, real] of rows) {
    const clock = new VirtualClock();
    const seen = await observed(model(clock), clock, () => clock.run(LASTS_MS));
    const originally = await observed(real(), systemClock, () => systemClock.sleep(LASTS_MS));
    table.push([name, seen.calls, originally.calls, seen.fullest, originally.fullest]);
  }
  return `The models beside the real classes, 200 calls per 6 s, 3 x 8 workers, 21 s (real time for the originals)\n${table.toString()}\n`;
};

const observed = async (start: Start, clock: Clock, pass: () => Promise<void>): Promise<Seen> => {
  const startMs = clock.monotonicMs();
  const timesMs: number[] = [];
  const stop = new AbortController();
  const delay = delays(3);
  const call = async (): Promise<null> => {
    timesMs.push(clock.monotonicMs() - startMs);
    await clock.sleep((2 * delay()) / FASTER);
    return null;
  };
  for (const _ of PROCESSES) void start({ clock, call, signal: stop.signal });
  await pass();
  stop.abort();
  const fullest = timesMs.map((atMs, first) => timesMs.slice(first).filter((later) => later < atMs + PER_MS).length);
  return { calls: timesMs.filter((atMs) => atMs < LASTS_MS).length, fullest: Math.max(...fullest) };
};
