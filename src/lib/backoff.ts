/** Exponential backoff with full jitter: a random point between `floorMs` and 2, 4, 8 ... seconds, capped. */

export interface BackoffOptions {
  /** Upper bound of the first wait. */
  readonly baseMs?: number;
  readonly capMs?: number;
  /** Never wait less. */
  readonly floorMs?: number;
}

/** `attempt` counts from 1; `random` gives [0, 1). The result lies in [floorMs, max(floorMs, capMs)]. */
export const backoffMs = (
  attempt: number,
  random: () => number,
  { baseMs = 2_000, capMs = 60_000, floorMs = 0 }: BackoffOptions = {},
): number => {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.max(floorMs, Math.round(random() * ceiling));
};
