/** Who used up the quota when Sell refused a call: what an operator asks first. */
import type { Incident, WindowUse } from "../domain/stages.ts";

/** `own`: our own calls alone came near the limit. `others`: far fewer did. `unlimited`: no limit is configured. */
export type IncidentCause = "own" | "others" | "unlimited";

export const INCIDENT_CAUSES: readonly IncidentCause[] = ["own", "others", "unlimited"];

/** Below this part of the limit our calls cannot have used it up; above it one or two of others, or uneven delays, are enough. */
const NEAR = 0.97;

export const causeOf = (incident: Pick<Incident, "windows">): IncidentCause => {
  const window = fullest(incident);
  if (window === null) return "unlimited";
  return window.used >= NEAR * window.limit - 1 ? "own" : "others";
};

/** The window that was nearest to its limit then; null: there is none. */
export const fullest = ({ windows }: Pick<Incident, "windows">): WindowUse | null =>
  windows.reduce<WindowUse | null>((most, one) => (most === null || partOf(one) > partOf(most) ? one : most), null);

const partOf = ({ limit, used }: WindowUse): number => used / Math.max(1, limit);
