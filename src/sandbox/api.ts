/** The way of one API request: arrival, credential, quota, fault, dialect, reply. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../lib/clock.ts";
import { type Account, keyOf } from "./account.ts";
import type { AppliedLog, LoggedRequest } from "./applied-log.ts";
import { applyBulk, bulkRequest } from "./bulk.ts";
import type { BulkRequest } from "./bulk-request.ts";
import { type Call, refuse, unknownPath } from "./call.ts";
import type { Fault, Settings } from "./config.ts";
import { core } from "./core.ts";
import type { FaultScript } from "./fault-script.ts";
import type { IdempotencyKeys } from "./idempotency.ts";
import type { Jobs } from "./jobs.ts";
import type { Quota } from "./quota.ts";
import { errorReply, type Json, type Problem, type Reply } from "./reply.ts";
import { RESOURCES } from "./resources.ts";
import { spoil } from "./verdicts.ts";
import { isObject } from "./value-at.ts";
import { type Exchange, readBody, send, sendBadly } from "./wire.ts";

export interface ApiDeps {
  readonly account: () => Account;
  readonly settings: () => Settings;
  readonly quota: Quota;
  readonly faults: FaultScript;
  readonly log: AppliedLog;
  readonly jobs: Jobs;
  readonly idempotency: IdempotencyKeys;
  readonly clock: Clock;
  readonly random: () => number;
  /** Owns the promise of work that goes on after a reply; hands it the signal of `close`. */
  own(work: (signal: AbortSignal) => Promise<void>): void;
}

export const createApi = (deps: ApiDeps) => {
  let requests = 0;

  /** Never rejects for what the client does; rejects with the reason of `signal` when the simulator closes meanwhile. */
  return async (req: IncomingMessage, res: ServerResponse, url: URL, signal: AbortSignal): Promise<void> => {
    requests += 1;
    const { method = "GET" } = req;
    const token = /^Bearer (.+)$/.exec(req.headers.authorization ?? "")?.[1] ?? "";
    const instance = String(req.headers["x-sandbox-instance"] ?? "");
    const request = deps.log.arrived(method, url.pathname, url.search, token, instance);
    res.once("finish", () => deps.log.ended(request, "sent"));
    res.once("close", () => deps.log.ended(request, request.status === null ? "withheld" : "cut"));
    const logref = `req-${requests.toString(36).padStart(7, "0")}`;
    const exchange = { res, request, logref, headers: {}, clock: deps.clock };

    const text = await readBody(req, deps.settings().maxBodyBytes);
    if (typeof text !== "string") {
      if (text.failed === "too-large") send(exchange, tooLarge(logref));
      return;
    }
    const refusal = headerProblem(req, method, token, deps.settings());
    if (refusal !== null) return send(exchange, errorReply(refusal.status, [refusal.problem], logref));

    const body = parsed(text);
    const cost = itemsOf(url.pathname, method, body);
    request.items = cost;
    const admission = deps.quota.admit(token, deps.quota.bulkCost === "items" ? Math.max(1, cost) : 1, logref);
    if (!admission.granted) {
      request.hintMs = admission.hintMs;
      return send(exchange, admission.reply);
    }
    const parts = url.pathname.split("/").filter((part) => part !== "");
    const account = deps.account();
    const keys = (): readonly string[] => keysOf(account, parts, url.searchParams, body);
    const fault = deps.faults.next({ method, path: url.pathname, keys });
    const call: Call = {
      method,
      path: url.pathname,
      parts: parts[0] === "api" ? parts : ["", ...parts.slice(1)],
      query: url.searchParams,
      body: body === MALFORMED ? undefined : body,
      account,
      logref,
      fault,
      atMs: () => deps.clock.monotonicMs(),
      applied: [],
    };
    const granted = { ...exchange, headers: admission.headers };
    const work = body === MALFORMED ? () => malformed(call) : prepare(deps, call, parts, text, req);
    await perform(deps, granted, call, work, signal);
  };
};
