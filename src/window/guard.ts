/**
 * The stale guard: filters re-deliveries by the source's own position, without ever dropping news.
 * Only streamed changes are compared, and only with the last accepted streamed change of the same route: a snapshot read may
 * carry a higher position than a newer change of the stream, so it always applies and its position is never kept.
 */
import type { Mutation, ReplayOf } from "../domain/mutation.ts";
import { namedPosition } from "../domain/record.ts";
import type { Remembered } from "../domain/stages.ts";
import { compareVersions, type Version } from "../domain/version.ts";

export type Verdict = "apply" | "stale" | "duplicate" | "already-deleted" | "passed";

/**
 * A replay's own record, or one after it, was accepted; for a resync only one after it counts. Across partitions only the time
 * tells.
 */
export const hasPassed = (replay: ReplayOf, known: Remembered | null): boolean => {
  if (known === null || known.route === null) return false; // found by a lookup: nobody knows who wrote it, and when
  const from = namedPosition(known.from);
  const isSamePlace = from?.topic === replay.topic && from.partition === replay.partition;
  if (!isSamePlace) return known.acceptedAtMs > replay.sinceMs;
  return from.offset > replay.offset || (from.offset === replay.offset && replay.kind === "letter");
};

export const judge = (mutation: Mutation, known: Remembered | null): Verdict => {
  if (known === null) return "apply";
  // A tombstone repeats the delete before it; without version it must not bring a record back to be deleted twice.
  if (mutation.action === "delete" && known.deleted && mutation.version === null) return "already-deleted";
  if (mutation.origin !== "streamed" || mutation.version === null) return "apply";
  if (known.version === null || known.route !== mutation.route) return "apply";
  const order = compareVersions(mutation.version, known.version);
  if (order === -1) return "stale";
  return order === 0 && mutation.replayOf?.kind !== "resync" ? "duplicate" : "apply";
};

/** The version to remember once the mutation was accepted. */
export const versionAfter = (mutation: Mutation, known: Remembered | null): Version | null => {
  switch (mutation.origin) {
    case "streamed":
      return mutation.version;
    case "incremental":
      return known?.version ?? null;
    case "snapshot": // a new baseline: what the stream said before it no longer counts
    case "unknown":
      return null;
  }
};
