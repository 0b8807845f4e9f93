import { expect, test } from "vitest";
import { createGauges } from "../../../src/telemetry/gauges.ts";
import { createRegistry } from "../../../src/telemetry/metrics.ts";
import type { PartitionSnapshot, Snapshot } from "../../../src/telemetry/snapshot.ts";
import { aGateState } from "../../support/gate-state.ts";

const aPartition = (overrides: Partial<PartitionSnapshot> = {}): PartitionSnapshot => ({
  topic: "orders",
  partition: 3,
  endOffset: 100,
  lag: 7,
  oldestPendingAgeS: { live: 1.5, backfill: 0 },
  lastCommitS: 1_700_000_000,
  paused: null,
  ...overrides,
});

const aSnapshot = (overrides: Partial<Snapshot> = {}): Snapshot => ({
  atMs: 1_700_000_000_000,
  partitions: [aPartition()],
  gate: aGateState({
    windows: [{ limit: 200, perMs: 60_000, used: 50 }],
    permitsPerSecond: 3.3,
    replicas: 2,
  }),
  halted: false,
  holdup: null,
  isMember: true,
  maxItems: 50,
  pauses: [],
  windowRecords: 12,
  parked: new Map([["deals", 3]] as const),
  windowBytes: 3_400,
  ...overrides,
});

const scraped = () => {
  const registry = createRegistry("erp", "1");
  const fill = createGauges(registry);
  return async (snapshot: Snapshot): Promise<Record<string, number>> => {
    fill(snapshot);
    const lines = (await registry.metrics()).split("\n").filter((line) => line.startsWith("sell_sink_"));
    return Object.fromEntries(
      lines.map((line) => {
        const [name = "", value = ""] = line.split(" ");
        return [name.replace("sell_sink_", "").replace(/,?consumergroup="erp"/, ""), Number(value)];
      }),
    );
  };
};

test("the gauges of an owned partition say what the snapshot said", async () => {
  const metrics = await scraped()(aSnapshot());
  expect(metrics).toMatchObject({
    'consumer_lag_records{topic="orders",partition="3"}': 7,
    'log_end_offset{topic="orders",partition="3"}': 100,
    'oldest_pending_record_age_seconds{topic="orders",partition="3",lane="live"}': 1.5,
    'oldest_pending_record_age_seconds{topic="orders",partition="3",lane="backfill"}': 0,
    'last_commit_timestamp_seconds{topic="orders",partition="3"}': 1_700_000_000,
    'assigned{topic="orders",partition="3"}': 1,
    "window_records{}": 12,
    'parked_records{entity="deals"}': 3,
    'breaker_state{state="closed"}': 1,
  });
});

test("a lost partition leaves no series behind", async () => {
  const scrape = scraped();
  await scrape(aSnapshot({ partitions: [aPartition({ paused: "quota" })] }));
  const metrics = await scrape(aSnapshot({ partitions: [] }));
  expect(Object.keys(metrics).filter((name) => name.includes('partition="3"'))).toEqual([]);
});

test("what is not known is absent, never -1", async () => {
  const metrics = await scraped()(
    aSnapshot({ partitions: [aPartition({ lag: null, endOffset: null, lastCommitS: null })] }),
  );
  const names = Object.keys(metrics).filter((name) => name.includes('partition="3"'));
  expect(names.map((name) => name.split("{")[0]).toSorted()).toEqual([
    "assigned",
    "oldest_pending_record_age_seconds",
    "oldest_pending_record_age_seconds",
  ]);
});

test("the pace in force, the waits and the lost turns are told", async () => {
  const gate = aGateState({ slotMs: 400, share: 0.75, cooldownTotalMs: 90_000, lostTurns: 4 });
  expect(await scraped()(aSnapshot({ gate }))).toMatchObject({
    'quota_slot_seconds{quota="sell"}': 0.4,
    'quota_share_ratio{quota="sell"}': 0.75,
    'cooldown_spent_seconds{quota="sell"}': 90,
    'quota_lost_turns{quota="sell"}': 4,
  });
});

test("when Sell allows calls anew is told as it said: the end of its wait, or of a fixed window", async () => {
  const scrape = scraped();
  const { gate } = aSnapshot({ gate: aGateState({ guardMs: 600 }) });
  const RESETS = 'quota_reset_timestamp_seconds{quota="sell"}';
  const announced = { remaining: 3, foreign: 0, resetsInMs: 20_000 };
  const none = await scrape(aSnapshot({ gate: { ...gate, announced: { ...announced, resetsInMs: null } } }));
  expect(none).not.toHaveProperty(RESETS);
  expect(none).toMatchObject({ 'quota_guard_seconds{quota="sell"}': 0.6 });
  expect(await scrape(aSnapshot({ gate: { ...gate, announced } }))).toMatchObject({ [RESETS]: 1_700_000_020 });
  expect(await scrape(aSnapshot({ gate: { ...gate, announced, cooldownLeftMs: 30_000 } }))).toMatchObject({
    [RESETS]: 1_700_000_030,
  });
});

test("the quota is told by window; a cool-down and a full window count as exhausted", async () => {
  const scrape = scraped();
  const { gate } = aSnapshot();
  expect(await scrape(aSnapshot())).toMatchObject({
    'quota_remaining{quota="sell",window="60s",source="redis"}': 150,
    'quota_used_ratio{quota="sell",window="60s",source="redis"}': 0.25,
    'quota_exhausted{quota="sell"}': 0,
    'limiter_mode{mode="redis"}': 1,
    'limiter_mode{mode="closed"}': 0,
  });
  expect(await scrape(aSnapshot({ gate: { ...gate, cooldownLeftMs: 3_000 } }))).toMatchObject({
    'quota_exhausted{quota="sell"}': 1,
    'cooldown_left_seconds{quota="sell"}': 3,
  });
  const full = [{ limit: 200, perMs: 60_000, used: 200 }];
  expect(await scrape(aSnapshot({ gate: { ...gate, windows: full } }))).toMatchObject({
    'quota_exhausted{quota="sell"}': 1,
  });
});
