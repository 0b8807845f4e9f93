/** From an exchange to what it means for each write of its batch: pure, and total. */
import type { Outcome } from "../domain/receipt.ts";
import { type Call, forAll, type Reading, unknown } from "./call.ts";
import { classify, REPLY_RULES, type Refusal, type Verdict } from "./classify.ts";
import { parseErrors } from "./sell-errors.ts";
import type { Exchange, Reply } from "./wire.ts";

/** `writes` is the number of writes in the call; the reading has an outcome for each. */
export const readExchange = (call: Call, exchange: Exchange, writes: number): Reading => {
  const reading = readWhole(call, exchange, writes);
  // A question changes nothing: whatever became of it, it may be asked again at once.
  const outcomes = call.request.method === "GET" ? reading.outcomes.map(asRetriable) : reading.outcomes;
  const [outcome] = outcomes;
  const isRefused = exchange.kind !== "reply" || !isSuccess(exchange.status) || outcome?.status === "unknown";
  if (call.refused === undefined || outcome === undefined || writes > 1 || !isRefused) return { ...reading, outcomes };
  return { ...reading, outcomes: [call.refused(outcome)] };
};

const readWhole = (call: Call, exchange: Exchange, writes: number): Reading => {
  switch (exchange.kind) {
    case "not-sent":
      return calm({ status: "retriable", reason: "unreachable" }, writes);
    case "no-reply":
      return calm(unknown(SILENCES[exchange.cause] ?? "no-reply"), writes);
    case "reply": {
      if (isSuccess(exchange.status)) return call.read(exchange);
      const { outcome, throttle, halt } = refusal(exchange, call.byId, writes);
      return { outcomes: forAll(writes, outcome), throttle, halt };
    }
  }
};

export const isSuccess = (status: number): boolean => status >= 200 && status <= 299;

/** The verdict on a whole reply that is no success. */
export const refusal = (reply: Reply, byId: boolean, writes: number): Verdict =>
  classify(REPLY_RULES, refusalOf(reply, byId), writes);

const refusalOf = ({ status, headers, body }: Reply, byId: boolean): Refusal => {
  const errors = parseErrors(body);
  return {
    status,
    errors,
    byId,
    isEmpty: body.trim() === "",
    hasRetryAfter: headers["retry-after"] !== undefined,
    names429: errors.codes.includes("incorrect_path") && body.includes("429.json"),
  };
};

const SILENCES: Readonly<Record<string, string>> = {
  timeout: "timeout",
  "too-large": "reply-too-large",
  "job-gone": "job-gone",
  "job-failed": "job-failed",
  "job-pending": "job-pending",
};

const calm = (outcome: Outcome, writes: number): Reading => ({
  outcomes: forAll(writes, outcome),
  throttle: false,
  halt: null,
});

const asRetriable = (outcome: Outcome): Outcome =>
  outcome.status === "unknown" ? { status: "retriable", reason: outcome.reason } : outcome;
