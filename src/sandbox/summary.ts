/** What a checker wants to know of the log first: counts, repeated writes and the busiest window. */
import type { LoggedRequest } from "./applied-log.ts";

export interface Summary {
  readonly requests: number;
  /** Requests that the log has forgotten; the other figures know nothing of them. */
  readonly dropped: number;
  readonly byStatus: { readonly [status: string]: number };
  /** Items by what became of them: `created`, `updated`, `unchanged`, `deleted`, `failed`. */
  readonly byResult: { readonly [result: string]: number };
  /** Writes that repeated the last write of their record. */
  readonly duplicates: number;
  /** Most API requests in any `windowMs`, refused ones included, and without those. */
  readonly busiest: { readonly windowMs: number; readonly arrived: number; readonly granted: number };
  readonly records: { readonly [resource: string]: number };
  /** Faults of the script that have yet to happen. */
  readonly faultsPending: number;
}

/** The figures that the log alone tells. */
export const summarize = (
  requests: readonly LoggedRequest[],
  windowMs: number,
): Pick<Summary, "requests" | "byStatus" | "byResult" | "duplicates" | "busiest"> => {
  const byStatus: Record<string, number> = {};
  const byResult: Record<string, number> = {};
  for (const { status, applied } of requests) {
    const name = status ?? "none";
    byStatus[name] = (byStatus[name] ?? 0) + 1;
    for (const { result } of applied) byResult[result] = (byResult[result] ?? 0) + 1;
  }
  const granted = requests.filter(({ refused }) => !refused);
  return {
    requests: requests.length,
    byStatus,
    byResult,
    duplicates: duplicates(requests),
    busiest: { windowMs, arrived: busiestWindow(requests, windowMs), granted: busiestWindow(granted, windowMs) },
  };
};

/** The most requests that arrived in any window of `windowMs` (half-open); `atMs` must not fall. */
export const busiestWindow = (arrivals: readonly { readonly atMs: number }[], windowMs: number): number => {
  let most = 0;
  let first = 0;
  for (const [i, { atMs }] of arrivals.entries()) {
    while (atMs - (arrivals[first]?.atMs ?? atMs) >= windowMs) first += 1;
    most = Math.max(most, i - first + 1);
  }
  return most;
};

/** Writes that repeated what was written to that record last. */
const duplicates = (requests: readonly LoggedRequest[]): number => {
  const last = new Map<string, string | null>();
  let count = 0;
  // By the time of applying: a late one counts where it took effect.
  const items = requests.flatMap(({ applied }) => applied).sort((a, b) => a.atMs - b.atMs);
  for (const { resource, key, result, hash: body } of items) {
    if (result === "failed" || key === null) continue;
    const name = `${resource} ${key}`;
    if (last.get(name) === body) count += 1;
    last.set(name, body);
  }
  return count;
};
