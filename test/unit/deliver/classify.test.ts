import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Call } from "../../../src/deliver/call.ts";
import { classify, ITEM_RULES, REPLY_RULES } from "../../../src/deliver/classify.ts";
import { readExchange } from "../../../src/deliver/reading.ts";
import { readErrors } from "../../../src/deliver/sell-errors.ts";
import type { Reply } from "../../../src/deliver/wire.ts";
import { anError } from "./support.ts";

const aCall = (method: Call["request"]["method"] = "POST", byId = false): Call => ({
  request: { method, path: "/v2/contacts", body: null },
  byId,
  read: () => ({ outcomes: [{ status: "unknown", reason: "not under test" }], throttle: false, halt: null }),
});

const sell = (code: string): string => JSON.stringify(anError(code, "/data/name"));
const JSON_429 = '{"error":"rate_limit_exceeded","retry_after":3600,"message":"API rate limit reached"}';
const DISGUISED = JSON.stringify(anError("incorrect_path", undefined, "no route for /429.json"));
const HTML = "<html><body>nginx</body></html>";
const WAIT = { "retry-after": "7" };

interface Case {
  readonly reply: readonly [status: number, body: string, headers?: Reply["headers"]];
  readonly one: string;
  readonly many?: string;
  readonly throttle?: true;
  readonly halt?: string;
  readonly byId?: true;
}

const CASES: readonly Case[] = [
  { reply: [429, JSON_429], one: "retriable rate-limited", throttle: true },
  { reply: [429, ""], one: "retriable rate-limited", throttle: true },
  { reply: [429, "Too many"], one: "retriable rate-limited", throttle: true },
  { reply: [429, sell("job_limit_exceeded"), WAIT], one: "retriable job-limit" },
  { reply: [404, DISGUISED], one: "retriable rate-limited", throttle: true },
  { reply: [404, DISGUISED], one: "retriable rate-limited", throttle: true, byId: true },
  { reply: [503, HTML, WAIT], one: "unknown http-503", throttle: true },
  { reply: [503, sell("temporarily_unavailable"), WAIT], one: "retriable temporarily-unavailable", throttle: true },
  { reply: [503, sell("temporarily_unavailable")], one: "retriable temporarily-unavailable" },
  { reply: [503, HTML], one: "unknown http-503" },
  { reply: [500, '{"status":500,"error":"Internal Server Error"}'], one: "unknown http-500" },
  { reply: [500, sell("server_error")], one: "unknown http-500" },
  { reply: [502, HTML], one: "unknown http-502" },
  { reply: [504, ""], one: "unknown http-504" },
  { reply: [408, ""], one: "unknown http-408" },
  { reply: [401, sell("unauthorized")], one: "retriable unauthorized", halt: "auth" },
  { reply: [401, ""], one: "retriable unauthorized", halt: "auth" },
  { reply: [403, sell("insufficient_scope")], one: "retriable forbidden", halt: "rights" },
  { reply: [403, ""], one: "retriable forbidden", halt: "rights" },
  { reply: [403, HTML], one: "retriable blocked", many: "refused blocked" },
  { reply: [400, sell("invalid_user_agent")], one: "retriable misconfigured", halt: "configuration" },
  { reply: [400, sell("invalid_header")], one: "retriable misconfigured", halt: "configuration" },
  { reply: [406, ""], one: "retriable misconfigured", halt: "configuration" },
  { reply: [404, sell("incorrect_path")], one: "retriable misconfigured", halt: "configuration" },
  { reply: [301, HTML], one: "unknown redirected", halt: "configuration" },
  { reply: [302, HTML], one: "unknown redirected" },
  { reply: [307, HTML], one: "unknown redirected" },
  { reply: [400, sell("invalid_payload")], one: "rejected invalid-request", many: "refused invalid-request" },
  { reply: [400, sell("invalid_param")], one: "rejected invalid-request", many: "refused invalid-request" },
  { reply: [400, HTML], one: "limited invalid-request", many: "refused invalid-request" },
  { reply: [404, sell("not_found")], one: "accepted missing", byId: true },
  { reply: [404, ""], one: "accepted missing", byId: true },
  { reply: [404, HTML], one: "unknown http-404", byId: true },
  { reply: [404, sell("not_found")], one: "unknown http-404" },
  { reply: [409, sell("ambiguous_match")], one: "rejected ambiguous-match", many: "refused ambiguous-match" },
  { reply: [422, sell("ambiguous_match")], one: "rejected ambiguous-match", many: "refused ambiguous-match" },
  { reply: [409, ""], one: "limited conflict", many: "refused conflict" },
  { reply: [413, ""], one: "rejected too-large", many: "refused too-large" },
  { reply: [422, sell("blank")], one: "rejected invalid-record", many: "refused invalid-record" },
  { reply: [422, sell("duplicate_in_batch")], one: "rejected invalid-record", many: "refused invalid-record" },
  { reply: [422, ""], one: "limited invalid-record", many: "refused invalid-record" },
  { reply: [423, ""], one: "retriable locked" },
];

const verdict = (
  { reply: [status, body, headers = {}], byId = false }: Pick<Case, "reply"> & { byId?: boolean },
  writes: number,
) => {
  const reading = readExchange(aCall("POST", byId), { kind: "reply", status, headers, body }, writes);
  const [outcome] = reading.outcomes;
  if (outcome === undefined) throw new Error("no outcome");
  const what = outcome.status === "accepted" ? outcome.result : outcome.reason;
  const name = outcome.status === "retriable" && outcome.limited ? "limited" : outcome.status;
  return { text: `${name} ${what}`, throttle: reading.throttle, halt: reading.halt, count: reading.outcomes.length };
};

describe("a refused request", () => {
  test.each(CASES)("$reply.0 $reply.1: $one", (row) => {
    expect(verdict(row, 1)).toEqual({
      text: row.one,
      throttle: row.throttle ?? false,
      halt: row.halt ?? null,
      count: 1,
    });
    expect(verdict(row, 3)).toMatchObject({ text: row.many ?? row.one, count: 3 });
  });

  test("names Sell's code and field in our own words and quotes none of its prose", () => {
    const body = JSON.stringify(anError("blank", "/items/3/data/custom_fields/erp_id", "secret prose"));
    const { outcomes } = readExchange(aCall(), { kind: "reply", status: 422, headers: {}, body }, 1);
    expect(outcomes).toEqual([
      {
        status: "rejected",
        reason: "invalid-record",
        message:
          "Sell refused the record for its field custom_fields.erp_id: the attribute must not be blank (HTTP 422 blank).",
        httpStatus: 422,
        code: "blank",
        field: "custom_fields.erp_id",
      },
    ]);
  });

  test("of a question is only asked again", () => {
    const silence = readExchange(aCall("GET"), { kind: "no-reply", cause: "timeout" }, 1);
    expect(silence.outcomes).toEqual([{ status: "retriable", reason: "timeout" }]);
  });
});

describe("an item of a bulk reply", () => {
  const item = (status: number, code: string, byId = false) => {
    const errors = readErrors(anError(code));
    return classify(ITEM_RULES, { status, errors, isEmpty: false, hasRetryAfter: false, names429: false, byId }, 1);
  };

  test.each([
    [404, "not_found", true, { status: "accepted", result: "missing", id: null }],
    [404, "not_found", false, { status: "retriable", reason: "not-found", limited: true }],
    [409, "ambiguous_match", false, { status: "rejected", reason: "ambiguous-match" }],
    [409, "other", false, { status: "retriable", reason: "conflict", limited: true }],
    [422, "incorrect_value", false, { status: "rejected", reason: "invalid-record", code: "incorrect_value" }],
    [429, "rate_limit_exceeded", false, { status: "retriable", reason: "rate-limited" }],
    [500, "server_error", false, { status: "unknown", reason: "http-500" }],
    [503, "temporarily_unavailable", false, { status: "unknown", reason: "http-503" }],
    [7_000.5, "odd", false, { status: "unknown", reason: "http-other" }],
  ])("%i %s", (status, code, byId, outcome) => {
    expect(item(status, code, byId).outcome).toMatchObject(outcome);
  });
});

const anyReply = fc.record({
  status: fc.oneof(fc.integer({ min: 100, max: 599 }), fc.constantFrom(400, 401, 404, 409, 413, 422, 429, 503)),
  headers: fc.constantFrom<Reply["headers"]>({}, WAIT, { "retry-after": "soon" }),
  body: fc.oneof(
    fc.constantFrom("", HTML, JSON_429, DISGUISED, "null", "[]", '{"errors":[null,{"error":7}]}'),
    fc.constantFrom("not_found", "ambiguous_match", "blank", "temporarily_unavailable", "incorrect_path").map(sell),
    fc.json(),
  ),
});

test("every refusal is exactly one outcome for each write, whatever the status, headers, body, verb and number", () => {
  const property = fc.property(anyReply, fc.boolean(), fc.constantFrom(1, 2, 50), (reply, byId, writes) => {
    fc.pre(reply.status < 200 || reply.status > 299);
    const { outcomes, throttle, halt } = readExchange(aCall("POST", byId), { kind: "reply", ...reply }, writes);
    const statuses = [...new Set(outcomes.map(({ status }) => status))];
    expect({ count: outcomes.length, kinds: statuses.length }).toEqual({ count: writes, kinds: 1 });
    const allowed = new Set(["accepted", "retriable", "unknown", writes > 1 ? "refused" : "rejected"]);
    // Throttling, authorisation and server faults never make a dead letter.
    if (throttle || halt !== null || reply.status >= 500)
      for (const final of ["accepted", "refused", "rejected"]) allowed.delete(final);
    expect(allowed).toContain(statuses[0]);
    if (reply.status === 429)
      expect({ throttle, halt, statuses }).toEqual({ throttle: true, halt: null, statuses: ["retriable"] });
  });
  fc.assert(property, { numRuns: 500 });
});

test("each table ends with a rule that fits everything", () => {
  for (const rules of [REPLY_RULES, ITEM_RULES]) expect(rules.at(-1)).toEqual({ at: [0, 999], means: "unknown" });
});
