/**
 * How long a rate-limited reply asks us to wait. Total: whatever a server or a proxy writes, the answer is null or a wait
 * longer than nothing and at most a day, so that no malformed hint stops the connector for ever or lets it send at once.
 */
import type { Throttle } from "../domain/receipt.ts";

const MAX_HINT_MS = 86_400_000;
/** A hint of 0 is a part of a second that the server rounded down. */
const LEAST_HINT_MS = 1_000;
const MAX_BODY_CHARS = 65_536;

const RESET_HEADERS = ["x-ratelimit-reset", "x-rate-limit-reset", "ratelimit-reset"];

interface Hint {
  readonly ms: number;
  readonly source: string;
}

/**
 * The longest of all hints of one reply: `Retry-After` (RFC 9110: seconds or an HTTP date), `retry_after` in a JSON body,
 * and the three spellings of a reset header. `headers` may be in any case; `body` is text or already parsed.
 * Dates are read against the reply's own Date header, never against our clock; without it they are no hint.
 * `hintMs` is null when the reply says nothing usable.
 */
export const retryHint = (headers: Readonly<Record<string, unknown>>, body: unknown): Throttle => {
  const values = byLowerCaseName(headers);
  const servedAtMs = httpDate(values("date")[0]);
  const longest = [
    ...values("retry-after").map((value) => retryAfter(value, servedAtMs)),
    ...RESET_HEADERS.flatMap(values).map((value) => reset(value, servedAtMs)),
    bodyHint(body),
  ].reduce((best, hint) => (hint !== null && (best === null || hint.ms > best.ms) ? hint : best), null);
  return longest === null ? { hintMs: null, source: "none" } : { hintMs: longest.ms, source: longest.source };
};

const retryAfter = (value: string, servedAtMs: number | null): Hint | null => {
  // Digits first: Date.parse would read "120" as a year.
  const seconds = decimal(value);
  if (seconds !== null) return hint(seconds * 1_000, "header-seconds");
  const untilMs = httpDate(value);
  return untilMs === null || servedAtMs === null ? null : hint(untilMs - servedAtMs, "header-date");
};

/** Servers put four different things there: epoch milliseconds, epoch seconds, milliseconds left, seconds left. */
const reset = (value: string, servedAtMs: number | null): Hint | null => {
  const number = decimal(value);
  if (number === null) return null;
  if (number > 1e9) {
    const untilMs = number > 1e12 ? number : number * 1_000;
    return servedAtMs === null ? null : hint(untilMs - servedAtMs, "reset");
  }
  return hint(number > 86_400 ? number : number * 1_000, "reset");
};

const bodyHint = (body: unknown): Hint | null => {
  const value = retryAfterOf(typeof body === "string" ? parsed(body) : body);
  const seconds = typeof value === "number" ? value : typeof value === "string" ? decimal(value) : null;
  return seconds === null ? null : hint(seconds * 1_000, "body");
};

const retryAfterOf = (body: unknown): unknown =>
  typeof body === "object" && body !== null && "retry_after" in body ? body.retry_after : undefined;

const parsed = (text: string): unknown => {
  if (text.length > MAX_BODY_CHARS) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Rounded up, so that nobody asks a moment too early; null for what is no wait at all. */
const hint = (ms: number, source: string): Hint | null =>
  ms >= 0 ? { ms: ms === 0 ? LEAST_HINT_MS : Math.min(Math.ceil(ms), MAX_HINT_MS), source } : null;

const decimal = (text: string): number | null => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : null);

/** Any of RFC 9110's three date formats begins with the name of a day; Date.parse alone would accept bare numbers. */
const httpDate = (text: string | undefined): number | null => {
  if (text === undefined || !/^(mon|tue|wed|thu|fri|sat|sun)/i.test(text)) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
};

/** All values of a header, trimmed, whatever the case of its name. */
const byLowerCaseName = (headers: Readonly<Record<string, unknown>>): ((name: string) => string[]) => {
  const entries = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return (wanted) =>
    entries
      .filter(([name]) => name === wanted)
      .flatMap(([, value]) => (Array.isArray(value) ? value : [value]))
      .filter((value) => typeof value === "string" || typeof value === "number")
      .map((value) => String(value).trim());
};
