/**
 * The one sentence on top of the status page: in time or late, because of what, until when. Pure.
 *
 * States: `starting` it does not consume yet, or not any more; `stopped` a person has to act before something goes on;
 * `late` the oldest change has waited longer than `LATE_S`; `waiting` nothing is late yet, but something is in the way, or
 * records became dead letters; `in-time`. Of several causes the sentence names the one that comes first in `OBSTACLES`.
 */
import type { GateState } from "../domain/stages.ts";
import { countText, durationText } from "../lib/numbers.ts";
import type { Holdup, PauseSnapshot } from "../telemetry/snapshot.ts";
import { printable } from "../telemetry/text.ts";
import { fullestOf } from "./sample.ts";

/** Why it does not consume yet, or not any more. */
export interface NotReady {
  readonly notReady: string;
}

export interface Situation {
  /** Age of the oldest pending record, by lane, and records that are not committed (null: not known). */
  readonly ageS: { readonly live: number; readonly backfill: number };
  readonly backlog: number | null;
  /** Partitions of this replica. */
  readonly owned: number;
  /** Until the backlog is worked off; Infinity: never at this pace; null: it cannot be told. */
  readonly drainS: number | null;
  /** A rejected credential or right keeps records from being sent. */
  readonly isHalted: boolean;
  /** Topics of this replica that stopped until a person acts, and why. */
  readonly stoppedTopics: readonly { readonly topic: string; readonly reason: StopReason }[];
  /** Routes that a person paused, or the configuration. */
  readonly pauses: readonly PauseSnapshot[];
  /** This process may assume that its partitions are its own. */
  readonly isMember: boolean;
  readonly gate: Pick<GateState, "mode" | "windows" | "cooldownLeftMs">;
  /** What the oldest live change waits for; null: its turn. */
  readonly holdup: Holdup | null;
  /** Records that became dead letters in so many seconds. */
  readonly letters: { readonly count: number; readonly inS: number };
  /**
   * In the last minutes: calls, those that failed (no answer, or a 5xx), tries to read a record that has to wait, and tries to
   * write a dead letter in vain.
   */
  readonly lately: Readonly<Record<"calls" | "failed" | "stalls" | "unburied", number>>;
}

/** Why a topic stands still until a person acts. */
export type StopReason = "failures" | "brake";

export type VerdictState = "starting" | "stopped" | "late" | "waiting" | "in-time";
type Cause =
  | ("credential" | "topic" | "pause" | "kafka" | "redis" | "quota" | "sell" | "unreadable" | "load")
  | ("letters" | "unburied" | "record" | "parent");

export interface Verdict {
  readonly state: VerdictState;
  /** What is in the way; null: nothing. */
  readonly cause: Cause | null;
  readonly sentence: string;
  /** Seconds until it is over, as far as that can be told; null: it cannot. */
  readonly untilS: number | null;
}

/** The objective of the alerts: changes follow within minutes. */
export const LATE_S = 300;
/** Calls are paced, so a quota in full use seldom stands at its last call. */
const SPENT = 0.95;

export const verdictOf = (situation: Situation | NotReady): Verdict => {
  if ("notReady" in situation) {
    const sentence = `Not delivering: ${printable(situation.notReady)}.`;
    return { state: "starting", cause: null, sentence, untilS: null };
  }
  const { ageS } = situation;
  const isLate = ageS.live > LATE_S;
  const obstacle = firstObstacle(situation, isLate);
  if (obstacle === null && situation.letters.count > 0)
    return { state: "waiting", cause: "letters", sentence: `In time, but ${lettersText(situation)}.`, untilS: null };
  if (obstacle === null) return { state: "in-time", cause: null, ...unhindered(situation) };
  const { cause, why, needsYou, untilS } = obstacle;
  if (needsYou) return { state: "stopped", cause, sentence: `Standing still: ${why}.`, untilS };
  const waited = `the oldest change has waited ${durationText(ageS.live)}`;
  const sentence = isLate ? `Late: ${waited}, because ${why}.` : `In time so far, but ${why}.`;
  return { state: isLate ? "late" : "waiting", cause, sentence, untilS };
};

const unhindered = ({ ageS, backlog, drainS, owned }: Situation): Pick<Verdict, "sentence" | "untilS"> => {
  if (owned === 0)
    return { sentence: "Standing by: this replica owns no partition, the others have all of them.", untilS: null };
  if (ageS.backfill > LATE_S) {
    const records = backlog === null ? "" : ` (${countText(backlog)} records wait)`;
    return { sentence: `In time; a backfill is being worked off${records}.`, untilS: finite(drainS) };
  }
  const waits = Math.max(ageS.live, ageS.backfill);
  if (waits === 0 && backlog !== null && backlog > 0)
    return { sentence: `In time so far: ${countText(backlog)} records are about to be read.`, untilS: finite(drainS) };
  if (waits === 0) return { sentence: "In time: nothing waits.", untilS: null };
  return { sentence: `In time: the oldest change has waited ${durationText(waits)}.`, untilS: null };
};

interface Obstacle {
  readonly cause: Cause;
  /** Fits behind "because". */
  readonly why: string;
  /** Nothing goes on by itself. */
  readonly needsYou: boolean;
  readonly untilS: number | null;
}

const firstObstacle = (situation: Situation, isLate: boolean): Obstacle | null => {
  for (const find of OBSTACLES) {
    const found = find(situation);
    if (found !== null) return found;
  }
  return isLate ? loadOf(situation) : null;
};

/** In the way, whether something is late already or not: what a person must end comes first. */
const OBSTACLES: readonly ((situation: Situation) => Obstacle | null)[] = [
  ({ isHalted }) =>
    isHalted
      ? obstacle("credential", "Sell refuses the credential or a right, the log says which and what to do", true)
      : null,
  ({ stoppedTopics: [first, ...others] }) =>
    first === undefined ? null : obstacle("topic", `${stoppedText(first)}${more(others.length, "topic")}`, true),
  ({ pauses: [first, ...others] }) =>
    first === undefined ? null : obstacle("pause", `${pausedText(first)}${more(others.length, "route")}`, true),
  ({ isMember }) =>
    isMember ? null : obstacle("kafka", "Kafka does not answer, or the consumer group is being formed anew"),
  ({ gate }) => (gate.mode === "closed" ? obstacle("redis", "Redis is away, and without it nothing is sent") : null),
  ({ gate, drainS }) => {
    const leftS = gate.cooldownLeftMs / 1_000;
    if (leftS <= 0) return null;
    const why = `the quota is spent and Sell wants nobody to call for another ${durationText(leftS)}`;
    return obstacle("quota", why, false, finite(drainS) || leftS);
  },
  ({ lately: { calls, failed } }) =>
    failed > 0 && failed >= calls / 2
      ? obstacle(
          "sell",
          `Sell does not answer properly (${countText(failed)} of the last ${countText(calls)} calls failed)`,
        )
      : null,
  ({ holdup }) =>
    holdup?.by === "trouble"
      ? obstacle("record", `Sell fails at ${printable(holdup.position)} alone, which is tried ever more rarely`)
      : null,
  ({ lately }) =>
    lately.unburied > 0
      ? obstacle("unburied", "Kafka takes no dead letter, the log says why, and commits wait behind those records")
      : null,
  ({ lately }) =>
    lately.stalls > 0
      ? obstacle("unreadable", "some records cannot be read yet, the log says which schema they want")
      : null,
];

/** Why changes are late when nothing is in the way: more has come than may be sent. */
const loadOf = ({ gate, drainS, holdup }: Situation): Obstacle => {
  const isSpent = gate.windows.length > 0 && fullestOf(gate.windows) >= SPENT;
  if (!isSpent && holdup?.by === "parent")
    return obstacle("parent", `${printable(holdup.position)} refers to a record that Sell does not have yet`);
  const why = isSpent ? "the quota is in full use" : "more came than could be sent";
  return obstacle(isSpent ? "quota" : "load", `${why}${paceText(drainS)}`, false, finite(drainS));
};

const obstacle = (cause: Cause, why: string, needsYou = false, untilS: number | null = null): Obstacle => ({
  ...{ cause, why, needsYou, untilS },
});

const stoppedText = ({ topic, reason }: Situation["stoppedTopics"][number]): string => {
  switch (reason) {
    case "failures":
      return `${printable(topic)} has stopped because most of its records fail`;
    case "brake":
      return `${printable(topic)} has stopped because a route deleted or created too many records`;
  }
};

const lettersText = ({ letters: { count, inS } }: Situation): string =>
  count === 1
    ? `a record became a dead letter in the last ${durationText(inS)}`
    : `${countText(count)} records became dead letters in the last ${durationText(inS)}`;

const pausedText = ({ route, who, why }: PauseSnapshot): string =>
  `route "${printable(route)}" is paused by ${printable(who)} (${printable(why)})`;

const more = (count: number, noun: string): string =>
  count === 0 ? "" : count === 1 ? `, and another ${noun}` : `, and ${countText(count)} other ${noun}s`;

const paceText = (drainS: number | null): string =>
  drainS === null
    ? ""
    : drainS === Number.POSITIVE_INFINITY
      ? ", and at this pace it does not catch up"
      : `; all is worked off in about ${durationText(drainS)}`;

const finite = (seconds: number | null): number | null => (seconds === Number.POSITIVE_INFINITY ? null : seconds);
