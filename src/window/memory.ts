/** What the store shall remember of a record once Sell accepted a write or answered a lookup. */
import type { Mutation } from "../domain/mutation.ts";
import type { Outcome } from "../domain/receipt.ts";
import { positionName } from "../domain/record.ts";
import type { Remembered } from "../domain/stages.ts";
import type { Entry } from "./entry.ts";
import { versionAfter } from "./guard.ts";

/**
 * Null when there is nothing to remember: no such record, none of the id that was to be deleted though it may have another
 * by now, or the entry's changes were lost meanwhile.
 */
export const memoryAfter = (
  entry: Entry,
  { id, result }: Outcome & { status: "accepted" },
  acceptedAtMs: number,
): Remembered | null => {
  const { plan, candidate, known = null } = entry;
  if (plan === null || (plan.verb === "delete" && result === "missing" && isOfYesterday(entry))) return null;
  if (plan.verb === "lookup") {
    const blank = { deleted: false, version: null, route: null, fingerprint: null };
    if (id !== null) return { ...blank, id, acceptedAtMs, from: "lookup" };
    // There was nothing to delete. That it is deleted must be known all the same, should an older record be replayed.
    return candidate?.isDelete === true ? gone(candidate, known, acceptedAtMs) : null;
  }
  if (candidate === undefined || (result === "missing" && plan.verb !== "delete")) return null;
  if (plan.verb === "delete") return gone(candidate, known, acceptedAtMs);
  return { id, deleted: false, fingerprint: plan.fingerprint, ...acceptance(candidate, known, acceptedAtMs) };
};

/** What is remembered may be older than the record in Sell, which somebody may have created anew. What we have just found is not. */
const isOfYesterday = ({ known = null, found, isDoubtful }: Entry): boolean =>
  known !== null && known !== found && (isDoubtful || known.fingerprint === null);

const gone = (candidate: Mutation, known: Remembered | null, acceptedAtMs: number): Remembered => ({
  ...{ id: null, deleted: true, fingerprint: null },
  ...acceptance(candidate, known, acceptedAtMs),
});

const acceptance = (candidate: Mutation, known: Remembered | null, acceptedAtMs: number) => ({
  version: versionAfter(candidate, known),
  route: candidate.route,
  acceptedAtMs,
  from: positionName(candidate.replayOf ?? candidate.record.position),
});
