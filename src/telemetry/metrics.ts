/** Counters and histograms, fed by events. Names, labels and units are a contract with alerts and dashboards. */
import { getHeapStatistics } from "node:v8";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { ENTITIES } from "../domain/mutation.ts";
import { REFUSAL_REASONS } from "../lib/redis-refusal.ts";
import { INCIDENT_CAUSES } from "./incident-cause.ts";
import { TallyCounter, TallyHistogram } from "./tally.ts";

export const PREFIX = "sell_sink_";

/** The one quota there is; a label, because a second one must not rename the series. */
export const QUOTA = "sell";

/** `consumergroup` stands on every series, so that alerts can join on it. */
export const createRegistry = (consumerGroup: string, version: string): Registry => {
  const registry = new Registry();
  registry.setDefaultLabels({ consumergroup: consumerGroup });
  collectDefaultMetrics({ register: registry, prefix: PREFIX });
  // Gauges that are called like counters: the same numbers are there by type, under a proper name.
  for (const what of ["handles", "requests", "resources"]) {
    registry.removeSingleMetric(`${PREFIX}nodejs_active_${what}_total`);
  }
  new Gauge({
    name: `${PREFIX}build_info`,
    help: "Always 1; the version is a label.",
    labelNames: ["version"],
    registers: [registry],
  }).set({ version }, 1);
  new Gauge({
    name: `${PREFIX}nodejs_heap_limit_bytes`,
    help: "Most that the heap may hold: beyond it the process dies.",
    registers: [registry],
  }).set(getHeapStatistics().heap_size_limit);
  return registry;
};

const LATENCY_BUCKETS_S = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400];
const REQUEST_BUCKETS_S = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 6, 10];
const WAIT_BUCKETS_S = [0.01, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600];
const ARRIVAL_BUCKETS_S = [0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1, 1.5, 2, 3, 6];
const REDIS_BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25];
const REBALANCE_BUCKETS_S = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const ITEM_BUCKETS = [1, 5, 10, 20, 30, 40, 50];

/** Of a batch, and `open`: the questions asked at the start. */
const OPERATIONS = ["upsert", "update", "delete", "lookup", "open"];
/** A counter must exist at 0, else its first increase is invisible to `rate`. */
const RESULTS = ["created", "updated", "unchanged", "deleted"];
const FIRST_CODES = ["200", "401", "403", "429"];
const DEAD_LETTER_REASONS = [
  ...["empty-value", "too-large", "invalid-json", "unknown-magic-byte", "schema-unknown", "truncated-avro"],
  ...["shape-mismatch", "unknown-op", "missing-after", "unidentifiable-delete", "bad-value", "mapping-error"],
  ...[
    "no-identity",
    "value-not-listed",
    "unresolved-reference",
    "invalid-record",
    "invalid-request",
    "ambiguous-match",
  ],
  ...["conflict", "not-found", "record-gone", "skipped"],
];
const SKIPPED_FOR = ["superseded", "no-op", "filtered", "delete-ignored", "stale", "duplicate"];
const RETRIED_FOR = ["no-reply", "status-429", "status-500", "status-502", "status-503", "status-504"];
const HELD_BY = ["pace", "window", "queue", "announced", "cool-down", "no-answer"];
const CLOSED_BY = ["count", "age", "retry"];

export const createMetrics = (registry: Registry) => {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter({ name: `${PREFIX}${name}`, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, labelNames: readonly L[], buckets: number[]) =>
    new Histogram({ name: `${PREFIX}${name}`, help, labelNames, buckets, registers });

  const tally = (name: string, help: string, label: string, first: readonly string[] = []) =>
    new TallyCounter(`${PREFIX}${name}`, help, label, registry, first);

  const metrics = {
    requests: counter("requests_total", "Requests to Sell, every attempt.", ["operation", "code"]),
    requestDuration: histogram(
      "request_duration_seconds",
      "Duration of one attempt.",
      ["operation", "code"],
      REQUEST_BUCKETS_S,
    ),
    retries: counter("retries_total", "Records that have to be sent again.", ["reason"]),
    delivered: tally("records_delivered_total", "Records that Sell accepted.", "operation", RESULTS),
    deadLettered: counter("records_dead_lettered_total", "Records in the dead-letter topic.", ["reason"]),
    deadLetterFailures: counter(
      "dead_letter_failures_total",
      "Tries to write a dead letter that Kafka did not take; commits wait behind it.",
      [],
    ),
    massFailures: counter("mass_failures_total", "Topics that stopped because most of their records failed.", [
      "topic",
    ]),
    brakes: counter("brakes_total", "Topics that stopped because a route deleted or created too many records.", [
      "topic",
      "kind",
    ]),
    skipped: tally(
      "records_skipped_total",
      "Records that were settled without a call of their own.",
      "reason",
      SKIPPED_FOR,
    ),
    stalled: counter("decode_stalls_total", "Tries to read a record that has to wait, and its partition with it.", [
      "topic",
      "code",
    ]),
    deliveryLatency: new TallyHistogram(
      {
        name: `${PREFIX}delivery_latency_seconds`,
        help: "From the record's timestamp to its acceptance.",
        labelNames: ["topic", "operation"],
        registry,
      },
      LATENCY_BUCKETS_S,
    ),
    isolated: counter("record_isolations_total", "Tries of a record at which Sell fails while it answers for others.", [
      "entity",
    ]),
    throttled: counter(
      "throttled_responses_total",
      "Answers that the quota is used up, in spite of the gate: somebody else spends.",
      ["quota"],
    ),
    incidents: counter(
      "quota_incidents_total",
      "Waits that Sell asked for, by who used up the quota: our own calls, those of others, or there was no limit.",
      ["cause"],
    ),
    coldStarts: counter("quota_cold_starts_total", "Times the quota's record was not there or was lost.", []),
    redisOutages: counter("redis_outages_total", "Times Redis did not answer for longer than a second.", []),
    arrival: histogram(
      "quota_arrival_seconds",
      "From a permit to the answer of its call: Sell counts the call in between, and the guard covers how uneven that is.",
      ["quota"],
      ARRIVAL_BUCKETS_S,
    ),
    quotaWait: histogram("quota_wait_seconds", "Wait for a permit.", ["quota", "lane"], WAIT_BUCKETS_S),
    quotaHeld: counter(
      "quota_held_seconds_total",
      "Seconds in which a lane waited for a permit, by what held it: pace, window, queue (calls of ours come first), announced (headers), cool-down, no-answer.",
      ["lane", "reason"],
    ),
    permits: counter("permits_granted_total", "Permits, by who decided: Redis for all replicas, or this one alone.", [
      "lane",
      "by",
    ]),
    limiterTime: histogram(
      "quota_redis_seconds",
      "Time in which Redis answers a question about the quota.",
      [],
      REDIS_BUCKETS_S,
    ),
    unusedPermits: counter("permits_unused_total", "Permits granted and dropped.", ["lane"]),
    redisRefusals: counter("redis_refusals_total", "Commands that Redis answered and refused.", ["reason"]),
    parked: counter("records_parked_total", "Records that had to wait for the record they refer to.", ["entity"]),
    batches: counter("batches_total", "Batches by the reason they left for.", ["reason"]),
    batchChanges: counter("batch_changes_total", "Changes that the records in requests stood for.", []),
    batchItems: histogram("batch_items", "Records in one request.", [], ITEM_BUCKETS),
    rebalances: counter("rebalances_total", "Joins of the consumer group.", []),
    rebalanceDuration: histogram("rebalance_duration_seconds", "Duration of one join.", [], REBALANCE_BUCKETS_S),
  };
  for (const operation of OPERATIONS) {
    for (const code of FIRST_CODES) metrics.requests.inc({ operation, code }, 0);
  }
  for (const reason of DEAD_LETTER_REASONS) metrics.deadLettered.inc({ reason }, 0);
  for (const reason of RETRIED_FOR) metrics.retries.inc({ reason }, 0);
  for (const reason of CLOSED_BY) metrics.batches.inc({ reason }, 0);
  for (const lane of ["live", "backfill"]) {
    metrics.unusedPermits.inc({ lane }, 0);
    for (const by of ["redis", "local"]) metrics.permits.inc({ lane, by }, 0);
    for (const reason of HELD_BY) metrics.quotaHeld.inc({ lane, reason }, 0);
    metrics.quotaWait.zero({ quota: QUOTA, lane });
  }
  for (const entity of ENTITIES) {
    metrics.isolated.inc({ entity }, 0);
    metrics.parked.inc({ entity }, 0);
  }
  for (const reason of REFUSAL_REASONS) metrics.redisRefusals.inc({ reason }, 0);
  for (const cause of INCIDENT_CAUSES) metrics.incidents.inc({ cause }, 0);
  metrics.throttled.inc({ quota: QUOTA }, 0);
  metrics.arrival.zero({ quota: QUOTA });
  return metrics;
};

export type Metrics = ReturnType<typeof createMetrics>;
