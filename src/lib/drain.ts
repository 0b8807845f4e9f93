/** When what waits will have been worked off. */

interface Rates {
  /** A second; null: not known. */
  readonly arrivedPerS: number | null;
  readonly workedOffPerS: number | null;
}

/**
 * Seconds until `backlog` records are worked off, while others arrive and after a wait of `cooldownS`. 0: there are none.
 * Null: it cannot be told; Infinity: never at this pace.
 */
export const drainS = (
  backlog: number | null,
  { arrivedPerS, workedOffPerS }: Rates,
  cooldownS: number,
): number | null => {
  if (backlog === 0) return 0;
  if (backlog === null || arrivedPerS === null || workedOffPerS === null) return null;
  const netPerS = workedOffPerS - arrivedPerS;
  return netPerS > 0 ? cooldownS + (backlog + arrivedPerS * cooldownS) / netPerS : Number.POSITIVE_INFINITY;
};
