/** What a handler answers, and Sell's error envelope around it. */
import { STATUS_CODES } from "node:http";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
export type JsonObject = { readonly [name: string]: Json };

export interface Reply {
  readonly status: number;
  readonly headers?: { readonly [name: string]: string };
  /** Text goes out as it is, anything else as JSON; undefined: no body at all. */
  readonly body?: unknown;
}

export interface Problem {
  readonly resource?: string;
  /** JSON pointer of the attribute at fault. */
  readonly field?: string;
  readonly code: string;
  readonly details?: string;
}

/** The reply that carries these problems in Sell's envelope; the log reference is the reply's X-Request-Id too. */
export const errorReply = (status: number, problems: readonly Problem[], logref: string): Reply => ({
  status,
  body: {
    errors: problems.map(problemJson),
    meta: { type: "errors", http_status: `${status} ${STATUS_CODES[status] ?? "Unknown"}`, logref },
  },
});

export const problemJson = ({ resource, field, code, details }: Problem): object => ({
  error: { resource, field, code, message: MESSAGES[code] ?? code.replaceAll("_", " "), details },
  meta: { type: "error" },
});

const MESSAGES: { readonly [code: string]: string } = {
  already_exists: "record already exists",
  ambiguous_match: "several records match",
  blank: "attribute must not be blank",
  duplicate_in_batch: "the batch names this record twice",
  incorrect_path: "the requested path does not exist",
  incorrect_value: "attribute has an incorrect value",
  insufficient_scope: "the token may not do this",
  invalid_header: "a required header is missing or wrong",
  invalid_param: "query parameter is unknown or wrong",
  invalid_payload: "the request body cannot be read",
  invalid_type: "attribute has an incorrect type",
  invalid_user_agent: "the User-Agent header is required",
  job_limit_exceeded: "too many jobs are queued or running",
  missing: "attribute is required",
  not_acceptable: "only application/json can be accepted",
  not_found: "the record does not exist",
  rate_limit_exceeded: "API rate limit reached",
  too_many_items: "too many items",
  unauthorized: "the access token is not valid",
  unknown: "attribute is unknown or cannot be written",
};
