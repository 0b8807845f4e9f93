import type { IncomingHttpHeaders } from "node:http";
import { describe, expect, test } from "vitest";
import { announcedIn } from "../../../src/deliver/announced.ts";
import { HEADER_NAMES } from "./support.ts";

const DATE = "Wed, 25 Nov 2026 12:00:00 GMT";
const DATE_S = Date.parse(DATE) / 1_000;

describe("announced quota", () => {
  test.each<[string, IncomingHttpHeaders, ReturnType<typeof announcedIn>]>([
    ["nothing", { "content-type": "application/json" }, null],
    ["the customer's spelling", { "x-ratelimit-remaining": "163" }, { limit: null, remaining: 163, resetMs: null }],
    [
      "Support's spelling",
      { "x-rate-limit": "700", "x-rate-limit-remaining": "699" },
      { limit: 700, remaining: 699, resetMs: null },
    ],
    [
      "the draft standard",
      { "ratelimit-limit": "700", "ratelimit-remaining": "0", "ratelimit-reset": "41" },
      { limit: 700, remaining: 0, resetMs: 41_000 },
    ],
    [
      "an epoch reset, by the server's clock",
      { date: DATE, "x-ratelimit-reset": `${DATE_S + 37}` },
      { limit: null, remaining: null, resetMs: 37_000 },
    ],
    ["an epoch reset without a clock", { "x-ratelimit-reset": `${DATE_S + 37}` }, null],
    [
      "malformed headers",
      { "x-ratelimit-limit": "many", "x-ratelimit-remaining": "-1", "x-ratelimit-reset": "soon" },
      null,
    ],
    ["a wait only", { "retry-after": "40" }, null],
  ])("reads %s", (_name, headers, announced) => {
    expect(announcedIn(headers, HEADER_NAMES)).toEqual(announced);
  });

  test("is read under other names too, in any case", () => {
    const names = { limit: [], remaining: ["X-Calls-Left"], reset: [] };
    expect(announcedIn({ "x-calls-left": "9" }, names)).toEqual({ limit: null, remaining: 9, resetMs: null });
  });
});
