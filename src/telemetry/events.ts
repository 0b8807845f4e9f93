/**
 * Everything the connector can say: one event is one log line and its metrics. A stage calls `emit(name, fields)`;
 * `observe.ts` gives each name its level, its sentence and its metrics. Fields hold no payload and no secret.
 */
import type { Entity, Lane } from "../domain/mutation.ts";
import type { RequestNames } from "../domain/receipt.ts";
import type { Incident } from "../domain/stages.ts";
import type { RedisRefusal } from "../lib/redis-refusal.ts";

export interface Events {
  // life
  started: { version: string; groupId: string; dialect: string; account: string };
  stopping: { signal: string };
  stopped: { tookMs: number };
  // source
  /** Topics that are read. */
  subscribed: { topics: readonly string[] };
  joined: { memberId: string; lost: number; kept: number; gained: number; tookMs: number };
  "kafka-unreachable": { brokers: string; cause: string };
  "kafka-crashed": { cause: string; restart: boolean };
  "offset-out-of-range": { partition: string; expected: string; got: string };
  "commit-refused": { cause: string };
  committed: { partitions: { topic: string; partition: number }[] };
  "partition-paused": { topic: string; partition: number; reason: string };
  "partition-resumed": { topic: string; partition: number };
  "late-wait": { partition: string; waitMs: number };
  // decode, map
  "registry-unreachable": { url: string; cause: string };
  "record-stalled": { topic: string; partition: number; code: string; attempt: number; cause: string };
  "record-skipped": { topic: string; reason: string };
  "dead-lettered": Partial<RequestNames> & { topic: string; position: string; reason: string; message: string };
  "dead-letter-failed": { topic: string; cause: string };
  "dead-letters-unchecked": { topic: string };
  "replay-unavailable": { why: string };
  "resync-outlived": { begun: string };
  "mass-failure": { topic: string; failures: number; outOf: number; message: string };
  // gate
  "permit-granted": { lane: Lane; by: "redis" | "local"; waitedMs: number };
  /** Calls of that lane waited so long, most of it for this reason. */
  "permit-held": { lane: Lane; reason: string; heldMs: number };
  "permit-unused": { lane: Lane };
  /** The call of a permit was answered so long after the grant: in between it was counted by the server. */
  "permit-used": { lane: Lane; answeredMs: number };
  /** Redis decided about a permit, or took news, in that time. */
  "limiter-answered": { tookMs: number };
  "cooldown-started": { waitMs: number; source: string; isLong: boolean };
  "quota-incident": Incident;
  "config-refused": { cause: string };
  "quota-changed": { from: string; to: string };
  "window-spent": { limit: number; perMs: number; waitMs: number };
  "redis-unreachable": { address: string; cause: string; sends: "nothing" | "its share" };
  "redis-refused": RedisRefusal & { address: string; sends: "nothing" | "its share"; again: boolean };
  "redis-back": { address: string };
  "gate-cold-start": { cause: string };
  // deliver
  "dialect-probed": { dialect: string; code: string };
  "sell-unreachable": { cause: string };
  "not-compared": { message: string };
  "request-done": RequestNames & { verb: string; entity: Entity; items: number; code: string; tookMs: number };
  /** A refusal because of the quota, in whatever disguise. */
  throttled: { source: string };
  "batch-closed": { reason: string; verb: string; items: number; changes: number };
  delivered: { topic: string; result: string; latencyMs: number };
  superseded: { topic: string; count: number };
  retried: { reason: string; items: number; waitMs: number };
  "outcome-unknown": Partial<RequestNames> & { reason: string; items: number };
  "record-isolated": { position: string; entity: Entity; attempts: number; reason: string; waitMs: number };
  halted: { kind: string; scope: string; message: string };
  unhalted: { scope: string };
  "brake-engaged": { route: string; topic: string; kind: string; limit: number; samples: string };
  "brake-released": { route: string; topic: string; kind: string; limit: number | "any number of"; who: string };
  "route-paused": { route: string; topic: string; who: string; why: string };
  "route-resumed": { route: string; topic: string; who: string };
  "reference-parked": { entity: Entity };
  "no-op": { entity: Entity };
  "stale-skipped": { entity: Entity; reason: string };
  // store
  "store-failed": { cause: string };
}

export type Emit = <N extends keyof Events>(name: N, fields: Events[N]) => void;
