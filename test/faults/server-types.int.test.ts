/**
 * Two replicas with a backlog against each way in which servers count: the quota is used, and Sell never has to refuse.
 * A call each 330 ms, so that the guard of 0.6 s covers a crowded machine as it covers an uneven network.
 */
import { expect, test } from "vitest";
import type { WindowOptions } from "../../src/sandbox/config.ts";
import { busiest, CLEAN, check } from "../support/checker.ts";
import { guard } from "../support/until.ts";
import { World } from "../support/world.ts";

const LIMIT = { limit: 20, perMs: 6_000 } as const;
const GUARD_MS = 600;
/** One a call: three windows and more of them. */
const CUSTOMERS = 70;

const SERVERS: Readonly<Record<string, readonly WindowOptions[]>> = {
  "windows by the clock": [{ type: "clock-window", ...LIMIT }],
  "windows from the first call": [{ type: "window-from-first", ...LIMIT }],
  "a sliding log": [{ type: "sliding-log", ...LIMIT }],
  "a sliding log that counts refused calls": [{ type: "sliding-log-counting-refused", ...LIMIT }],
  "a sliding counter": [{ type: "sliding-counter", ...LIMIT }],
  "a token bucket": [{ type: "token-bucket", ...LIMIT }],
  "a small token bucket": [{ type: "token-bucket", ...LIMIT, burst: 4 }],
  GCRA: [{ type: "gcra", ...LIMIT, burst: 3 }],
  "a sliding log and a limit a second": [
    { type: "sliding-log", ...LIMIT },
    { type: "clock-window", limit: 5, perMs: 1_000 },
  ],
};

test.concurrent.for(Object.entries(SERVERS))("%s", async ([, windows]) => {
  await using world = await World.create({
    sandbox: { rate: { windows: [...windows], headers: "full" }, settings: { indexLagMs: 0 } },
    config: { quota: { windows: [LIMIT], guardMs: GUARD_MS }, sell: { dialect: "core" } },
  });
  await world.startAll(["one", "two"]);
  await world.writeCustomers(1, CUSTOMERS);
  await world.drained();
  const ledgers = await world.ledgers();
  expect(check(ledgers)).toEqual(CLEAN);
  expect(ledgers.requests.filter(({ refused }) => refused)).toEqual([]);
  const calls = ledgers.requests.filter(({ items }) => items > 0);
  guard(new Set(calls.map(({ instance }) => instance)).size === 2, "one replica did it all");
  expect(busiest(calls, LIMIT.perMs)).toBeLessThanOrEqual(LIMIT.limit);
  expect(busiest(calls, LIMIT.perMs + GUARD_MS)).toBeGreaterThanOrEqual(LIMIT.limit);
});
