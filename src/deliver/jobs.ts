/**
 * Asynchronous bulk requests: the reply names a job, and the results are asked for until they are there. Only at our own
 * base address, whatever the reply's links say, and each question takes a permit.
 */
import type { Throttle } from "../domain/receipt.ts";
import type { Permit } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import { retryHint } from "../lib/retry-hint.ts";
import { parseJson } from "./call.ts";
import { DEADLINE, withDeadline } from "./deadline.ts";
import { isSuccess, refusal } from "./reading.ts";
import { isRecord } from "./resources.ts";
import { type Exchange, LEASE_OVER, type Reply, type WireRequest } from "./wire.ts";

export interface JobDeps {
  readonly clock: Clock;
  /** All questions together end by then, however long each may take. */
  readonly jobTimeoutMs: number;
  readonly ask: (request: WireRequest, signal: AbortSignal) => Promise<Exchange>;
  readonly permit: (signal: AbortSignal) => Promise<Permit>;
  readonly tell: (throttle: Throttle, permit: Permit) => Promise<void>;
}

/** Between two questions: twice as long each time, since each takes a call of the quota. */
const POLL_MS = 500;
const POLL_MAX_MS = 5_000;

/** The job's results in the shape of a bulk reply, or that nobody knows. Rejects only with `signal.reason`. */
export const followJob = async (accepted: Reply, deps: JobDeps, signal: AbortSignal): Promise<Exchange> => {
  const id = jobOf(accepted.body)?.["id"];
  if (typeof id !== "string" || !/^[\w-]{1,100}$/.test(id)) return lost("job-gone");
  const request: WireRequest = { method: "GET", path: `/api/v2/job_statuses/${id}`, body: null };
  const follow = async (until: AbortSignal): Promise<Exchange> => {
    for (let question = 0; ; question++) {
      await deps.clock.sleep(Math.min(POLL_MS * 2 ** question, POLL_MAX_MS), until);
      const permit = await deps.permit(until);
      const exchange = await deps.ask(request, until);
      // Whoever owns the partitions by now sends the batch again: its results would settle nothing here.
      if (exchange.kind === "not-sent" && exchange.cause === LEASE_OVER) return lost("job-pending");
      if (exchange.kind !== "reply") continue; // a question may be asked again
      if (!isSuccess(exchange.status)) {
        const { throttle, outcome } = refusal(exchange, true, 1);
        if (throttle) await deps.tell(retryHint(exchange.headers, exchange.body), permit);
        else if (outcome.status === "accepted") return lost("job-gone");
        continue;
      }
      const result = resultOf(exchange);
      if (result !== null) return result;
    }
  };
  try {
    return await withDeadline(deps.clock, deps.jobTimeoutMs, follow, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error === DEADLINE) return lost("job-pending");
    throw error;
  }
};

/** Null while it is queued or working. */
const resultOf = (reply: Reply): Exchange | null => {
  const job = jobOf(reply.body);
  const { status, results } = job ?? {};
  if (status === "queued" || status === "working") return null;
  if (status !== "completed" && status !== "failed") return lost("job-gone");
  if (!Array.isArray(results)) return lost("job-failed");
  return { kind: "reply", ...reply, body: JSON.stringify({ items: results }) };
};

const jobOf = (body: string) => {
  const json = parseJson(body);
  const data = isRecord(json) ? json["data"] : undefined;
  return isRecord(data) ? data : null;
};

/** It may have been applied, now or later. */
const lost = (cause: string): Exchange => ({ kind: "no-reply", cause });
