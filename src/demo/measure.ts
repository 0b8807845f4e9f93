/**
 * What happened, read from Sell's own log, the ERP's ledger and Kafka's offsets. The connector's counters have no say: a
 * connector that fools itself must not fool the demo.
 */
import type { AppliedItem, LoggedRequest, Summary } from "../sandbox/index.ts";
import { recordName } from "./expected.ts";
import type { Committed } from "./ledger.ts";
import { ITEMS_PER_CALL, PENALTY_MS } from "./options.ts";

/** `changes` = `noOps` + `overtaken` + those that the `writes` carried; a repeated write counts in `duplicates`, too. */
export interface Traffic {
  readonly changes: number;
  readonly inserts: number;
  readonly updates: number;
  readonly deletes: number;
  /** Updates that altered nothing mapped. */
  readonly noOps: number;
  /** Changes that needed no write of their own, because a newer one of the same record was written. */
  readonly overtaken: number;
  /** Records written and accepted, one by one. */
  readonly writes: number;
  readonly calls: number;
  /** Calls that wrote nothing: questions about the account and about records. */
  readonly reads: number;
  /** What as many full calls would have cost without looking at the changes: `changes` / records a call. */
  readonly fullCalls: number;
  readonly changesPerCall: number;
  /** Calls' worth of the writes that were not needed. */
  readonly savedCalls: number;
  readonly duplicates: number;
  /** Writes that took a record back to an older version. */
  readonly backward: number;
  readonly throttled: number;
  readonly busiestWindow: number;
  readonly latency: Latency;
}

/**
 * From just before the change goes to Kafka to the moment at which Sell applied the first write that carries the change or
 * a newer one of the same record. Over all changes that alter something and that a write carried.
 */
export interface Latency {
  readonly measured: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** How the announced wait of `--penalty` went. */
export interface PenaltyWait {
  readonly announcedMs: number;
  readonly callsInside: number;
  /** Calls that other replicas had begun before the refusal could reach them: within `REACTION_MS` of it. */
  readonly onTheWay: number;
  /** From the end of the wait to the first accepted write; null when there was none. */
  readonly firstAcceptanceAfterMs: number | null;
}

/** A write, or a delete, of one record as Sell applied it. A delete ends all versions. */
interface Applied {
  readonly atMs: number;
  readonly version: number;
}

/** `summary` is of the same log. */
export const measureTraffic = (
  committed: readonly Committed[],
  log: readonly LoggedRequest[],
  summary: Summary,
  dialect: keyof typeof ITEMS_PER_CALL,
): Traffic => {
  const items = log.flatMap(({ applied }) => applied).filter(({ result }) => result !== "failed");
  const applied = byRecord(items);
  const ops = (op: Committed["op"]): number => committed.filter((change) => change.op === op).length;
  const noOps = committed.filter(({ alters }) => !alters).length;
  const overtaken = committed.length - noOps - (items.length - summary.duplicates);
  return {
    changes: committed.length,
    inserts: ops("c"),
    updates: ops("u"),
    deletes: ops("d"),
    noOps,
    overtaken,
    writes: items.length,
    calls: log.length,
    reads: log.filter(({ method }) => method === "GET").length,
    fullCalls: Math.ceil(committed.length / ITEMS_PER_CALL[dialect]),
    changesPerCall: committed.length / Math.max(1, log.length),
    savedCalls: (noOps + overtaken) / ITEMS_PER_CALL[dialect],
    duplicates: summary.duplicates,
    backward: backwardSteps(applied),
    throttled: log.filter(({ status }) => status === 429).length,
    busiestWindow: summary.busiest.arrived,
    latency: latencyOf(committed, applied),
  };
};

/** The refusal's way back to one replica, into Redis and on to the others. */
const REACTION_MS = 100;

/** Null when no request was refused. */
export const measurePenalty = (log: readonly LoggedRequest[]): PenaltyWait | null => {
  const startMs = log.find(({ status }) => status === 429)?.endMs;
  if (startMs == null) return null;
  const endMs = startMs + PENALTY_MS;
  const after = log.flatMap(({ applied }) => applied).filter(({ atMs }) => atMs >= endMs);
  return {
    announcedMs: PENALTY_MS,
    callsInside: log.filter(({ atMs }) => atMs > startMs + REACTION_MS && atMs < endMs).length,
    onTheWay: log.filter(({ atMs }) => atMs > startMs && atMs <= startMs + REACTION_MS).length,
    firstAcceptanceAfterMs: after.length === 0 ? null : Math.min(...after.map(({ atMs }) => atMs)) - endMs,
  };
};

const byRecord = (items: readonly AppliedItem[]): ReadonlyMap<string, readonly Applied[]> => {
  const inOrder = items.toSorted((a, b) => a.atMs - b.atMs);
  const records = Map.groupBy(inOrder, ({ resource, key }) => `${resource} ${key}`);
  return new Map(Array.from(records, ([name, writes]) => [name, writes.map(appliedOf)]));
};

/** The last words to a deleted customer's account carry no revision. */
const appliedOf = ({ atMs, revision }: AppliedItem): Applied => ({
  atMs,
  version: revision === null ? Number.POSITIVE_INFINITY : Number(revision),
});

const backwardSteps = (applied: ReadonlyMap<string, readonly Applied[]>): number =>
  [...applied.values()]
    .map((writes) => writes.filter(({ version }, i) => version < (writes[i - 1]?.version ?? 0)).length)
    .reduce((sum, steps) => sum + steps, 0);

const latencyOf = (committed: readonly Committed[], applied: ReadonlyMap<string, readonly Applied[]>): Latency => {
  const waits = committed
    .filter(({ alters }) => alters)
    .map((change) => {
      const version = change.op === "d" ? Number.POSITIVE_INFINITY : change.revision;
      const carrier = applied.get(nameOf(change))?.find((write) => write.version >= version);
      return carrier === undefined ? null : carrier.atMs - change.committedMs;
    })
    .filter((wait) => wait !== null)
    .sort((a, b) => a - b);
  return { measured: waits.length, p50Ms: percentile(waits, 0.5), p99Ms: percentile(waits, 0.99) };
};

const nameOf = ({ table, before, after }: Committed): string => {
  const row = after ?? before ?? {};
  return recordName(table, row["order_no"] ?? row["id"] ?? "");
};

/** Nearest rank; 0 of nothing. */
const percentile = (sorted: readonly number[], share: number): number =>
  Math.round(sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0);
