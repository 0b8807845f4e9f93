import type { Remembered } from "../domain/stages.ts";

/**
 * Known from a question about a key, which the replica that owns the key may have written meanwhile: such an answer fills a
 * gap and never replaces the version and fingerprint of what was accepted.
 */
export const isLookup = ({ route }: Remembered): boolean => route === null;
