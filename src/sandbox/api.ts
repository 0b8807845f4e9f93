/** The way of one API request: arrival, credential, quota, fault, dialect, reply. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../lib/clock.ts";
import type { Account } from "./account.ts";
import type { AppliedItem, AppliedLog } from "./applied-log.ts";
import { type Call, keysOf } from "./call.ts";
import type { Fault } from "./config.ts";
import type { FaultScript } from "./fault-script.ts";
import type { Quota } from "./quota.ts";
import { errorReply, type Json, type Reply } from "./reply.ts";
import { headerProblem, tokenOf } from "./request-head.ts";
import { isObject } from "./value-at.ts";
import { type Exchange, readBody, send, sendBadly } from "./wire.ts";
import { type Work, type WorkDeps, workOf } from "./work.ts";

export interface ApiDeps extends WorkDeps {
  readonly account: () => Account;
  readonly quota: Quota;
  readonly faults: FaultScript;
  readonly log: AppliedLog;
  readonly clock: Clock;
  /** Owns the promise of work that goes on after a reply; hands it the signal of `close`. */
  own(work: (signal: AbortSignal) => Promise<void>): void;
}

/** Answers requests. Never rejects for what a client does, but with the reason of `signal` when the simulator closes. */
export const createApi = (deps: ApiDeps) => {
  let requests = 0;
  return async (req: IncomingMessage, res: ServerResponse, url: URL, signal: AbortSignal): Promise<void> => {
    requests += 1;
    const exchange = arrive(deps, req, res, url, `req-${requests.toString(36).padStart(7, "0")}`);
    const { request, logref } = exchange;
    const text = await readBody(req, deps.settings().maxBodyBytes);
    if (typeof text !== "string") {
      if (text.failed === "too-large") send(exchange, tooLarge(logref));
      return;
    }
    const token = tokenOf(req);
    const refusal = headerProblem(req, request.method, token, deps.settings().tokens);
    if (refusal !== null) return send(exchange, errorReply(refusal.status, [refusal.problem], logref));

    const body = parsed(text);
    request.items = itemsOf(request.method, body);
    const cost = deps.quota.bulkCost === "items" ? Math.max(1, request.items) : 1;
    const admission = deps.quota.admit(token, cost, logref);
    if (!admission.granted) {
      request.refused = true;
      request.hintMs = admission.hintMs;
      return send(exchange, admission.reply);
    }
    const call = callOf(deps, exchange, url, body);
    const work = recorded(workOf(deps, call, text, req.headers["idempotency-key"]), call);
    const granted = { ...exchange, headers: admission.headers };
    if (call.fault === null) send(granted, work.apply(1));
    else await suffer(deps, granted, work, call.fault, signal);
  };
};

const arrive = (deps: ApiDeps, req: IncomingMessage, res: ServerResponse, url: URL, logref: string): Exchange => {
  const instance = String(req.headers["x-sandbox-instance"] ?? "");
  const request = deps.log.arrived(req.method ?? "GET", url.pathname, url.search, tokenOf(req), instance);
  res.once("finish", () => deps.log.ended(request, "sent"));
  res.once("close", () => deps.log.ended(request, request.status === null ? "withheld" : "cut"));
  return { res, request, logref, headers: {}, clock: deps.clock };
};

const callOf = (deps: ApiDeps, { request, logref }: Exchange, url: URL, body: Json | undefined): Call => {
  const { method, path } = request;
  const applied: AppliedItem[] = [];
  const call: Call = {
    method,
    path,
    parts: path.split("/").filter((part) => part !== ""),
    query: url.searchParams,
    body,
    account: deps.account(),
    logref,
    fault: null,
    atMs: () => deps.clock.monotonicMs(),
    applied,
    record: () => deps.log.applied(request, applied.splice(0)),
  };
  const fault = deps.faults.next({ method, path, keys: () => keysOf(call) });
  return fault === null ? call : { ...call, fault };
};

const recorded = (work: Work, call: Call): Work => ({
  apply(share) {
    const reply = work.apply(share);
    call.record();
    return reply;
  },
  drop: work.drop,
});

/** Delay, apply as much as the fault lets through, delay, reply as badly as it says. */
const suffer = async (
  deps: ApiDeps,
  exchange: Exchange,
  work: Work,
  fault: Fault,
  signal: AbortSignal,
): Promise<void> => {
  if (fault.delayMs > 0) await deps.clock.sleep(fault.delayMs, signal);
  let reply: Reply = { status: 200 };
  switch (fault.apply ?? (isAnswer(fault) ? "none" : "all")) {
    case "all":
      reply = work.apply(1);
      break;
    case "half":
      reply = work.apply(0.5);
      break;
    case "none":
      work.drop();
      break;
    case "late":
      deps.own(async (closing) => {
        await deps.clock.sleep(fault.lateMs, closing);
        work.apply(1);
      });
      break;
  }
  if (fault.replyDelayMs > 0) await deps.clock.sleep(fault.replyDelayMs, signal);
  if (fault.reply === "reset") deps.log.ended(exchange.request, "cut");
  await sendBadly(exchange, fault.reply, reply, signal);
};

const isAnswer = ({ reply }: Fault): boolean => typeof reply === "object" && "status" in reply;

const tooLarge = (logref: string): Reply => ({
  ...errorReply(413, [{ code: "payload_too_large", details: "The request body is too large" }], logref),
  headers: { Connection: "close" },
});

/** Undefined for no body and for one that is not JSON. */
const parsed = (text: string): Json | undefined => {
  if (text === "") return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
};

/** Records that a request writes: the items of a batch, 1 for a single write, 0 for a read. */
const itemsOf = (method: string, body: Json | undefined): number => {
  if (method === "GET" || method === "HEAD") return 0;
  const items = isObject(body) ? body["items"] : undefined;
  return Array.isArray(items) ? items.length : 1;
};
