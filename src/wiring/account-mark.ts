/** The account on the other side, as it stands in commits and in the names of what is remembered. */
import { createHash } from "node:crypto";

/** A fingerprint, so that commits tell no id to whoever may read them. */
export const accountMarkOf = (accountId: number): string =>
  createHash("sha256").update(String(accountId)).digest("hex").slice(0, 8);

/** Whoever can read the group's commits finds what the group remembers, without asking Sell. */
export const storeScope = (accountMark: string, groupId: string): string => `${accountMark}|${groupId}`;
