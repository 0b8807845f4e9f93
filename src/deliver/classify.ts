/**
 * What an answer means, as two tables: the first rule that fits decides. The order is the point: the rate signal first,
 * since it comes in many disguises, then what stops everything, then what concerns the record, and whatever is left may
 * have been applied.
 */
import type { Halt, Outcome } from "../domain/receipt.ts";
import { explain, type SellErrors } from "./sell-errors.ts";

/** An answer that is no success: of a whole request, or of one item of a bulk reply (then without headers). */
export interface Refusal {
  readonly status: number;
  readonly errors: SellErrors;
  /** No body at all, as Sell answers at times on any 4xx and 5xx. */
  readonly isEmpty: boolean;
  readonly hasRetryAfter: boolean;
  /** The limiter's page in disguise: Sell was seen to answer 404 about `/429.json` instead of 429. */
  readonly names429: boolean;
  /** The request named a record by its id, so that 404 can mean the record instead of the path. */
  readonly byId: boolean;
}

/**
 * `gone`: there is no record of this id. `record`: permanent, about the record. `tries`: as `record`, but worth a bounded
 * number of tries first. `isolate`: somebody in between lets a record not
 * pass; it alone waits, retried for ever. `hold`: surely not applied, nothing wrong with the record. `unknown`: may have been applied.
 */
type Meaning = "gone" | "record" | "tries" | "isolate" | "hold" | "unknown";

/** Why a record is isolated; of a whole batch too, before it is known which record it is. */
export const BLOCKED = "blocked";

interface Rule {
  /** The status, or the first and last of a range. */
  readonly at: number | readonly [first: number, last: number];
  readonly when?: (refusal: Refusal) => boolean;
  readonly means: Meaning;
  /** Default: `http-<status>`. */
  readonly reason?: string;
  readonly throttle?: true;
  readonly halt?: Halt["kind"];
}

const says =
  (...codes: readonly string[]) =>
  ({ errors }: Refusal): boolean =>
    errors.codes.some((code) => codes.includes(code));
const hasCode = ({ errors }: Refusal): boolean => errors.code !== null;
/** Sell answers 403 in JSON, or at times with nothing; a page is a firewall's, that dislikes what is in a record. */
const isSellsWord = ({ errors, isEmpty }: Refusal): boolean => errors.isJson || isEmpty;
const isGone = (refusal: Refusal): boolean => refusal.byId && (refusal.isEmpty || says("not_found")(refusal));

/** What is said of records, in whole replies and of single items alike; the last rule takes what no other did. */
const ABOUT_RECORDS: readonly Rule[] = [
  { at: [409, 422], when: says("ambiguous_match"), means: "record", reason: "ambiguous-match" },
  { at: 409, means: "tries", reason: "conflict" },
  { at: 413, means: "record", reason: "too-large" },
  { at: 400, when: hasCode, means: "record", reason: "invalid-request" },
  { at: 422, when: hasCode, means: "record", reason: "invalid-record" },
  // No word from Sell itself: perhaps a gateway's own 400. Not at once a dead letter.
  { at: 400, means: "tries", reason: "invalid-request" },
  { at: 422, means: "tries", reason: "invalid-record" },
  { at: 423, means: "hold", reason: "locked" },
  { at: [0, 999], means: "unknown" },
];

/** Whole replies. */
export const REPLY_RULES: readonly Rule[] = [
  // Too many jobs are under way: this request alone comes later.
  { at: 429, when: says("job_limit_exceeded"), means: "hold", reason: "job-limit" },
  { at: 429, means: "hold", reason: "rate-limited", throttle: true },
  { at: 404, when: ({ names429 }) => names429, means: "hold", reason: "rate-limited", throttle: true },
  {
    at: 503,
    when: (refusal) => refusal.hasRetryAfter && says("temporarily_unavailable")(refusal),
    means: "hold",
    reason: "temporarily-unavailable",
    throttle: true,
  },
  // Somebody in between asks for a pause; whether Sell saw the request before is not known.
  { at: 503, when: ({ hasRetryAfter }) => hasRetryAfter, means: "unknown", throttle: true },
  { at: 503, when: says("temporarily_unavailable"), means: "hold", reason: "temporarily-unavailable" },

  { at: 401, means: "hold", reason: "unauthorized", halt: "auth" },
  { at: 402, means: "hold", reason: "forbidden", halt: "rights" },
  { at: 403, when: isSellsWord, means: "hold", reason: "forbidden", halt: "rights" },
  { at: 403, means: "isolate", reason: BLOCKED },
  {
    at: 400,
    when: says("invalid_header", "invalid_user_agent"),
    means: "hold",
    reason: "misconfigured",
    halt: "configuration",
  },
  { at: 404, when: says("incorrect_path"), means: "hold", reason: "misconfigured", halt: "configuration" },
  { at: [405, 407], means: "hold", reason: "misconfigured", halt: "configuration" },
  { at: 410, means: "hold", reason: "misconfigured", halt: "configuration" },
  { at: 415, means: "hold", reason: "misconfigured", halt: "configuration" },
  // Never followed: a redirected write would arrive as a GET, or carry the token to another host.
  { at: 301, means: "unknown", reason: "redirected", halt: "configuration" },
  { at: 308, means: "unknown", reason: "redirected", halt: "configuration" },
  { at: [300, 399], means: "unknown", reason: "redirected" },

  { at: 404, when: isGone, means: "gone" },
  ...ABOUT_RECORDS,
];

/** Items of a bulk reply; `retryable` of the item is advice only and not read. */
export const ITEM_RULES: readonly Rule[] = [
  { at: 429, means: "hold", reason: "rate-limited", throttle: true },
  { at: 401, means: "hold", reason: "unauthorized", halt: "auth" },
  { at: 403, means: "hold", reason: "forbidden", halt: "rights" },
  { at: 404, when: ({ byId }) => byId, means: "gone" },
  { at: 404, means: "tries", reason: "not-found" },
  ...ABOUT_RECORDS,
];

export interface Verdict {
  /** The same for every write the refusal is about. */
  readonly outcome: Outcome;
  readonly throttle: boolean;
  readonly halt: Halt["kind"] | null;
}

/** Total: every refusal has exactly one verdict. `writes` is how many writes it is about. */
export const classify = (rules: readonly Rule[], refusal: Refusal, writes: number): Verdict => {
  const rule = rules.find((candidate) => fits(candidate, refusal));
  const outcome = outcomeOf(rule?.means ?? "unknown", rule?.reason ?? httpReason(refusal.status), refusal, writes);
  return { outcome, throttle: rule?.throttle ?? false, halt: rule?.halt ?? null };
};

/** A bounded set of names, whatever a server calls a status. */
const httpReason = (status: number): string =>
  Number.isInteger(status) && status >= 100 && status <= 599 ? `http-${status}` : "http-other";

const fits = ({ at, when }: Rule, refusal: Refusal): boolean => {
  const [first, last] = typeof at === "number" ? [at, at] : at;
  return refusal.status >= first && refusal.status <= last && (when === undefined || when(refusal));
};

const outcomeOf = (means: Meaning, reason: string, { status, errors }: Refusal, writes: number): Outcome => {
  switch (means) {
    case "gone":
      return { status: "accepted", result: "missing", id: null };
    case "record":
      return writes > 1 ? { status: "refused", reason } : rejected(reason, status, errors);
    case "tries":
      return writes > 1 ? { status: "refused", reason } : { status: "retriable", reason, limited: true };
    case "isolate":
      return writes > 1 ? { status: "refused", reason } : { status: "retriable", reason, alone: true };
    case "hold":
      return { status: "retriable", reason };
    case "unknown":
      return { status: "unknown", reason };
  }
};

const rejected = (reason: string, httpStatus: number, errors: SellErrors): Outcome => ({
  status: "rejected",
  reason,
  message: explain(httpStatus, errors),
  httpStatus,
  ...(errors.code === null ? {} : { code: errors.code }),
  ...(errors.field === null ? {} : { field: errors.field }),
});
