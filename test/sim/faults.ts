/** What can go wrong in a run, each with its probability; a profile switches kinds of trouble on. */
import type { Dice } from "./dice.ts";

/**
 * `calm` only what Sell may always answer · `rolling` clean stops, starts and joins · `unsure` a Sell that does not always
 * answer · `frozen` processes that stand still for longer than their session · `chaos` everything.
 */
export type Profile = "calm" | "rolling" | "unsure" | "frozen" | "chaos";

export interface Faults {
  readonly profile: Profile;
  /** Of requests: applied, lost or applied late without an answer. */
  readonly unknown: number;
  readonly throttle: number;
  readonly retriable: number;
  /** Sell wants another credential for some seconds. */
  readonly halt: number;
  readonly commitRefused: number;
  readonly commitReplyLost: number;
  /** A member hears nothing of its new assignment and joins again. */
  readonly syncLost: number;
  readonly adminFails: number;
  /** Mean time between blows to processes, the store or the dead-letter topic; Infinity: none. */
  readonly blowEveryMs: number;
}

export const NO_FAULTS: Faults = {
  profile: "calm",
  unknown: 0,
  throttle: 0,
  retriable: 0,
  halt: 0,
  commitRefused: 0,
  commitReplyLost: 0,
  syncLost: 0,
  adminFails: 0,
  blowEveryMs: Number.POSITIVE_INFINITY,
};

export const rollFaults = (dice: Dice): Faults => {
  const some = (most: number): number => (dice.chance(0.5) ? dice.random() * most : 0);
  const profile = dice.pick<Profile>(["calm", "rolling", "unsure", "frozen", "chaos", "chaos"]);
  const troubled = {
    ...NO_FAULTS,
    profile,
    unknown: some(0.4),
    throttle: some(0.15),
    retriable: some(0.2),
    halt: some(0.03),
    adminFails: some(0.2),
    blowEveryMs: dice.between(1_000, 8_000),
  };
  switch (profile) {
    case "calm":
      return { ...NO_FAULTS, throttle: some(0.1), retriable: some(0.1) };
    case "rolling":
      return {
        ...NO_FAULTS,
        profile,
        throttle: some(0.05),
        retriable: some(0.1),
        blowEveryMs: dice.between(1_000, 8_000),
      };
    case "unsure":
      return troubled;
    case "frozen":
      return { ...NO_FAULTS, profile, unknown: some(0.1), blowEveryMs: dice.between(5_000, 20_000) };
    case "chaos":
      return {
        ...troubled,
        commitRefused: some(0.2),
        commitReplyLost: some(0.2),
        syncLost: some(0.3),
      };
  }
};
