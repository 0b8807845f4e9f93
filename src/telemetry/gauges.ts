/** Gauges that are rebuilt from a snapshot at each scrape, so that a lost partition leaves no series behind. */
import { Gauge, type Registry } from "prom-client";
import { PREFIX, QUOTA } from "./metrics.ts";
import type { PartitionSnapshot, Snapshot } from "./snapshot.ts";

const MODES = ["redis", "local", "closed"] as const;
const LANES = ["live", "backfill"] as const;

/** Returns what fills the gauges; it writes all of them without a pause, so that no scrape sees half of them. */
export const createGauges = (registry: Registry): ((snapshot: Snapshot) => void) => {
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge({ name: `${PREFIX}${name}`, help, labelNames, registers: [registry] });

  const tp = ["topic", "partition"] as const;
  const lag = gauge("consumer_lag_records", "End offset minus next offset to commit.", tp);
  const endOffset = gauge("log_end_offset", "End offset of the partition.", tp);
  const age = gauge(
    "oldest_pending_record_age_seconds",
    "Now minus the timestamp of the first uncommitted record; 0 when caught up.",
    [...tp, "lane"],
  );
  const lastCommit = gauge("last_commit_timestamp_seconds", "Last stored commit; absent when there was none.", tp);
  const assigned = gauge("assigned", "1 while this process owns the partition.", tp);
  const paused = gauge("partition_paused", "1 while the partition waits for this reason.", [...tp, "reason"]);

  const window = ["quota", "window", "source"] as const;
  const limit = gauge("quota_limit", "Requests allowed in the window.", window);
  const remaining = gauge("quota_remaining", "Requests left in the window.", window);
  const usedRatio = gauge("quota_used_ratio", "Share of the window that is used.", window);
  const foreign = gauge("quota_foreign_ratio", "Share of the quota that others use, as far as Sell's headers tell.", [
    "quota",
  ]);
  const permitsPerSecond = gauge("quota_permits_per_second", "Sustained rate; a running cool-down is not counted.", [
    "quota",
  ]);
  const guard = gauge(
    "quota_guard_seconds",
    "A window is kept so much longer than itself, since calls arrive unevenly.",
    ["quota"],
  );
  const resets = gauge(
    "quota_reset_timestamp_seconds",
    "When calls are allowed again or anew, as Sell told: end of its wait, or of its fixed window; absent when it told neither.",
    ["quota"],
  );
  const cooldown = gauge("cooldown_left_seconds", "How long Sell wants nobody to call; 0 when it does not.", ["quota"]);
  const exhausted = gauge("quota_exhausted", "1 while the quota or a cool-down gives no permit.", ["quota"]);
  const mode = gauge("limiter_mode", "1 for the way the quota is kept now.", ["mode"]);
  const slot = gauge("quota_slot_seconds", "Time between two calls of an even pace, now.", ["quota"]);
  const share = gauge("quota_share_ratio", "Part of the limits in force: less than 1 for a while after a 429.", [
    "quota",
  ]);
  const cooledDown = gauge("cooldown_spent_seconds", "All waits together since the quota's record began.", ["quota"]);
  const lostTurns = gauge(
    "quota_lost_turns",
    "Turns that a replica came too late for, since the quota's record began.",
    ["quota"],
  );
  const replicas = gauge("quota_replicas", "Replicas that share the quota.", ["quota"]);
  const breaker = gauge("breaker_state", "1 for the state; open: a rejected credential or setting stops requests.", [
    "state",
  ]);
  const parked = gauge("parked_records", "Records that wait for the record they refer to.", ["entity"]);
  const windowRecords = gauge("window_records", "Records in memory, whatever their state.", []);
  const windowBytes = gauge("window_bytes", "Bytes of raw records in memory.", []);

  const fillPartition = (snapshot: PartitionSnapshot): void => {
    const labels = { topic: snapshot.topic, partition: String(snapshot.partition) };
    assigned.set(labels, 1);
    if (snapshot.lag !== null) lag.set(labels, Math.max(snapshot.lag, 0));
    if (snapshot.endOffset !== null) endOffset.set(labels, snapshot.endOffset);
    for (const lane of LANES) age.set({ ...labels, lane }, Math.max(snapshot.oldestPendingAgeS[lane], 0));
    if (snapshot.lastCommitS !== null) lastCommit.set(labels, snapshot.lastCommitS);
    if (snapshot.paused !== null) paused.set({ ...labels, reason: snapshot.paused }, 1);
  };

  const fillQuota = ({ gate, atMs }: Snapshot): void => {
    for (const { limit: allowed, perMs, used } of gate.windows) {
      const labels = { quota: QUOTA, window: `${perMs / 1_000}s`, source: gate.mode === "local" ? "local" : "redis" };
      limit.set(labels, allowed);
      remaining.set(labels, Math.max(allowed - used, 0));
      usedRatio.set(labels, allowed > 0 ? used / allowed : 1);
    }
    const quota = { quota: QUOTA };
    const [shortest] = gate.windows;
    if (gate.announced !== null && shortest !== undefined) {
      // Headers tell of one window and do not say of which; the shortest is the one that binds.
      remaining.set({ ...quota, window: `${shortest.perMs / 1_000}s`, source: "header" }, gate.announced.remaining);
      foreign.set(quota, gate.announced.foreign / shortest.limit);
    }
    const resetsInMs = Math.max(gate.cooldownLeftMs, gate.announced?.resetsInMs ?? 0);
    if (resetsInMs > 0) resets.set(quota, (atMs + resetsInMs) / 1_000);
    const full = gate.windows.some(({ limit: allowed, used }) => used >= allowed);
    permitsPerSecond.set(quota, gate.permitsPerSecond);
    cooldown.set(quota, gate.cooldownLeftMs / 1_000);
    exhausted.set(quota, full || gate.cooldownLeftMs > 0 ? 1 : 0);
    replicas.set(quota, gate.replicas);
    slot.set(quota, gate.slotMs / 1_000);
    share.set(quota, gate.share);
    guard.set(quota, gate.guardMs / 1_000);
    cooledDown.set(quota, gate.cooldownTotalMs / 1_000);
    lostTurns.set(quota, gate.lostTurns);
    for (const name of MODES) mode.set({ mode: name }, gate.mode === name ? 1 : 0);
  };

  return (snapshot) => {
    for (const series of [
      lag,
      endOffset,
      age,
      lastCommit,
      assigned,
      paused,
      limit,
      remaining,
      usedRatio,
      foreign,
      guard,
      resets,
    ])
      series.reset();
    snapshot.partitions.forEach(fillPartition);
    fillQuota(snapshot);
    breaker.set({ state: "open" }, snapshot.halted ? 1 : 0);
    breaker.set({ state: "closed" }, snapshot.halted ? 0 : 1);
    for (const [entity, count] of snapshot.parked) parked.set({ entity }, count);
    windowRecords.set(snapshot.windowRecords);
    windowBytes.set(snapshot.windowBytes);
  };
};
