/**
 * `npm run bench:gate`: an hour against nine ways of counting 200 calls a minute, for our gate and for what else people use:
 * 429s, and the share of the account's quota that was used after the first minute.
 * Usage: node test/bench/gate.bench.ts [minutes, default 60]
 */
import Table from "cli-table3";
import { Redis } from "ioredis";
import { startRedis } from "../../src/demo/services/redis.ts";
import { Account, delays, type Scenario, SERVERS } from "./gate-account.ts";
import { runFleet } from "./gate-fleet.ts";
import { compareWithOriginals } from "./gate-originals.ts";
import {
  fiftyThenPause,
  type Parts,
  QueueModel,
  queueProcess,
  StockModel,
  stockProcess,
  VirtualClock,
} from "./gate-rivals.ts";

const MINUTES = Number(process.argv[2] ?? 60);
const UNTIL_MS = (MINUTES + 1) * 60_000;
const HOUR_MS = 3_600_000;
const LEAST_USED = 0.989;

const CALM: Scenario = { title: "alone", limit: 200, others: false, hintMs: null, headers: false };
const SCENARIOS: readonly Scenario[] = [
  CALM,
  { ...CALM, title: "alone, the server announces what is left", headers: true },
  { ...CALM, title: "alone, every 429 says an hour", hintMs: HOUR_MS },
  { ...CALM, title: "others call too: 100 calls in 10 s, then 30 a minute", others: true },
  { ...CALM, title: "others call too, the server announces what is left", others: true, headers: true },
  { ...CALM, title: "others call too, every 429 says an hour", others: true, hintMs: HOUR_MS },
  {
    ...CALM,
    title: "others call too, every 429 says an hour, the server announces",
    others: true,
    hintMs: HOUR_MS,
    headers: true,
  },
  { ...CALM, title: "the server allows 150, we believe in 200", limit: 150 },
  { ...CALM, title: "the server allows 150, we believe in 200, the server announces", limit: 150, headers: true },
];

/** Three processes on one quota, in virtual time. */
const rival =
  (start: (parts: Parts, shared: StockModel) => Promise<void>, processes = 3) =>
  async (account: Account): Promise<void> => {
    const clock = new VirtualClock();
    const stop = new AbortController();
    const shared = new StockModel(clock, 200, 60_000);
    const delay = delays(2);
    const call = async (): Promise<number | null> => {
      await clock.sleep(delay());
      const { hintMs } = account.call(clock.monotonicMs());
      await clock.sleep(delay());
      return hintMs;
    };
    for (let at = 0; at < processes; at++) void start({ clock, call, signal: stop.signal }, shared);
    await clock.run(UNTIL_MS);
    stop.abort();
  };

const RIVALS: Readonly<Record<string, (account: Account) => Promise<void>>> = {
  RateLimiterRedis: rival((parts, shared) => stockProcess(shared, parts)),
  RateLimiterQueue: rival((parts, shared) => queueProcess(new QueueModel(shared, parts.clock), parts)),
  "50, then 5 s": rival((parts) => fiftyThenPause(parts), 1),
};

const cell = ({ refused, used }: Account): string => `${refused} / ${(100 * used).toFixed(1)}`;

await using server = await startRedis();
const redis = new Redis(server.address); // nine hours at once: its answers may take longer than the gate would wait
const names = Object.keys(SERVERS);
const faults: string[] = [];

console.log(
  `429s / share of the quota used (%) in ${MINUTES} minutes, 3 replicas, 200 calls a minute, guard 600 ms.\n`,
);
for (const scenario of SCENARIOS) {
  const table = new Table({
    head: ["", ...names],
    style: { head: [], border: [] },
    colAligns: ["left", ...names.map(() => "right" as const)],
  });
  const accounts = names.map((name) => new Account(name, scenario, UNTIL_MS));
  const breaches = await Promise.all(accounts.map((account) => runFleet(redis, account, UNTIL_MS)));
  faults.push(...breaches.flat().map((breach) => `${scenario.title}: ${breach}`));
  for (const [at, { refused, used }] of accounts.entries()) {
    const isGood = scenario.others || scenario.limit !== 200 || (refused === 0 && used >= LEAST_USED);
    if (!isGood) faults.push(`${scenario.title}, ${names[at]}: ${refused} 429s, ${(100 * used).toFixed(2)} % used`);
  }
  table.push(["sell-sink", ...accounts.map(cell)]);
  // They do not read headers.
  for (const [name, run] of scenario.headers ? [] : Object.entries(RIVALS)) {
    const theirs = names.map((server) => new Account(server, scenario, UNTIL_MS));
    for (const account of theirs) await run(account);
    table.push([name, ...theirs.map(cell)]);
  }
  console.log(`${scenario.title}\n${table.toString()}\n`);
}
console.log(await compareWithOriginals(redis));
redis.disconnect();
for (const fault of faults) console.log(`NOT AS PROMISED: ${fault}`);
process.exitCode = faults.length > 0 ? 1 : 0;
