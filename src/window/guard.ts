/**
 * The stale guard: filters re-deliveries by the source's own position, without ever dropping news.
 * Only streamed changes are compared, and only with the last accepted streamed change of the same route: a snapshot read may
 * carry a higher position than a newer change of the stream, so it always applies and its position is never kept.
 */
import { LRUCache } from "lru-cache";
import type { Mutation, ReplayOf } from "../domain/mutation.ts";
import { namedPosition } from "../domain/record.ts";
import type { Remembered } from "../domain/stages.ts";
import { compareVersions, type Version } from "../domain/version.ts";
import type { Entry } from "./entry.ts";

export type Verdict = "apply" | "stale" | "duplicate" | "already-deleted" | "passed";

const SKIPPED_MAX = 10_000;

export class Guard {
  /**
   * Entries whose last change was a delete that was skipped; its tombstone follows at once or never. Made for the first one: the
   * cache allocates all of its slots at once.
   */
  #skippedDeletes: LRUCache<string, true> | null = null;

  /** `known` is what may be believed of what is remembered of the entry. */
  judge(entry: Entry, mutation: Mutation, known: Remembered | null): Verdict {
    // Also where the memory is doubtful: that a newer record was accepted is true for ever.
    if (mutation.replayOf !== undefined && hasPassed(mutation.replayOf, entry.known ?? null)) return "passed";
    // It has no position to be judged by.
    if (mutation.tombstone && this.#skippedDeletes?.has(entry.id) === true) return "stale";
    const verdict = judge(mutation, known);
    const isSkipped = mutation.isDelete && (verdict === "stale" || verdict === "duplicate");
    if (isSkipped) (this.#skippedDeletes ??= new LRUCache({ max: SKIPPED_MAX })).set(entry.id, true);
    else this.#skippedDeletes?.delete(entry.id);
    return verdict;
  }
}

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
