/** What the store shall remember of a record once Sell accepted a write or answered a lookup. */
import type { Outcome } from "../domain/receipt.ts";
import { positionName } from "../domain/record.ts";
import type { Remembered } from "../domain/stages.ts";
import type { Entry } from "./entry.ts";
import { versionAfter } from "./guard.ts";

/** Null when there is nothing to remember: no such record, or the entry's changes were lost meanwhile. */
export const memoryAfter = (
  { plan, candidate, known = null }: Entry,
  { id, result }: Outcome & { status: "accepted" },
  acceptedAtMs: number,
): Remembered | null => {
  if (plan === null) return null;
  if (plan.verb === "lookup") {
    const blank = { deleted: false, version: null, route: null, fingerprint: null };
    return id === null ? null : { ...blank, id, acceptedAtMs, from: "lookup" };
  }
  if (candidate === undefined || (result === "missing" && plan.verb !== "delete")) return null;
  const isDelete = plan.verb === "delete";
  return {
    id: isDelete ? null : id,
    deleted: isDelete,
    version: versionAfter(candidate, known),
    route: candidate.route,
    fingerprint: plan.fingerprint,
    acceptedAtMs,
    from: positionName(candidate.record.position),
  };
};
