/** The quota headers a reply announces. Sell documents none; the spellings are those of the customer's gateway and of Zendesk Support. */
import type { IncomingHttpHeaders } from "node:http";
import type { Announced } from "../domain/receipt.ts";
import { retryHint } from "../lib/retry-hint.ts";

const LIMIT = ["x-ratelimit-limit", "x-rate-limit-limit", "x-rate-limit", "ratelimit-limit"];
const REMAINING = ["x-ratelimit-remaining", "x-rate-limit-remaining", "ratelimit-remaining"];
const RESET = ["x-ratelimit-reset", "x-rate-limit-reset", "ratelimit-reset"];

/** Null when the reply announces nothing; a malformed header counts as absent. */
export const announcedIn = (headers: IncomingHttpHeaders): Announced | null => {
  const limit = count(headers, LIMIT);
  const remaining = count(headers, REMAINING);
  const resetMs = reset(headers);
  return limit === null && remaining === null && resetMs === null ? null : { limit, remaining, resetMs };
};

const count = (headers: IncomingHttpHeaders, names: readonly string[]): number | null => {
  for (const name of names) {
    const value = headers[name];
    if (typeof value === "string" && /^\d{1,9}$/.test(value.trim())) return Number(value);
  }
  return null;
};

/** A reset is read by the same rules as a wait, so that both always agree. */
const reset = (headers: IncomingHttpHeaders): number | null => {
  const present = RESET.filter((name) => headers[name] !== undefined).map((name) => [name, headers[name]] as const);
  return present.length === 0 ? null : retryHint({ date: headers.date, ...Object.fromEntries(present) }, null).hintMs;
};
