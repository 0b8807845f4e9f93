/** Status by headers by body by dialect: what any answer means, success or not, for every way in which a record is written. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { bulkCall } from "../../../src/deliver/bulk.ts";
import type { Call } from "../../../src/deliver/call.ts";
import { coreCall } from "../../../src/deliver/core.ts";
import { createNotes } from "../../../src/deliver/notes.ts";
import { readExchange } from "../../../src/deliver/reading.ts";
import { resourceOf } from "../../../src/deliver/resources.ts";
import type { Reply } from "../../../src/deliver/wire.ts";
import { aBatch, aClock, anError, asCall, aWrite } from "./support.ts";

const keyField = "erp_id";
const core = (verb: "upsert" | "update" | "delete", id: number | null): Call => {
  const { clock } = aClock();
  const context = { keyField, skus: createNotes<never>(clock, 1), nowMs: clock.monotonicMs(), openMs: 1 };
  return asCall(coreCall(aWrite({ id }), verb, resourceOf("accounts"), context));
};
const bulk = (verb: "upsert" | "delete"): Call =>
  bulkCall(aBatch({ writes: [aWrite({ id: 5 })], verb }), verb, resourceOf("accounts"), {
    keyField,
    serial: 36,
    isAsync: false,
  });

/** The ways of writing one record; `serial` 36 makes `10:0` the ref of the only item. */
const WAYS = {
  "bulk upsert": bulk("upsert"),
  "bulk delete": bulk("delete"),
  "core POST": core("upsert", null),
  "core PUT": core("update", 5),
  "core DELETE": core("delete", 5),
} as const;
type Way = keyof typeof WAYS;

const RECORD = {
  id: 5,
  custom_fields: { erp_id: "C-1" },
  created_at: "2026-01-01T00:00:00Z",
  updated_at: "2026-02-01T00:00:00Z",
};
const item = (meta: object, more: object = { data: RECORD }) => ({
  items: [{ ...more, meta: { type: "account", ref: "10:0", index: 0, ...meta } }],
});
const failed = (status: number, code: string) => item({ status, result: "failed" }, anError(code));
const HTML = "<html><body>nginx</body></html>";

const meaning = (way: Way, status: number, body: unknown, headers: Reply["headers"] = {}): string => {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const { outcomes, throttle, halt } = readExchange(WAYS[way], { kind: "reply", status, headers, body: text }, 1);
  const [outcome] = outcomes;
  if (outcome === undefined || outcomes.length !== 1) throw new Error("one outcome a write");
  const what = outcome.status === "accepted" ? outcome.result : outcome.status === "progress" ? "" : outcome.reason;
  return [outcome.status, what, throttle ? "throttle" : "", halt ?? ""].filter((part) => part !== "").join(" ");
};
interface Answer {
  readonly title: string;
  readonly reply: readonly [status: number, body: unknown, headers?: Reply["headers"]];
  /** What it means for each way of writing; a text stands for all of them. */
  readonly means: string | readonly [bulkUpsert: string, bulkDelete: string, post: string, put: string, del: string];
}

/** The same for both ways of the bulk dialect, and another for all three of the core dialect. */
const byDialect = (inBulk: string, inCore: string) => [inBulk, inBulk, inCore, inCore, inCore] as const;
const verdict = (title: string, body: object, upsert: string, deletion = upsert): Answer => ({
  title: `an item's verdict: ${title}`,
  reply: [207, body],
  means: [upsert, deletion, "unknown http-207", "unknown http-207", "unknown http-207"],
});

const UNREADABLE = "unknown reply-unreadable";
const CONTRADICTS = "unknown verdict-contradicts";
const other = { ...RECORD, custom_fields: { erp_id: "C-2" } };

const ANSWERS: readonly Answer[] = [
  // 2xx: accepted only where the reply shows beyond doubt what became of this very record.
  {
    title: "the record",
    reply: [200, { data: RECORD }],
    means: [UNREADABLE, UNREADABLE, "accepted updated", "accepted updated", "accepted deleted"],
  },
  {
    title: "another record of our key",
    reply: [200, { data: { ...RECORD, id: 6 } }],
    means: [UNREADABLE, UNREADABLE, "accepted updated", "unknown id-mismatch", UNREADABLE],
  },
  {
    title: "a record of another key",
    reply: [200, { data: other }],
    means: [UNREADABLE, UNREADABLE, "unknown key-mismatch", "unknown key-mismatch", "accepted deleted"],
  },
  {
    title: "nothing",
    reply: [204, ""],
    means: [UNREADABLE, UNREADABLE, "unknown http-204", "unknown http-204", "accepted deleted"],
  },
  {
    title: "a job",
    reply: [202, { data: { id: "8f0c", status: "queued" } }],
    means: [
      "unknown asynchronous-reply",
      "unknown asynchronous-reply",
      "unknown asynchronous-reply",
      "unknown asynchronous-reply",
      "unknown http-202",
    ],
  },
  { title: "a status of no use", reply: [205, ""], means: byDialect(UNREADABLE, "unknown http-205") },
  ...["", HTML, '{"items":[{"da', "null", "[]", '{"data":null}', '{"data":[]}'].map(
    (body): Answer => ({ title: "no answer at all", reply: [200, body], means: UNREADABLE }),
  ),
  { title: "no verdict", reply: [200, { items: [] }], means: byDialect("unknown verdict-missing", UNREADABLE) },

  // Verdicts of a bulk reply: each its own, and only if it is surely ours.
  verdict("updated", item({ status: 200, result: "updated" }), "accepted updated", CONTRADICTS),
  verdict("created", item({ status: 201, result: "created" }), "accepted created", CONTRADICTS),
  verdict("deleted", item({ status: 200, result: "deleted" }), CONTRADICTS, "accepted deleted"),
  verdict("of an older version", item({ status: 200, result: "updated", version: 1 }), "accepted updated", CONTRADICTS),
  verdict("of another request", item({ status: 200, result: "updated", ref: "11:0" }), "unknown verdict-missing"),
  verdict("of another place", item({ status: 200, result: "updated", index: 3 }), CONTRADICTS),
  verdict(
    "of another key",
    item({ status: 200, result: "updated" }, { data: other }),
    "unknown key-mismatch",
    CONTRADICTS,
  ),
  verdict(
    "success with errors",
    item({ status: 200, result: "updated" }, { data: RECORD, ...anError("blank") }),
    CONTRADICTS,
  ),
  verdict("without a status", item({ result: "updated" }), "unknown verdict-unreadable"),
  verdict("404", failed(404, "not_found"), "retriable not-found", "accepted missing"),
  verdict("409 of several", failed(409, "ambiguous_match"), "rejected ambiguous-match"),
  verdict("409", failed(409, "other"), "retriable conflict"),
  verdict("413", failed(413, "too_large"), "rejected too-large"),
  verdict("422", failed(422, "blank"), "rejected invalid-record"),
  verdict("429", failed(429, "rate_limit_exceeded"), "retriable rate-limited throttle"),
  verdict("401", failed(401, "unauthorized"), "retriable unauthorized auth"),
  verdict("403", failed(403, "insufficient_scope"), "retriable forbidden rights"),
  verdict("500", failed(500, "server_error"), "unknown http-500"),
  verdict("503", failed(503, "temporarily_unavailable"), "unknown http-503"),

  // Refusals of a whole request mean the same everywhere, but for a 404 of a record we named.
  { title: "a rate limit", reply: [429, ""], means: "retriable rate-limited throttle" },
  {
    title: "a rate limit as 404",
    reply: [404, anError("incorrect_path", undefined, "no route for /429.json")],
    means: "retriable rate-limited throttle",
  },
  {
    title: "too many jobs",
    reply: [429, anError("job_limit_exceeded"), { "retry-after": "7" }],
    means: "retriable job-limit",
  },
  { title: "a pause", reply: [503, HTML, { "retry-after": "7" }], means: "unknown http-503 throttle" },
  {
    title: "a pause in Sell's words",
    reply: [503, anError("temporarily_unavailable")],
    means: "retriable temporarily-unavailable",
  },
  {
    title: "no such record",
    reply: [404, anError("not_found")],
    means: ["unknown http-404", "unknown http-404", "unknown http-404", "accepted missing", "accepted missing"],
  },
  { title: "no such path", reply: [404, anError("incorrect_path")], means: "retriable misconfigured configuration" },
  { title: "no such format", reply: [406, ""], means: "retriable misconfigured configuration" },
  {
    title: "a header missing",
    reply: [400, anError("invalid_user_agent")],
    means: "retriable misconfigured configuration",
  },
  { title: "a body refused", reply: [400, anError("invalid_payload")], means: "rejected invalid-request" },
  { title: "a token refused", reply: [401, anError("unauthorized")], means: "retriable unauthorized auth" },
  { title: "a right missing", reply: [403, anError("insufficient_scope")], means: "retriable forbidden rights" },
  { title: "a firewall's page", reply: [403, HTML], means: "retriable blocked" },
  { title: "several records", reply: [409, anError("ambiguous_match")], means: "rejected ambiguous-match" },
  { title: "a conflict", reply: [409, ""], means: "retriable conflict" },
  { title: "too large", reply: [413, ""], means: "rejected too-large" },
  { title: "a record refused", reply: [422, anError("blank")], means: "rejected invalid-record" },
  { title: "locked", reply: [423, ""], means: "retriable locked" },
  { title: "moved for good", reply: [301, HTML], means: "unknown redirected configuration" },
  { title: "moved", reply: [307, HTML], means: "unknown redirected" },
  ...[408, 425, 500, 502, 504].map(
    (status): Answer => ({ title: "a failure", reply: [status, HTML], means: `unknown http-${status}` }),
  ),
];

const NAMES = Object.keys(WAYS) as readonly Way[];
const CASES = ANSWERS.flatMap(({ title, reply, means }) =>
  NAMES.map((way, at) => ({
    way,
    title,
    reply,
    status: reply[0],
    means: typeof means === "string" ? means : means[at],
  })),
);

test.each(CASES)("$way, $status $title: $means", ({ way, reply, means }) => {
  expect(meaning(way, ...reply)).toBe(means);
});

const anyBody = fc.oneof(
  fc.json(),
  fc.constantFrom("", HTML, "null", "{}", '{"items":null}', JSON.stringify({ data: RECORD })),
  fc
    .record({
      status: fc.integer({ min: 0, max: 700 }),
      result: fc.constantFrom("created", "updated", "deleted", "failed", 7),
    })
    .map((meta) => JSON.stringify(item(meta))),
  fc
    .constantFrom("not_found", "blank", "incorrect_path", "temporarily_unavailable")
    .map((code) => JSON.stringify(anError(code))),
);
const anyHeaders = fc.constantFrom<Reply["headers"]>({}, { "retry-after": "7" }, { "retry-after": "soon" });

/** The record, a deletion, or that there is no such record. */
const isShown = (status: number, body: string): boolean =>
  status === 204 || status === 404 || body.includes('"id":5') || body.includes('"status":404');

test("any answer at all is exactly one outcome: a success only where it is shown, no dead letter for a failing Sell", () => {
  const property = fc.property(
    fc.constantFrom(...NAMES),
    fc.integer({ min: 100, max: 599 }),
    anyBody,
    anyHeaders,
    (way, status, body, headers) => {
      const [kind] = meaning(way, status, body, headers).split(" ");
      if (kind === "accepted") expect(isShown(status, body)).toBe(true);
      if (status >= 500 || status === 429 || status < 200) expect(["unknown", "retriable"]).toContain(kind);
    },
  );
  fc.assert(property, { numRuns: 2_000 });
});
