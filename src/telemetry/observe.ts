/**
 * Gives every event its level, its sentence and its metrics. Silence is health: `info` for start, stop and rebalance,
 * `warn` when we recover alone, `error` when a person must act; what happens per record or request is only counted.
 */
import type { Registry } from "prom-client";
import type { Emit, Events } from "./events.ts";
import { causeOf } from "./incident-cause.ts";
import type { Logger } from "./logger.ts";
import { createMetrics, type Metrics, QUOTA } from "./metrics.ts";
import { printable, scrubber } from "./text.ts";

interface Line {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly sentence: string;
}

interface Observation<F> {
  readonly line?: (fields: F) => Line;
  readonly count?: (metrics: Metrics, fields: F) => void;
}

type Observations = { readonly [N in keyof Events]: Observation<Events[N]> };

interface Observed {
  readonly logger: Logger;
  readonly registry: Registry;
  /** No event holds one knowingly; but a server that quotes our request back must not have it logged. */
  readonly secrets?: Iterable<string>;
}

/** A shorter one, as some header's value, may well be a part of a topic's name. */
const SHORTEST_SECRET = 8;

export const observe = ({ logger, registry, secrets = [] }: Observed): Emit => {
  const metrics = createMetrics(registry);
  const withoutSecrets = scrubber([...secrets].filter(({ length }) => length >= SHORTEST_SECRET));
  const clean = (text: string): string => withoutSecrets(printable(text));
  const cleanFields = (fields: object): object =>
    Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, typeof value === "string" ? clean(value) : value]),
    );
  return (name, fields) => {
    const { line, count } = OBSERVATIONS[name];
    count?.(metrics, fields);
    if (line === undefined) return;
    const { level, sentence } = line(fields);
    if (!logger.isLevelEnabled(level)) return;
    logger[level]({ event: name, ...cleanFields(fields) }, clean(sentence));
  };
};

const debug = (sentence: string): Line => ({ level: "debug", sentence });
const info = (sentence: string): Line => ({ level: "info", sentence });
const warn = (sentence: string): Line => ({ level: "warn", sentence });
const error = (sentence: string): Line => ({ level: "error", sentence });

/** Tries are half a minute apart at most: what stands still is said about every ten minutes. */
const SAY_AGAIN = 20;
/** What keeps a record from being read and ends without anybody's help. */
const PASSES: ReadonlySet<string> = new Set(["REGISTRY_UNREACHABLE", "SCHEMA_NOT_FOUND_YET", "REPLAY_WAITS"]);

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
  subscribed: {
    count: ({ massFailures, brakes }, { topics }) => {
      for (const topic of topics) {
        massFailures.inc({ topic }, 0);
        for (const kind of ["deletions", "creations"]) brakes.inc({ topic, kind }, 0);
      }
    },
  },
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
    line: ({ partition, expected, got }) => {
      const where = `Kafka no longer has offset ${expected} of ${partition}, reading goes on at ${got}`;
      return Number(got) < Number(expected)
        ? error(`${where}: the topic was created again, or its log was cut. All that is there is written again.`)
        : error(
            `${where}: records in between were deleted unread, unless the topic was created again. Raise the topic's retention, then resync.`,
          );
    },
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
    count: ({ deadLetterFailures }) => deadLetterFailures.inc(),
  },

  "dead-letters-unchecked": {
    line: ({ topic }) =>
      warn(
        `This user may not describe the settings of ${topic}: see to it yourself that its cleanup.policy is delete, since a compacted topic loses dead letters.`,
      ),
  },
  "replay-unavailable": { line: ({ why }) => info(`Dead letters cannot be replayed: ${why}`) },
  "resync-outlived": {
    line: ({ begun }) =>
      warn(
        `The resync that began ${begun} is not written any further: what was accepted since may be forgotten, and nobody could tell what is newer. Run it again.`,
      ),
  },
  "mass-failure": {
    line: ({ topic, failures, outOf, message }) =>
      error(
        `${topic} stands still, and nothing of it is committed past here: ${failures} of its last ${outOf} records failed, the last one so: ${message} Correct the route or the topic and restart; if the records really are bad, raise deadLetter.massFailure.moreThan and restart.`,
      ),
    count: ({ massFailures }, { topic }) => massFailures.inc({ topic }),
  },

  // gate
  "permit-granted": {
    count: ({ quotaWait, permits }, { lane, by, waitedMs }) => {
      quotaWait.observe({ quota: QUOTA, lane }, waitedMs / 1_000);
      permits.inc({ lane, by });
    },
  },
  "permit-held": {
    count: ({ quotaHeld }, { lane, reason, heldMs }) => quotaHeld.inc({ lane, reason }, heldMs / 1_000),
  },
  "limiter-answered": { count: ({ limiterTime }, { tookMs }) => limiterTime.observe(tookMs / 1_000) },
  "permit-unused": { count: ({ unusedPermits }, { lane }) => unusedPermits.inc({ lane }) },
  "permit-used": { count: ({ arrival }, { answeredMs }) => arrival.observe({ quota: QUOTA }, answeredMs / 1_000) },
  "cooldown-started": {
    line: ({ waitMs, source, isLong }) => {
      const say = isLong ? error : warn;
      return say(
        `A pause of ${Math.ceil(waitMs / 1_000)} s began (read from: ${source}); no replica sends before it ends.`,
      );
    },
  },
  "quota-incident": {
    line: ({ windows, foreign, hintMs }) => {
      const own = windows.map(({ limit, perMs, used }) => `${used} of ${limit} calls in ${perMs / 1_000} s`);
      const others = foreign === null ? "what others spent is not known" : `others spent about ${foreign}`;
      const wait = hintMs === null ? "no wait told" : `a wait of ${Math.ceil(hintMs / 1_000)} s told`;
      return warn(
        `Sell refused a call (429, ${wait}): we had started ${own.join(", ") || "calls without a limit"}, ${others}. See sell-sink quota.`,
      );
    },
    count: ({ incidents }, incident) => incidents.inc({ cause: causeOf(incident) }),
  },
  "config-refused": {
    line: ({ cause }) => error(`The changed configuration file is refused, the limits stay as they were: ${cause}`),
  },
  "quota-changed": {
    line: ({ from, to }) => info(`The quota is ${to} now (it was ${from}); while replicas differ the lower one holds.`),
  },
  "window-spent": {
    line: ({ limit, perMs, waitMs }) =>
      warn(`The ${limit} calls per ${perMs / 1_000} s are spent; no replica sends for ${Math.ceil(waitMs / 1_000)} s.`),
  },
  "redis-unreachable": {
    line: ({ address, cause, sends }) =>
      warn(`Redis at ${address} does not answer (${cause}); until it does this replica sends ${sends}.`),
    count: ({ redisOutages }) => redisOutages.inc(),
  },
  "redis-refused": {
    line: ({ address, command, reason, needs, sends, again }) => {
      const say = again ? debug : error;
      return say(`Redis at ${address} refuses ${command} (${reason}); this replica sends ${sends} meanwhile. ${needs}`);
    },
    count: ({ redisRefusals }, { reason }) => redisRefusals.inc({ reason }),
  },
  "redis-back": { line: ({ address }) => info(`Redis at ${address} answers again.`) },
  "gate-cold-start": {
    line: ({ cause }) =>
      warn(`The quota's record is gone (${cause}); the first call waits a moment, so that nothing is spent twice.`),
    count: ({ coldStarts }) => coldStarts.inc(),
  },

  // deliver
  "sell-unreachable": { line: ({ cause }) => warn(`${cause} Trying again until it answers; nothing is consumed.`) },
  "not-compared": { line: ({ message }) => warn(message) },
  "request-done": {
    line: ({ verb, entity, items, code, tookMs, batchId, requestId }) =>
      debug(
        `Request ${batchId} (${verb} ${items} of ${entity}) ended with ${code} after ${Math.round(tookMs)} ms; Sell calls it ${requestId ?? "nothing"}.`,
      ),
    count: ({ requests, requestDuration }, { verb, code, tookMs }) => {
      requests.inc({ operation: verb, code });
      requestDuration.observe({ operation: verb, code: codeClass(code) }, tookMs / 1_000);
    },
  },
  throttled: { count: ({ throttled }) => throttled.inc({ quota: QUOTA }) },
  "batch-closed": {
    count: ({ batches, batchItems, batchChanges }, { reason, items, changes }) => {
      batches.inc({ reason });
      batchChanges.inc(changes);
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
  "record-isolated": {
    line: ({ position, entity, attempts, reason, waitMs }) => {
      const when = `in ${Math.round(waitMs / 1_000)} s`;
      if (reason === "blocked")
        return error(
          `A firewall or gateway between here and Sell answers ${position}, one of ${entity}, with a page of its own (HTTP 403), ${attempts} times so far: it is tried alone and again ${when}. Nothing after it in its partition is committed meanwhile; ask whoever runs the firewall, or correct the record.`,
        );
      return error(
        `Sell fails (${reason}) at ${position}, one of ${entity}, ${attempts} times so far, while it answers for others: it is tried alone and again ${when}. Nothing after it in its partition is committed meanwhile; look at the record, and ask Zendesk.`,
      );
    },
    count: ({ isolated }, { entity }) => isolated.inc({ entity }),
  },
  halted: { line: ({ message }) => error(message) },
  unhalted: { line: ({ scope }) => info(`Sell takes requests again (${scope}): the cause of the stop is gone.`) },
  "brake-engaged": {
    line: ({ route, topic, kind, limit, samples }) =>
      error(
        `Route "${route}" has reached ${limit} ${kind} an hour, so ${topic} stands still and nothing of it is committed past here; the last keys are ${samples}. If it is meant so, set brake.${kind} of the route to a larger number and restart, or run sell-sink resume with --accept.`,
      ),
    count: ({ brakes }, { topic, kind }) => brakes.inc({ topic, kind }),
  },
  "brake-released": {
    line: ({ route, topic, kind, limit, who }) =>
      info(`The brake of route "${route}" is released: ${who} accepts ${limit} ${kind} an hour; ${topic} goes on.`),
  },
  "route-paused": {
    line: ({ route, topic, who, why }) =>
      warn(
        `Route "${route}" is paused by ${who} (${why}): ${topic} stands still in every replica until it is resumed.`,
      ),
  },
  "route-resumed": {
    line: ({ route, topic, who }) => info(`Route "${route}" is resumed by ${who}: ${topic} goes on.`),
  },
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
