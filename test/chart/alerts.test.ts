/**
 * Alerts and recording rules, in Prometheus' own test tool. Each scenario is a healthy release in which some series differ, and
 * says everything that fires: so what it does not name has stayed quiet.
 */
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { checkRules, hasPromtool, type Series, testRules } from "./promtool.ts";
import { CHART, type Manifest, one, render } from "./render.ts";

const HOUR = 60;
/** Longer than the longest window of a rule. */
const LATER = 7 * HOUR;
const ALL = 2 * LATER;
const FILES = [join(CHART, "ci/production-values.yaml")];

let rules: Manifest;

beforeAll(async () => {
  const monitoring = { rules: { excludeRules: [] } };
  rules = one(await render({ files: FILES, values: { monitoring } }), "PrometheusRule").spec;
});

const metric = (name: string, labels: Readonly<Record<string, string>> = {}): string => {
  const all = { consumergroup: "sell-sink", pod: "a", ...labels };
  const text = Object.entries(all).map(([label, value]) => `${label}="${value}"`);
  return `sell_sink_${name}{${text.join(",")}}`;
};

const TP = { topic: "erp.sales.orders", partition: "0" };
const age = (lane: string): string => metric("oldest_pending_record_age_seconds", { ...TP, lane });
const LAG = metric("consumer_lag_records", TP);
const COMMIT = metric("last_commit_timestamp_seconds", TP);
const END = metric("log_end_offset", TP);
const EXHAUSTED = metric("quota_exhausted", { quota: "sell" });
const COOLDOWN = metric("cooldown_left_seconds", { quota: "sell" });
const PERMITS = metric("quota_permits_per_second", { quota: "sell" });
const DELIVERED = metric("records_delivered_total", { operation: "updated" });
const THROTTLED = metric("throttled_responses_total", { quota: "sell" });
const REBALANCES = metric("rebalances_total");
const requests = (code: string): string => metric("requests_total", { operation: "upsert", code });
const letters = (reason: string): string => metric("records_dead_lettered_total", { reason });
const mode = (name: string): string => metric("limiter_mode", { mode: name });
const RETENTION = metric("topic_retention_seconds", { topic: TP.topic });
const SUBSCRIBED = metric("subscription_info", { topic: TP.topic, timestamp_type: "CreateTime" });
const BREAKER = metric("breaker_state", { state: "open" });
const EXPORTED = 'kafka_topic_partition_current_offset{topic="erp.sales.orders",partition="1"}';

/** `change` a minute, from `start` on. */
const line = (start: number, change: number, minutes = ALL): readonly number[] =>
  Array.from({ length: minutes + 1 }, (_, minute) => start + change * minute);

/** `before` until a minute, then `after` of the minutes since. */
const from = (minute: number, before: number, after: (since: number) => number): readonly number[] =>
  Array.from({ length: ALL + 1 }, (_, now) => (now < minute ? before : after(now - minute)));

/** 36 changes a minute arrive and are delivered, 18 a call; 200 calls a minute are permitted. */
const HEALTHY: Series = {
  [age("live")]: 2,
  [age("backfill")]: 0,
  [LAG]: 1,
  [END]: line(1_000, 36),
  [COMMIT]: line(1_700_000_000, 60),
  [EXHAUSTED]: 0,
  [COOLDOWN]: 0,
  [PERMITS]: 200 / 60,
  [DELIVERED]: line(0, 36),
  [requests("200")]: line(0, 2),
  [requests("401")]: 0,
  [requests("403")]: 0,
  [requests("429")]: 0,
  [THROTTLED]: 0,
  [REBALANCES]: 2,
  [letters("bad-value")]: 0,
  [mode("redis")]: 1,
  [mode("local")]: 0,
  [mode("closed")]: 0,
  [BREAKER]: 0,
  [RETENTION]: 604_800,
  [SUBSCRIBED]: 1,
};

interface Scenario {
  readonly series: Series;
  /** Series that are not there at all. */
  readonly without?: readonly string[];
  readonly atMinute: number;
  /** Everything that fires then: `alert/severity`. */
  readonly fires: readonly string[];
}

/** A tenth of the time late, in slices of six minutes an hour. */
const lateSlices = Array.from({ length: ALL + 1 }, (_, minute) => (minute % 30 >= 27 ? 600 : 2));
const STALLED: Series = { [LAG]: 500, [END]: 1_500, [COMMIT]: 1_700_000_000, [DELIVERED]: 0, [requests("200")]: 0 };

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  "a healthy release": { series: {}, atMinute: LATER, fires: [] },

  "live changes late for ten minutes": {
    series: { [age("live")]: from(LATER, 2, () => 600) },
    atMinute: LATER + 10,
    fires: ["DeliveryStale/page"],
  },
  "live changes late for five minutes": {
    series: { [age("live")]: from(LATER, 2, () => 600) },
    atMinute: LATER + 5,
    fires: [],
  },
  "live changes late again and again, each time for three minutes": {
    series: { [age("live")]: lateSlices },
    atMinute: LATER + 29,
    fires: ["DeliveryStale/page"],
  },
  "live changes late because the quota is used up": {
    series: { [age("live")]: from(LATER, 2, (since) => 60 * since), [EXHAUSTED]: from(LATER, 0, () => 1) },
    atMinute: LATER + 20,
    fires: ["DeliveryStale/page", "QuotaExhausted/info"],
  },
  "a backfill of 300,000 records at the pace of the quota": {
    series: {
      [age("backfill")]: from(LATER, 0, (since) => 60 * since),
      [END]: from(LATER, 1_000, () => 301_000),
      [LAG]: from(LATER, 1, (since) => Math.max(1, 300_000 - 3_600 * since)),
      [DELIVERED]: from(LATER, 0, (since) => 3_600 * since),
      [requests("200")]: from(LATER, 0, (since) => 200 * since),
      [EXHAUSTED]: from(LATER, 0, () => 1),
    },
    atMinute: LATER + HOUR,
    fires: ["QuotaExhausted/info"],
  },
  "a backfill that Sell makes wait": {
    series: {
      [age("backfill")]: from(LATER, 0, (since) => 60 * since),
      [END]: from(LATER, 1_000, () => 301_000),
      [LAG]: from(LATER, 1, () => 300_000),
      [COMMIT]: from(LATER, 1_700_000_000, () => 1_700_025_200),
      [EXHAUSTED]: from(LATER, 0, () => 1),
      [COOLDOWN]: from(LATER, 0, (since) => Math.max(0, 3_600 - 60 * since)),
      [DELIVERED]: 0,
      [requests("200")]: 0,
    },
    atMinute: LATER + 40,
    fires: ["BacklogWillMissDeadline/warn", "QuotaExhausted/info"],
  },

  "nothing committed for twenty minutes": { series: STALLED, atMinute: 20, fires: ["Stalled/page"] },
  "nothing committed for ten minutes": { series: STALLED, atMinute: 10, fires: [] },
  "nothing committed because the quota is used up": {
    series: { ...STALLED, [EXHAUSTED]: 1 },
    atMinute: 20,
    fires: ["QuotaExhausted/info"],
  },
  "a partition that another pod took over goes on": {
    series: {
      ...STALLED,
      [COMMIT]: from(10, 1_700_000_000, () => Number.NaN),
      [COMMIT.replace('pod="a"', 'pod="b"')]: from(10, Number.NaN, (since) => 1_700_000_600 + 60 * since),
    },
    atMinute: 40,
    fires: [],
  },

  "more arrives than may leave": {
    series: {
      [END]: line(0, 7_200),
      [LAG]: line(0, 3_600),
      [DELIVERED]: line(0, 3_600),
      [requests("200")]: line(0, 200),
    },
    atMinute: 2 * HOUR,
    fires: ["BacklogWillMissDeadline/warn", "QuotaStructurallyInsufficient/ticket"],
  },
  "as much arrives as may leave, nearly": {
    series: { [END]: line(0, 3_400), [DELIVERED]: line(0, 3_600), [requests("200")]: line(0, 200) },
    atMinute: 2 * HOUR,
    fires: [],
  },
  "a backlog for ten hours": {
    series: { [LAG]: 36_000 * 18 * 3.4, [END]: 0 },
    atMinute: HOUR,
    fires: ["BacklogWillMissDeadline/warn"],
  },

  "records nearly as old as Kafka keeps them": {
    series: { [age("backfill")]: line(500_000, 60) },
    atMinute: 2 * HOUR,
    fires: ["RetentionRisk/page"],
  },
  "records older than the values say, of a topic that keeps them longer": {
    series: { [age("backfill")]: line(500_000, 60), [RETENTION]: 6_048_000 },
    atMinute: 2 * HOUR,
    fires: [],
  },
  "a first run over a topic that is only compacted": {
    series: { [age("backfill")]: line(90_000_000, 60), [RETENTION]: Number.POSITIVE_INFINITY },
    atMinute: 2 * HOUR,
    fires: [],
  },
  "records nearly as old as the values say, of a topic that may not be described": {
    series: { [age("backfill")]: line(500_000, 60) },
    without: [RETENTION],
    atMinute: 2 * HOUR,
    fires: ["RetentionRisk/page"],
  },
  "old records that wait for the quota": {
    series: { [age("live")]: line(500_000, 60), [EXHAUSTED]: 1 },
    atMinute: 2 * HOUR,
    fires: ["DeliveryStale/page", "QuotaExhausted/info", "RetentionRisk/page"],
  },
  "old records that become younger": {
    series: { [age("backfill")]: line(560_000, -60) },
    atMinute: 2 * HOUR,
    fires: [],
  },

  "the quota used up for twenty minutes": { series: { [EXHAUSTED]: 1 }, atMinute: 20, fires: ["QuotaExhausted/info"] },
  "the quota used up for five hours": {
    series: { [EXHAUSTED]: 1 },
    atMinute: 5 * HOUR,
    fires: ["QuotaExhausted/info", "QuotaExhausted/warn"],
  },
  "every trouble there is, while the quota is used up": {
    series: {
      ...STALLED,
      [EXHAUSTED]: 1,
      [age("live")]: line(500_000, 60),
      [END]: line(0, 7_200),
      [THROTTLED]: line(0, 1),
      [requests("401")]: line(0, 1),
      [requests("403")]: line(0, 1),
      [letters("bad-value")]: line(0, 20),
      [REBALANCES]: line(0, 1),
      [mode("redis")]: 0,
      [mode("closed")]: 1,
      [BREAKER]: 1,
      [EXPORTED]: 500,
    },
    atMinute: 2 * HOUR,
    // All but Stalled: what waits for the quota does not stand still.
    fires: [
      ...["AuthFailing/page", "AuthFailing/ticket", "BacklogWillMissDeadline/warn", "BreakerOpen/warn"],
      ...["DeadLettersAppearing/page", "DeadLettersAppearing/ticket", "DeliveryStale/page", "LimiterDegraded/warn"],
      ...["PartitionUnowned/page", "QuotaExhausted/info", "QuotaStructurallyInsufficient/ticket"],
      ...["RebalanceStorm/warn", "RetentionRisk/page", "UpstreamThrottling/ticket"],
    ],
  },
  "nobody there, while the quota was used up": {
    series: { [EXHAUSTED]: from(10, 1, () => Number.NaN) },
    without: [age("live"), age("backfill")],
    atMinute: 30,
    fires: ["ConsumerGone/page"],
  },
  "the quota used up now and then": {
    series: { [EXHAUSTED]: Array.from({ length: LATER + 1 }, (_, minute) => minute % 2) },
    atMinute: LATER,
    fires: [],
  },

  "429 in spite of the gate": {
    series: { [THROTTLED]: line(0, 1), [requests("200")]: line(0, 20) },
    atMinute: HOUR,
    fires: ["UpstreamThrottling/ticket"],
  },
  "429 now and then": {
    series: { [THROTTLED]: line(0, 1), [requests("200")]: line(0, 90) },
    atMinute: HOUR,
    fires: [],
  },

  "one dead letter": {
    series: { [letters("bad-value")]: from(LATER, 0, () => 1) },
    atMinute: LATER + 5,
    fires: ["DeadLettersAppearing/ticket"],
  },
  "two hundred dead letters": {
    series: { [letters("bad-value")]: from(LATER, 0, () => 200) },
    atMinute: LATER + 5,
    fires: ["DeadLettersAppearing/page", "DeadLettersAppearing/ticket"],
  },
  "dead letters of long ago": { series: { [letters("bad-value")]: 200 }, atMinute: LATER, fires: [] },

  "nobody there": { series: {}, without: [age("live"), age("backfill")], atMinute: 10, fires: ["ConsumerGone/page"] },
  "nobody there for three minutes, as in a rollout": {
    series: { [age("live")]: from(LATER, 2, () => Number.NaN), [age("backfill")]: from(LATER, 0, () => Number.NaN) },
    // A series counts as there for five minutes after its last value.
    atMinute: LATER + 8,
    fires: [],
  },

  "ten rebalances": {
    series: { [REBALANCES]: from(LATER, 2, (since) => 2 + since) },
    atMinute: LATER + 10,
    fires: ["RebalanceStorm/warn"],
  },
  "three rebalances, as in a rollout": {
    series: { [REBALANCES]: from(LATER, 2, (since) => Math.min(5, 2 + since)) },
    atMinute: LATER + 10,
    fires: [],
  },

  "Redis away": { series: { [mode("redis")]: 0, [mode("closed")]: 1 }, atMinute: 10, fires: ["LimiterDegraded/warn"] },
  "Redis away for three minutes": { series: { [mode("redis")]: 0, [mode("closed")]: 1 }, atMinute: 3, fires: [] },

  "requests stopped": { series: { [BREAKER]: 1 }, atMinute: 15, fires: ["BreakerOpen/warn"] },
  "requests stopped for five minutes": { series: { [BREAKER]: 1 }, atMinute: 5, fires: [] },

  "the token refused": { series: { [requests("401")]: line(0, 1) }, atMinute: 10, fires: ["AuthFailing/page"] },
  "a right missing": { series: { [requests("403")]: line(0, 1) }, atMinute: 10, fires: ["AuthFailing/ticket"] },
  "one 401 of long ago": { series: { [requests("401")]: 1 }, atMinute: LATER, fires: [] },

  "a partition that nobody owns": { series: { [EXPORTED]: 500 }, atMinute: 15, fires: ["PartitionUnowned/page"] },
  "a partition whose offset the exporter does not know": { series: { [EXPORTED]: -1 }, atMinute: 15, fires: [] },
};

const alerts = test.skipIf(!hasPromtool());

alerts("promtool takes the rules of every release", async () => {
  expect(await checkRules(rules)).toMatch(/SUCCESS: 2[0-9] rules found/);
});

alerts.for(Object.entries(SCENARIOS))("%s", async ([, { series, without = [], atMinute, fires }]) => {
  const all = Object.entries({ ...HEALTHY, ...series }).filter(([name]) => !without.includes(name));
  const expr = 'max by (alertname, severity) (ALERTS{alertstate="firing"})';
  const samples = fires.map((fired) => {
    const [name, severity] = fired.split("/");
    return [`{alertname="SellSink${name}",severity="${severity}"}`, 1] as const;
  });
  await testRules(rules, Object.fromEntries(all), ALL, [{ expr, atMinute, samples }]);
});

test("each alert has a scenario in which it fires and a page that says what to do", () => {
  const fired = new Set(Object.values(SCENARIOS).flatMap(({ fires }) => fires.map((name) => name.split("/")[0])));
  const files = globSync(join(CHART, "alerts/*.yaml"));
  const declared = files.map((file) => parse(readFileSync(file, "utf8")).alert.replace("SellSink", ""));
  expect([...fired].toSorted()).toEqual(declared.toSorted());
  const pages = globSync(join(CHART, "../runbooks/*.md")).map((file) => basename(file, ".md"));
  expect(pages).toEqual(expect.arrayContaining(files.map((file) => basename(file, ".yaml"))));
});

test("threshold, duration, severity and labels of an alert are values", async () => {
  const values = { monitoring: { rules: { enabled: true } } };
  const everything = one(await render({ files: [join(CHART, "ci/everything-values.yaml")], values }), "PrometheusRule");
  const stalled = everything.spec.groups[1].rules.find(({ alert }: Manifest) => alert === "SellSinkStalled");
  expect(stalled).toMatchObject({ for: "30m", labels: { severity: "ticket", team: "crm" } });
  expect(stalled.expr).toContain("> 5");
});

test("alerts link to their pages", () => {
  for (const { annotations } of rules.groups[1].rules) {
    expect(annotations.runbook_url).toMatch(/^https:\/\/git\.example\.com\/sell-sink\/deploy\/runbooks\/[a-z-]+\.md$/);
  }
});

test("an excluded alert is not there; without Redis neither is the one about the local limiter", async () => {
  const monitoring = { rules: { enabled: true, excludeRules: ["stalled"] } };
  const files = [join(CHART, "ci/minimal-values.yaml")];
  const { groups } = one(await render({ files, values: { monitoring } }), "PrometheusRule").spec;
  const names = groups[1].rules.map(({ alert }: Manifest) => alert);
  expect(names).toContain("SellSinkPartitionUnowned");
  expect(names).not.toContain("SellSinkStalled");
  expect(names).not.toContain("SellSinkLimiterDegraded");
});

/** Backlog and cool-down in seconds, arrivals a minute, calls and deliveries a minute. */
const etaOf = (backlog: number, cooldown: number, arrivals: number, calls: number, delivered: number): Series => ({
  [LAG]: backlog,
  [COOLDOWN]: cooldown,
  [END]: line(0, arrivals),
  [PERMITS]: 1,
  [requests("200")]: line(0, calls),
  [DELIVERED]: line(0, delivered),
});

alerts.for([
  ["a backlog at the pace of ten records a call", etaOf(90_000, 0, 0, 6, 60), 9_000],
  ["the same after a cool-down", etaOf(90_000, 1_800, 0, 6, 60), 10_800],
  ["as much as arrives is let through", etaOf(90_000, 0, 600, 6, 60), Number.POSITIVE_INFINITY],
  ["before any delivery a call counts as one record", etaOf(90_000, 0, 120, 0, 0), Number.POSITIVE_INFINITY],
  ["nothing waits", etaOf(0, 0, 0, 6, 60), 0],
] as const)("time to drain: %s", async ([, series, seconds]) => {
  const samples = [['sell_sink:drain_eta:seconds{consumergroup="sell-sink"}', seconds]] as const;
  await testRules(rules, series, ALL, [{ expr: "sell_sink:drain_eta:seconds", atMinute: HOUR, samples }]);
});
