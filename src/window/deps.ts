/** What the window is told at its start, and whom it tells. */
import type { Entity, Mutation } from "../domain/mutation.ts";
import type { Clock } from "../lib/clock.ts";
import type { Emit } from "../telemetry/events.ts";

export interface WindowOptions {
  readonly maxItems: number;
  readonly lingerMs: number;
  /** How long a created record is locked: an upsert by key within Sell's index lag would make a twin. */
  readonly indexLagMs: number;
  /** How long Sell may still apply a request whose outcome nobody knows. */
  readonly lateApplyMaxMs: number;
  readonly parkTimeoutMs: number;
}

export interface WindowDeps {
  readonly clock: Clock;
  readonly emit: Emit;
  /** These changes are settled: accepted, superseded by an accepted one, or without effect. */
  readonly settle: (mutations: readonly Mutation[]) => void;
  /** False: what was accepted of this change's key shortly before a crash may not have been remembered. */
  readonly trusts: (mutation: Mutation) => boolean;
  /** Whether requests for this entity may leave now. */
  readonly maySendOf: (entity: Entity) => boolean;
  /** Nothing of this change's topic may be sent: most of its records fail, or a person has to look first, or has paused it. */
  readonly isStopped: (mutation: Mutation) => boolean;
  /** A batch may be due now, or earlier than `dueInMs` last said. */
  readonly changed: () => void;
  /** There are entries for `takeFresh`. */
  readonly arrived: () => void;
}
