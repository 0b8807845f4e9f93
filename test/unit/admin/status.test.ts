/** What GET /status says of snapshots and counts that follow each other. */
import { expect, test } from "vitest";
import type { Sample } from "../../../src/admin/history.ts";
import { paceOf } from "../../../src/admin/pace.ts";
import { ROWS_MAX, worstPartitions } from "../../../src/admin/worst-partitions.ts";
import type { Snapshot } from "../../../src/telemetry/snapshot.ts";
import { aGateState } from "../../support/gate-state.ts";
import { aPartition, aSnapshot, StatusWorld } from "../../support/status-world.ts";
import { until } from "../../support/until.ts";

/** Looks at partitions that have these ends and lags, ten seconds apart. */
const looked = async (...looks: readonly (readonly (readonly [end: number | null, lag: number | null])[])[]) => {
  const world = new StatusWorld();
  for (const partitions of looks) {
    const owned = partitions.map(([endOffset, lag], partition) => aPartition({ partition, endOffset, lag }));
    await world.looks(aSnapshot({ partitions: owned }));
  }
  return (await world.status.page("1h")).history;
};

test("arrived and worked off are told from the offsets of partitions owned at both looks", async () => {
  const { counts, levels } = await looked(
    [[100, 10]],
    [
      [140, 20],
      [9_000, 9_000],
    ],
    [[150, 0]],
  );
  expect(counts).toMatchObject({ arrived: [40, 10], workedOff: [30, 30] });
  expect(levels).toMatchObject({ lag: [9_020, 0] });
});

test("an offset that is not known, or went backwards, counts as nothing", async () => {
  const { counts, levels } = await looked([[100, 10]], [[null, null]], [[50, 10]], [[20, 10]]);
  expect(counts).not.toHaveProperty("arrived");
  expect(levels["lag"]).toEqual([null, 10, 10]);
});

test("what the metrics counted between two looks is in the sample, not what was before", async () => {
  const world = new StatusWorld();
  const delivered = (): void => world.emit("delivered", { topic: "t", result: "created", latencyMs: 10 });
  delivered();
  await world.looks(aSnapshot());
  delivered();
  delivered();
  world.emit("batch-closed", { reason: "age", verb: "upsert", items: 2, changes: 5 });
  world.emit("dead-lettered", { topic: "t", position: "t[0]@1", reason: "bad-value", message: "no" });
  world.call("503");
  world.call("ECONNRESET");
  world.call("429");
  await world.looks(aSnapshot());
  const { history, totals } = await world.status.page("1h");
  expect(history.counts).toEqual({
    ...{ accepted: [2], calls: [3], failed: [2], changes: [5], letters: [1] },
    ...{ "batches.age": [1], "sizes.5": [1], "dead-letters.bad-value": [1] },
  });
  expect(totals).toMatchObject({ accepted: 3, "batches.count": 0, "dead-letters.bad-value": 1 });
});

test("before the pipeline runs there is a verdict, the totals and no state", async () => {
  const world = new StatusWorld();
  world.snapshot = null;
  world.notReady = "waiting for Sell";
  await world.status.look();
  expect(await world.status.page("6h")).toMatchObject({
    verdict: { state: "starting", sentence: "Not delivering: waiting for Sell." },
    ...{ now: null, replica: "sell-sink-0", history: { atMs: [] } },
  });
});

test("a look that fails leaves a gap, and the next one comes ten seconds later", async () => {
  const world = new StatusWorld();
  const stop = new AbortController();
  const watching = world.status.watch(stop.signal);
  const next = async (look: () => Promise<Snapshot>): Promise<void> => {
    await until(() => world.clock.sleeping === 1, "the look is over");
    world.look = look;
    world.clock.advance(10_000);
  };
  await next(() => Promise.reject(new Error("no")));
  await next(async () => aSnapshot());
  await until(() => world.clock.sleeping === 1, "the look is over");
  stop.abort();
  await watching;
  const { atMs } = (await world.status.page("1h")).history;
  expect(atMs).toEqual([world.clock.now()]);
});

test("the states that the verdict goes by are taken from the snapshot", async () => {
  const world = new StatusWorld();
  const causeOf = async (overrides: Parameters<typeof aSnapshot>[0]) => {
    await world.looks(aSnapshot(overrides));
    return (await world.status.page("1h")).verdict.cause;
  };
  expect(await causeOf({})).toBeNull();
  expect(await causeOf({ halted: true })).toBe("credential");
  expect(await causeOf({ partitions: [aPartition({ paused: "brake" })] })).toBe("topic");
  const pause = { route: "r", topic: "t", who: "ann", why: "prices", sinceMs: null };
  expect(await causeOf({ pauses: [pause] })).toBe("pause");
  expect(await causeOf({ isMember: false })).toBe("kafka");
  expect(await causeOf({ gate: aGateState({ mode: "closed" }) })).toBe("redis");
  expect(await causeOf({ gate: aGateState({ cooldownLeftMs: 1 }) })).toBe("quota");
  expect(await causeOf({ partitions: [] })).toBeNull();
  world.emit("dead-letter-failed", { topic: "letters", cause: "down" });
  expect(await causeOf({})).toBe("unburied");
  world.call("timeout");
  expect(await causeOf({})).toBe("sell");
});

test("what holds up the oldest change in memory is the cause only if nothing older waits before it", async () => {
  const world = new StatusWorld();
  const now = aSnapshot();
  const holdup = { by: "parent", position: "erp.a[0]@7", timestampMs: now.atMs - 900_000 } as const;
  const causeAt = async (ageS: number) => {
    const partitions = [aPartition({ lag: 9, oldestPendingAgeS: { live: ageS, backfill: 0 } })];
    await world.looks({ ...now, partitions, holdup });
    return (await world.status.page("1h")).verdict.cause;
  };
  expect([await causeAt(900), await causeAt(4_000)]).toEqual(["parent", "load"]);
});

test("the time to drain is a level of the history, as far as it can be told", async () => {
  const world = new StatusWorld();
  const at = (look: number): Snapshot =>
    aSnapshot({ partitions: [aPartition({ endOffset: 10_000, lag: 5_000 - 300 * look })] });
  for (let look = 0; look < 6; look++) await world.looks(at(look));
  const [first, ...later] = (await world.status.page("1h")).history.levels["drainS"] ?? [];
  expect(first).toBeNull();
  expect(later.at(-1)).toBeCloseTo((5_000 - 300 * 5) / 30, 0);
});

test("nothing but figures and names is told: no key, no message, no incident", async () => {
  const incident = { atMs: 1, hintMs: 1, source: "canary-source", windows: [], foreign: null };
  const world = new StatusWorld();
  world.emit("dead-lettered", { topic: "t", position: "t[0]@1", reason: "bad-value", message: "canary-message" });
  await world.looks(aSnapshot({ gate: aGateState({ incidents: [incident] }) }));
  expect(JSON.stringify(await world.status.page("1h"))).not.toContain("canary");
});

test("the pace is that of the time with work and without an announced wait; half a minute of it says something", () => {
  const sample = (workedOff: number, lag: number, cooldownLeftS: number): Sample => ({
    ...{ atMs: 0, forMs: 10_000 },
    counts: new Map(Object.entries({ arrived: 100, workedOff })),
    levels: new Map(Object.entries({ lag, cooldownLeftS })),
  });
  const busy = [sample(200, 9, 0), sample(400, 9, 0), sample(300, 9, 0)];
  const idle = [sample(100, 0, 0), sample(0, 500, 30)];
  expect(paceOf([...busy, ...idle], null)).toEqual({ arrivedPerS: 10, workedOffPerS: 30 });
  expect(paceOf(busy.slice(1), null)).toEqual({ arrivedPerS: null, workedOffPerS: null });
});

test("a long wait leaves the pace of the quota: this replica's part, in calls as full as those so far", async () => {
  const gate = aGateState({ permitsPerSecond: 4, replicas: 2 });
  const look = { atMs: 0, snapshot: aSnapshot({ gate }), totals: new Map(Object.entries({ calls: 10, changes: 300 })) };
  expect(paceOf([], look)).toEqual({ arrivedPerS: null, workedOffPerS: 60 });
});

test("of a thousand partitions those that wait longest are told, then those with the most records", () => {
  const partitions = Array.from({ length: 1_000 }, (_, partition) =>
    aPartition({ partition, lag: partition, oldestPendingAgeS: { live: partition === 7 ? 90 : 0, backfill: 0 } }),
  );
  const { rows, all, behind } = worstPartitions(partitions);
  expect([rows.length, all, behind]).toEqual([ROWS_MAX, 1_000, 999]);
  expect(rows.slice(0, 3).map(({ partition }) => partition)).toEqual([7, 999, 998]);
});
