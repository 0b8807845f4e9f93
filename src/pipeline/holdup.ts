/** What keeps the oldest live change from its turn, for whoever has to see why changes are late. */
import { positionName } from "../domain/record.ts";
import type { Holdup } from "../telemetry/snapshot.ts";
import type { Entry } from "../window/entry.ts";

/** Null: nothing of its own. */
export const holdupOf = (entry: Entry | null): Holdup | null => {
  const [first] = entry?.queue ?? [];
  if (entry === null || first === undefined) return null;
  // What takes several steps goes alone, too; only what was tried in vain is in trouble.
  const isTrouble = entry.alone && entry.attempts > 0;
  const by = entry.state === "parked" ? "parent" : isTrouble ? "trouble" : null;
  const { position, timestampMs } = first.record;
  return by === null ? null : { by, position: positionName(position), timestampMs };
};
