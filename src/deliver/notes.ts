/** What earlier steps found out about a record that takes several requests, kept just long enough to act on it. */
import type { Write } from "../domain/receipt.ts";
import type { Clock } from "../lib/clock.ts";

export interface Notes<T> {
  put(key: string, note: T): void;
  get(key: string): T | undefined;
  forget(key: string): void;
}

/** Records under way at once; one more forgets the oldest, which costs its steps again. */
const MAX_NOTES = 2_000;

/** Notes are forgotten after `validMs`. */
export const createNotes = <T>(clock: Clock, validMs: number): Notes<T> => {
  const notes = new Map<string, { readonly note: T; readonly atMs: number }>();
  return {
    put(key, note) {
      notes.delete(key);
      notes.set(key, { note, atMs: clock.monotonicMs() });
      const [oldest] = notes.keys();
      if (notes.size > MAX_NOTES && oldest !== undefined) notes.delete(oldest);
    },
    get(key) {
      const entry = notes.get(key);
      return entry !== undefined && clock.monotonicMs() - entry.atMs <= validMs ? entry.note : undefined;
    },
    forget: (key) => void notes.delete(key),
  };
};

/** Of another series, somebody else may have written the record since. */
export const noteOf = ({ entity, key, series = 0 }: Write): string => `${entity}/${key}/${series}`;
