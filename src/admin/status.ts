/**
 * What the status page shows: the verdict, how things stand now, and the last hours. It looks at the pipeline every ten
 * seconds; GET /status looks once more. No record, no key, no secret.
 */
import type { Registry } from "prom-client";
import type { Entity } from "../domain/mutation.ts";
import type { GateState } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import { drainS } from "../lib/drain.ts";
import { backlogOf, type Snapshot } from "../telemetry/snapshot.ts";
import { totalsOf } from "../telemetry/totals.ts";
import { History, type Sample, type Series, SPANS, type Span } from "./history.ts";
import { type Pace, paceOf, totalOf } from "./pace.ts";
import { agesOf, type Look, sampleOf } from "./sample.ts";
import { type NotReady, type Situation, type StopReason, type Verdict, verdictOf } from "./verdict.ts";
import { type WorstPartitions, worstPartitions } from "./worst-partitions.ts";

export interface StatusDeps {
  readonly clock: Clock;
  readonly registry: Registry;
  /** Null: the pipeline does not run yet. */
  readonly snapshot: () => Promise<Snapshot | null>;
  /** Why nothing is consumed yet, or not any more; null: it is. */
  readonly notReady: () => string | null;
  readonly groupId: string;
  readonly version: string;
  /** Names this replica to people: its host, which is its pod. */
  readonly replica: string;
}

/** What stands now; null on the page while the pipeline does not run. */
interface Now {
  readonly backlog: number | null;
  readonly ageS: Situation["ageS"];
  /** Null: it cannot be told, or never at this pace. */
  readonly drainS: number | null;
  readonly pace: Pace;
  readonly partitions: WorstPartitions;
  readonly gate: Pick<GateState, "mode" | "windows" | "cooldownLeftMs" | "permitsPerSecond" | "share" | "replicas">;
  readonly pauses: Snapshot["pauses"];
  readonly maxItems: number;
  /** Records that wait for the record they refer to. */
  readonly parked: Readonly<Partial<Record<Entity, number>>>;
  readonly windowRecords: number;
}

export interface StatusPage {
  readonly groupId: string;
  readonly version: string;
  readonly replica: string;
  /** Milliseconds since 1970, as everywhere on the page. */
  readonly startedAtMs: number;
  readonly atMs: number;
  readonly verdict: Verdict;
  readonly now: Now | null;
  /** Since the start of this process; names as in `totals.ts`. */
  readonly totals: Readonly<Record<string, number>>;
  readonly history: Series;
}

/** The pace, and what went wrong, count over so many looks. */
const PACE_LOOKS = 60;
const LATELY_LOOKS = 12;
/** Two ages that were taken at one look differ by less. */
const SAME_MS = 1_000;

export class Status {
  readonly #deps: StatusDeps;
  readonly #history = new History();
  /** Newest last, at most `PACE_LOOKS`. */
  readonly #recent: Sample[] = [];
  readonly #startedAtMs: number;
  readonly #startedMonotonicMs: number;
  #last: Look | null = null;

  constructor(deps: StatusDeps) {
    this.#deps = deps;
    this.#startedAtMs = deps.clock.now();
    this.#startedMonotonicMs = deps.clock.monotonicMs();
  }

  /** Looks every ten seconds until `signal` is aborted. A look that fails leaves a gap: it must not end what delivers. */
  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look().catch(() => {});
      await this.#deps.clock.sleep(SPANS["1h"].everyMs, signal).catch(() => {});
    }
  }

  /** One look becomes one sample, from the second look on. */
  async look(): Promise<void> {
    const look = await this.#look();
    if (look !== null && this.#last !== null) {
      const sample = sampleOf(this.#last, look, drainOf(look.snapshot, paceOf(this.#recent, look)));
      this.#history.add(sample);
      this.#recent.push(sample);
      if (this.#recent.length > PACE_LOOKS) this.#recent.shift();
    }
    this.#last = look ?? this.#last;
  }

  async page(span: Span): Promise<StatusPage> {
    const { groupId, version, replica, registry, notReady } = this.#deps;
    const look = await this.#look();
    const pace = paceOf(this.#recent, look);
    return {
      ...{ groupId, version, replica, startedAtMs: this.#startedAtMs, atMs: this.#nowMs() },
      verdict: verdictOf(situationOf(look, pace, this.#recent, notReady())),
      now: look === null ? null : nowOf(look, pace),
      totals: Object.fromEntries(look?.totals ?? (await totalsOf(registry))),
      history: this.#history.series(span),
    };
  }

  async #look(): Promise<Look | null> {
    const snapshot = await this.#deps.snapshot();
    if (snapshot === null) return null;
    return { atMs: this.#nowMs(), snapshot, totals: await totalsOf(this.#deps.registry) };
  }

  /** Never goes back, whatever is done to the wall clock: a plot needs its times in order. */
  #nowMs(): number {
    return this.#startedAtMs + this.#deps.clock.monotonicMs() - this.#startedMonotonicMs;
  }
}

const nowOf = ({ snapshot }: Look, pace: Pace): Now => {
  const { partitions, gate, pauses, parked, windowRecords, maxItems } = snapshot;
  const { mode, windows, cooldownLeftMs, permitsPerSecond, share, replicas } = gate;
  const drain = drainOf(snapshot, pace);
  return {
    ...{ backlog: backlogOf(partitions), ageS: agesOf(partitions), pace, pauses, windowRecords, maxItems },
    gate: { mode, windows, cooldownLeftMs, permitsPerSecond, share, replicas },
    drainS: drain === Number.POSITIVE_INFINITY ? null : drain,
    partitions: worstPartitions(partitions),
    parked: Object.fromEntries(parked),
  };
};

const drainOf = ({ partitions, gate }: Snapshot, pace: Pace): number | null =>
  drainS(backlogOf(partitions), pace, gate.cooldownLeftMs / 1_000);

const situationOf = (
  look: Look | null,
  pace: Pace,
  recent: readonly Sample[],
  notReady: string | null,
): Situation | NotReady => {
  if (look === null || notReady !== null) return { notReady: notReady ?? "the pipeline does not run yet" };
  const { partitions, halted, isMember, gate, pauses, holdup } = look.snapshot;
  const ageS = agesOf(partitions);
  const lately = recent.slice(-LATELY_LOOKS);
  const stopped = new Map<string, StopReason>();
  for (const { topic, paused } of partitions) {
    if (paused === "failures" || paused === "brake") stopped.set(topic, paused);
  }
  return {
    ...{ ageS, owned: partitions.length, backlog: backlogOf(partitions), drainS: drainOf(look.snapshot, pace) },
    ...{ isHalted: halted, isMember, gate, pauses },
    // What is older still waits before the window, for something else.
    holdup: holdup !== null && look.snapshot.atMs - holdup.timestampMs >= 1_000 * ageS.live - SAME_MS ? holdup : null,
    letters: { count: totalOf(recent, "letters"), inS: recent.reduce((sum, { forMs }) => sum + forMs, 0) / 1_000 },
    stoppedTopics: [...stopped].map(([topic, reason]) => ({ topic, reason })),
    lately: {
      calls: totalOf(lately, "calls"),
      failed: totalOf(lately, "failed"),
      stalls: totalOf(lately, "stalls"),
      unburied: totalOf(lately, "unburied"),
    },
  };
};
