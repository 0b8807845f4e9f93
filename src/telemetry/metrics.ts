/** Counters and histograms, fed by events. Names, labels and units are a contract with alerts and dashboards. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { TallyCounter, TallyHistogram } from "./tally.ts";

export const PREFIX = "sell_sink_";

/** The one quota there is; a label, because a second one must not rename the series. */
export const QUOTA = "sell";

/** `consumergroup` stands on every series, so that alerts can join on it. */
export const createRegistry = (consumerGroup: string, version: string): Registry => {
  const registry = new Registry();
  registry.setDefaultLabels({ consumergroup: consumerGroup });
  collectDefaultMetrics({ register: registry, prefix: PREFIX });
  new Gauge({
    name: `${PREFIX}build_info`,
    help: "Always 1; the version is a label.",
    labelNames: ["version"],
    registers: [registry],
  }).set({ version }, 1);
  return registry;
};

const LATENCY_BUCKETS_S = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400];
const REQUEST_BUCKETS_S = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 6, 10];
const WAIT_BUCKETS_S = [0.01, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600];
const REBALANCE_BUCKETS_S = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const ITEM_BUCKETS = [1, 5, 10, 20, 30, 40, 50];

const VERBS = ["upsert", "update", "delete", "lookup"];
/** A counter must exist at 0, else its first increase is invisible to `rate`. */
const RESULTS = ["created", "updated", "unchanged", "deleted"];
const FIRST_CODES = ["200", "401", "403", "429"];
const FIRST_REASONS = ["mapping-error", "no-identity", "bad-value", "unresolved-reference"];

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
    skipped: tally("records_skipped_total", "Records that were settled without a call of their own.", "reason"),
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
    throttled: counter("throttled_responses_total", "Answers 429 in spite of the gate: somebody else spends.", [
      "quota",
    ]),
    quotaWait: histogram("quota_wait_seconds", "Wait for a permit.", ["quota", "lane"], WAIT_BUCKETS_S),
    unusedPermits: counter("permits_unused_total", "Permits granted and dropped.", ["lane"]),
    parked: counter("records_parked_total", "Records that had to wait for the record they refer to.", ["entity"]),
    batches: counter("batches_total", "Batches by the reason they left for.", ["reason"]),
    batchItems: histogram("batch_items", "Records in one request.", [], ITEM_BUCKETS),
    rebalances: counter("rebalances_total", "Joins of the consumer group.", []),
    rebalanceDuration: histogram("rebalance_duration_seconds", "Duration of one join.", [], REBALANCE_BUCKETS_S),
  };
  for (const operation of VERBS) {
    for (const code of FIRST_CODES) metrics.requests.inc({ operation, code }, 0);
  }
  for (const reason of FIRST_REASONS) metrics.deadLettered.inc({ reason }, 0);
  for (const lane of ["live", "backfill"]) metrics.unusedPermits.inc({ lane }, 0);
  metrics.throttled.inc({ quota: QUOTA }, 0);
  return metrics;
};

export type Metrics = ReturnType<typeof createMetrics>;
