/** The quota headers a reply announces. Sell documents none; gateways before it may. */
import type { IncomingHttpHeaders } from "node:http";
import type { Announced } from "../domain/receipt.ts";
import { retryHint } from "../lib/retry-hint.ts";

/** Names in any case; of several the first that a reply has counts. */
export interface HeaderNames {
  readonly limit: readonly string[];
  readonly remaining: readonly string[];
  readonly reset: readonly string[];
}

/** Null when the reply announces nothing; a malformed header counts as absent. */
export const announcedIn = (headers: IncomingHttpHeaders, names: HeaderNames): Announced | null => {
  const limit = count(headers, names.limit);
  const remaining = count(headers, names.remaining);
  const resetMs = reset(headers, names.reset);
  return limit === null && remaining === null && resetMs === null ? null : { limit, remaining, resetMs };
};

const count = (headers: IncomingHttpHeaders, names: readonly string[]): number | null => {
  for (const name of names) {
    const value = headers[name.toLowerCase()];
    if (typeof value === "string" && /^\d{1,9}$/.test(value.trim())) return Number(value);
  }
  return null;
};

/** A reset is read by the same rules as a wait, so that both always agree. */
const reset = (headers: IncomingHttpHeaders, names: readonly string[]): number | null => {
  for (const name of names) {
    const value = headers[name.toLowerCase()];
    if (value !== undefined) return retryHint({ date: headers.date, "ratelimit-reset": value }, null).hintMs;
  }
  return null;
};
