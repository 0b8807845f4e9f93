/**
 * Gives every event its level, its sentence and its metrics. Silence is health: `info` for start, stop and rebalance,
 * `warn` when we recover alone, `error` when a person must act; what happens per record or request is only counted.
 */
import type { Registry } from "prom-client";
import type { Emit, Events } from "./events.ts";
import type { Logger } from "./logger.ts";
import { createMetrics, type Metrics, QUOTA } from "./metrics.ts";
import { printable } from "./text.ts";

interface Line {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly sentence: string;
}

interface Observation<F> {
  readonly line?: (fields: F) => Line;
  readonly count?: (metrics: Metrics, fields: F) => void;
}

type Observations = { readonly [N in keyof Events]: Observation<Events[N]> };

export const observe = ({ logger, registry }: { readonly logger: Logger; readonly registry: Registry }): Emit => {
  const metrics = createMetrics(registry);
  return (name, fields) => {
    const { line, count } = OBSERVATIONS[name];
    count?.(metrics, fields);
    if (line === undefined) return;
    const { level, sentence } = line(fields);
    logger[level]({ event: name, ...printableFields(fields) }, printable(sentence));
  };
};

const printableFields = (fields: object): object =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === "string" ? printable(value) : value]),
  );

const debug = (sentence: string): Line => ({ level: "debug", sentence });
const info = (sentence: string): Line => ({ level: "info", sentence });
const warn = (sentence: string): Line => ({ level: "warn", sentence });
const error = (sentence: string): Line => ({ level: "error", sentence });

/** Tries are half a minute apart at most: what stands still is said about every ten minutes. */
const SAY_AGAIN = 20;
/** What keeps a record from being read and ends without anybody's help. */
const PASSES: ReadonlySet<string> = new Set(["REGISTRY_UNREACHABLE", "SCHEMA_NOT_FOUND_YET"]);

const OBSERVATIONS: Observations = {
  // life
  started: {
    line: ({ version, groupId, dialect, account }) =>
      info(
        `sell-sink ${version} delivers as group ${groupId} to the account ${account} in the ${dialect} dialect; Zendesk retires Sell on 2027-08-31.`,
      ),
  },
  stopping: {
    line: ({ signal }) => info(`Stopping on ${signal}: calls in flight end, then the offsets are committed.`),
  },
  stopped: { line: ({ tookMs }) => info(`Stopped after ${tookMs} ms.`) },

  // source
  joined: {
    line: ({ kept, gained, lost }) =>
      info(`Joined the group: ${gained} partitions gained, ${kept} kept, ${lost} lost.`),
    count: ({ rebalances, rebalanceDuration }, { tookMs }) => {
      rebalances.inc();
      rebalanceDuration.observe(tookMs / 1_000);
    },
  },
  "kafka-unreachable": {
    line: ({ brokers, cause }) => warn(`Kafka at ${brokers} does not answer (${cause}); trying again until it does.`),
  },
  "kafka-crashed": {
    line: ({ cause, restart }) =>
      restart
        ? warn(`The Kafka consumer failed (${cause}) and restarts by itself.`)
        : error(`The Kafka consumer failed for good (${cause}); the process exits, to be started again.`),
  },
  "offset-out-of-range": {
    line: ({ partition, expected, got }) =>
      error(
        `Kafka no longer has offset ${expected} of ${partition}, reading goes on at ${got}: records in between were deleted unread. Raise the topic's retention, then resync.`,
      ),
  },
  "commit-refused": { line: ({ cause }) => warn(`Kafka refused a commit (${cause}); it comes again.`) },
  committed: {},
  "partition-paused": { line: ({ topic, partition, reason }) => debug(`Paused ${topic}[${partition}]: ${reason}.`) },
  "partition-resumed": { line: ({ topic, partition }) => debug(`Resumed ${topic}[${partition}].`) },
  "late-wait": {
    line: ({ partition, waitMs }) =>
      info(`${partition} waits ${waitMs} ms: its last owner may have left a call on the way.`),
  },

  // decode, map
  "registry-unreachable": {
    line: ({ url, cause }) => warn(`The schema registry at ${url} does not answer (${cause}); its records wait.`),
  },
  "record-stalled": {
    line: ({ topic, partition, code, attempt, cause }) => {
      const say = attempt % SAY_AGAIN !== 1 ? debug : PASSES.has(code) ? warn : error;
      return say(`${topic}[${partition}] stands still: ${cause}`);
    },
    count: ({ stalled }, { topic, code }) => stalled.inc({ topic, code }),
  },
  "record-skipped": { count: ({ skipped }, { reason }) => skipped.add(reason) },
  "dead-lettered": {
    line: ({ position, reason, message }) => warn(`${position} went to the dead letters (${reason}): ${message}`),
    count: ({ deadLettered }, { reason }) => deadLettered.inc({ reason }),
  },
  "dead-letter-failed": {
    line: ({ topic, cause }) =>
      error(
        `The dead-letter topic ${topic} takes no record (${cause}); commits wait. Check that it exists and may be written.`,
      ),
  },

  // gate
  "permit-granted": {
    count: ({ quotaWait }, { lane, waitedMs }) => quotaWait.observe({ quota: QUOTA, lane }, waitedMs / 1_000),
  },
  "permit-unused": { count: ({ unusedPermits }, { lane }) => unusedPermits.inc({ lane }) },
  "cooldown-started": {
    line: ({ waitMs, source }) =>
      warn(`Sell asked for a pause of ${Math.ceil(waitMs / 1_000)} s (read from: ${source}); no replica sends before.`),
  },
  "redis-unreachable": {
    line: ({ address, cause }) =>
      warn(`Redis at ${address} does not answer (${cause}); nothing is sent until it does.`),
  },
  "redis-back": { line: ({ address }) => info(`Redis at ${address} answers again.`) },
  "gate-cold-start": {
    line: ({ cause }) =>
      warn(`The quota's record is gone (${cause}); the first call waits a moment, so that nothing is spent twice.`),
  },

  // deliver
  "sell-unreachable": { line: ({ cause }) => warn(`${cause} Trying again until it answers; nothing is consumed.`) },
  "request-done": {
    count: ({ requests, requestDuration, throttled }, { verb, code, tookMs }) => {
      requests.inc({ operation: verb, code });
      requestDuration.observe({ operation: verb, code: codeClass(code) }, tookMs / 1_000);
      if (code === "429") throttled.inc({ quota: QUOTA });
    },
  },
  "batch-closed": {
    count: ({ batches, batchItems }, { reason, items }) => {
      batches.inc({ reason });
      batchItems.observe(items);
    },
  },
  "dialect-probed": {
    line: ({ dialect, code }) => info(`Sell speaks the ${dialect} dialect: the probe was answered ${code}.`),
  },
  delivered: {
    count: ({ delivered, deliveryLatency }, { topic, result, latencyMs }) => {
      delivered.add(result);
      deliveryLatency.add(topic, result, Math.max(latencyMs, 0) / 1_000);
    },
  },
  superseded: { count: ({ skipped }, { count }) => skipped.add("superseded", count) },
  retried: {
    line: ({ reason, items, waitMs }) => debug(`${items} records are sent again in ${waitMs} ms (${reason}).`),
    count: ({ retries }, { reason, items }) => retries.inc({ reason }, items),
  },
  "outcome-unknown": {
    line: ({ reason, items }) =>
      warn(`Nobody knows whether Sell applied ${items} records (${reason}); the same request is sent again.`),
  },
  halted: { line: ({ message }) => error(message) },
  unhalted: { line: ({ kind }) => info(`Requests go on: the cause of the stop (${kind}) is gone.`) },
  "reference-parked": { count: ({ parked }, { entity }) => parked.inc({ entity }) },
  "no-op": { count: ({ skipped }) => skipped.add("no-op") },
  "stale-skipped": { count: ({ skipped }, { reason }) => skipped.add(reason) },

  // store
  "store-failed": {
    line: ({ cause }) => warn(`The memory of Sell's records is away (${cause}); some work is repeated meanwhile.`),
  },
};

/** `2xx` for `200`; what is no status stays as it is. */
const codeClass = (code: string): string => (/^\d{3}$/.test(code) ? `${code[0]}xx` : code);
