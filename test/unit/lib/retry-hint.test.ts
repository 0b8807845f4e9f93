import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { retryHint } from "../../../src/lib/retry-hint.ts";

const DATE = "Tue, 24 Nov 2026 10:00:00 GMT";
const SERVED_S = Date.parse(DATE) / 1_000;

describe("a usable hint", () => {
  it.each([
    ["seconds", { "Retry-After": "120" }, "", 120_000, "header-seconds"],
    ["a number of seconds", { "retry-after": 120 }, "", 120_000, "header-seconds"],
    ["a date", { "Retry-After": "Tue, 24 Nov 2026 10:00:30 GMT", Date: DATE }, "", 30_000, "header-date"],
    ["a number in the body", {}, '{"error":"rate_limit_exceeded","retry_after":3600}', 3_600_000, "body"],
    ["a text in the body", {}, '{"retry_after":"3600"}', 3_600_000, "body"],
    ["a fraction, rounded up to milliseconds", {}, { retry_after: 0.0015 }, 2, "body"],
    ["a parsed body", {}, { retry_after: 37 }, 37_000, "body"],
    ["0 seconds, a rounded-down part of one", { "retry-after": "0" }, "", 1_000, "header-seconds"],
    ["an epoch in seconds", { "X-RateLimit-Reset": `${SERVED_S + 40}`, date: DATE }, "", 40_000, "reset"],
    ["an epoch in ms", { "x-rate-limit-reset": `${SERVED_S * 1_000 + 1_500}`, date: DATE }, "", 1_500, "reset"],
    ["seconds to a reset", { "RateLimit-Reset": "42" }, "", 42_000, "reset"],
    ["milliseconds to a reset", { "ratelimit-reset": "90000" }, "", 90_000, "reset"],
    ["the longest of several", { "retry-after": "10", "ratelimit-reset": "42" }, '{"retry_after":37}', 42_000, "reset"],
    ["more than a day", { "retry-after": "9".repeat(400) }, "", 86_400_000, "header-seconds"],
    ["the longest of a repeated header", { "retry-after": ["5", "7"] }, "", 7_000, "header-seconds"],
  ])("is %s", (_name, headers, body, hintMs, source) => {
    expect(retryHint(headers, body)).toEqual({ hintMs, source });
  });
});

describe("no hint", () => {
  it.each([
    ["an empty reply", {}, ""],
    ["a negative number", { "retry-after": "-5" }, '{"retry_after":-5}'],
    ["words", { "retry-after": "soon" }, '{"retry_after":"later"}'],
    ["a body that is no JSON", {}, "<html>429</html>"],
    ["null, a list, NaN", {}, '{"retry_after":null}'],
    ["an infinite number", {}, { retry_after: Number.NaN }],
    ["a date without the server's own date, which only our clock could measure", { "retry-after": DATE }, ""],
    ["an epoch without the server's own date", { "x-ratelimit-reset": `${SERVED_S + 40}` }, ""],
    ["a date in the past", { "retry-after": "Tue, 24 Nov 2026 09:59:00 GMT", date: DATE }, ""],
    ["an ISO date, which no RFC allows", { "retry-after": "2026-11-24T10:01:00Z", date: DATE }, ""],
  ])("is in %s", (_name, headers, body) => {
    expect(retryHint(headers, body)).toEqual({ hintMs: null, source: "none" });
  });
});

const anyText = fc.oneof(
  fc.string(),
  fc.double().map(String),
  fc.bigInt().map(String),
  fc.date().map((date) => (Number.isNaN(date.getTime()) ? "" : date.toUTCString())),
);
const headers = fc.dictionary(
  fc.constantFrom("Retry-After", "retry-after", "Date", "X-RateLimit-Reset", "RateLimit-Reset", "X-Rate-Limit-Reset"),
  fc.oneof(anyText, fc.array(anyText), fc.anything()),
);
const bodies = fc.oneof(
  fc.anything(),
  anyText,
  fc.anything().map((value) => JSON.stringify({ retry_after: value })),
);

it("whatever a server writes, the hint is null or a whole number of milliseconds within a day", () => {
  fc.assert(
    fc.property(headers, bodies, (headers, body) => {
      const { hintMs } = retryHint(headers, body);
      if (hintMs === null) return;
      expect(hintMs).toSatisfy((ms: number) => Number.isInteger(ms) && ms > 0 && ms <= 86_400_000);
    }),
    { numRuns: 2_000 },
  );
});
