/** How fast this replica works, and until when it will have caught up: from the samples of the last minutes. Pure. */
import type { Sample } from "./history.ts";
import type { Look } from "./sample.ts";

export interface Pace {
  /** Records a second that came; null: too little was seen. */
  readonly arrivedPerS: number | null;
  /** Records a second that are worked off while there is work and no announced wait; null: it cannot be told. */
  readonly workedOffPerS: number | null;
}

/** Less says nothing. */
const SEEN_MIN_MS = 30_000;

/** Where nothing was worked off lately, as in a long wait, this replica's part of the quota in calls as full as those so far. */
export const paceOf = (samples: readonly Sample[], look: Look | null): Pace => {
  const busy = samples.filter(({ levels }) => (levels.get("lag") ?? 0) > 0 && levels.get("cooldownLeftS") === 0);
  return {
    arrivedPerS: perS(samples, "arrived"),
    workedOffPerS: perS(busy, "workedOff") ?? (look === null ? null : permittedPerS(look)),
  };
};

const perS = (samples: readonly Sample[], name: string): number | null => {
  const seenMs = samples.reduce((sum, { forMs }) => sum + forMs, 0);
  return seenMs < SEEN_MIN_MS ? null : totalOf(samples, name) / (seenMs / 1_000);
};

export const totalOf = (samples: readonly Sample[], name: string): number =>
  samples.reduce((sum, { counts }) => sum + (counts.get(name) ?? 0), 0);

const permittedPerS = ({ totals, snapshot }: Look): number | null => {
  const { permitsPerSecond, replicas } = snapshot.gate;
  const [calls = 0, changes = 0] = [totals.get("calls"), totals.get("changes")];
  if (permitsPerSecond === 0 || calls === 0 || changes === 0) return null;
  return (permitsPerSecond / Math.max(1, replicas)) * (changes / calls);
};
