/** What a lookup said about a sku, kept just long enough to act on it once. */
import type { Clock } from "../lib/clock.ts";

export interface SkuMemory {
  note(sku: string, id: number | null): void;
  /** The id, null for surely absent, undefined for not known. Forgets it: after the write that follows it may be wrong. */
  take(sku: string): number | null | undefined;
}

/** Lookups that wait for their write; one more forgets the oldest, which costs one call. */
const MAX_SKUS = 1_000;
/** Longer than the longest backoff between the two sends, and far shorter than people take to create the product by hand. */
const VALID_MS = 90_000;

export const createSkuMemory = (clock: Clock): SkuMemory => {
  const known = new Map<string, { readonly id: number | null; readonly atMs: number }>();
  return {
    note(sku, id) {
      known.set(sku, { id, atMs: clock.monotonicMs() });
      const [oldest] = known.keys();
      if (known.size > MAX_SKUS && oldest !== undefined) known.delete(oldest);
    },
    take(sku) {
      const entry = known.get(sku);
      known.delete(sku);
      return entry !== undefined && clock.monotonicMs() - entry.atMs <= VALID_MS ? entry.id : undefined;
    },
  };
};
