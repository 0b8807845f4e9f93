/** The way of one API request: arrival, credential, quota, fault, dialect, reply. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../lib/clock.ts";
import { type Account, keyOf } from "./account.ts";
import type { AppliedLog } from "./applied-log.ts";
import type { Call } from "./call.ts";
import type { Fault, Settings } from "./config.ts";
import type { FaultScript } from "./fault-script.ts";
import type { Quota } from "./quota.ts";
import { errorReply, type Json, type Problem, type Reply } from "./reply.ts";
import { RESOURCES } from "./resources.ts";
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

export const createApi = (deps: ApiDeps) => {
  let requests = 0;

  /** One request. Never rejects for what the client does; rejects with the reason of `signal` when the simulator closes meanwhile. */
  return async (req: IncomingMessage, res: ServerResponse, url: URL, signal: AbortSignal): Promise<void> => {
    requests += 1;
    const { method = "GET" } = req;
    const token = /^Bearer (.+)$/.exec(req.headers.authorization ?? "")?.[1] ?? "";
    const instance = String(req.headers["x-sandbox-instance"] ?? "");
    const request = deps.log.arrived(method, url.pathname, url.search, token, instance);
    res.once("finish", () => deps.log.ended(request, "sent"));
    res.once("close", () => deps.log.ended(request, request.status === null ? "withheld" : "cut"));
    const logref = `req-${requests.toString(36).padStart(7, "0")}`;
    const exchange: Exchange = { res, request, logref, headers: {}, clock: deps.clock };

    const text = await readBody(req, deps.settings().maxBodyBytes);
    if (typeof text !== "string") {
      if (text.failed === "too-large") send(exchange, tooLarge(logref));
      return;
    }
    const refusal = headerProblem(req, method, token, deps.settings());
    if (refusal !== null) return send(exchange, errorReply(refusal.status, [refusal.problem], logref));

    const body = parsed(text);
    const cost = itemsOf(method, body);
    request.items = cost;
    const admission = deps.quota.admit(token, deps.quota.bulkCost === "items" ? Math.max(1, cost) : 1, logref);
    if (!admission.granted) {
      request.refused = true;
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
      parts,
      query: url.searchParams,
      body,
      account,
      logref,
      fault,
      atMs: () => deps.clock.monotonicMs(),
      applied: [],
      record: () => deps.log.applied(request, call.applied.splice(0)),
    };
    const work = workOf(deps, call, text, req.headers["idempotency-key"]);
    const granted = { ...exchange, headers: admission.headers };
    const apply = (share: number): Reply => {
      const reply = work.apply(share);
      call.record();
      return reply;
    };
    if (fault === null) send(granted, apply(1));
    else await suffer(deps, granted, { apply, drop: work.drop }, fault, signal);
  };
};

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

interface HeaderProblem {
  readonly status: number;
  readonly problem: Problem;
}

const headerProblem = (
  { headers }: IncomingMessage,
  method: string,
  token: string,
  { tokens }: Settings,
): HeaderProblem | null => {
  if (isBlankText(headers["user-agent"])) return { status: 400, problem: { code: "invalid_user_agent" } };
  if (!/application\/json|\*\/\*/.test(headers.accept ?? ""))
    return { status: 406, problem: { code: "not_acceptable" } };
  const hasBody = method === "POST" || method === "PUT";
  if (hasBody && !/^application\/json\b/.test(headers["content-type"] ?? "")) {
    return { status: 400, problem: { code: "invalid_header", details: "Content-Type must be application/json" } };
  }
  if (token === "" || (tokens !== null && !tokens.includes(token))) {
    return { status: 401, problem: { code: "unauthorized" } };
  }
  return null;
};

const isBlankText = (text: string | undefined): boolean => text === undefined || text.trim() === "";

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

const keysOf = (
  account: Account,
  [, name, id]: readonly string[],
  query: URLSearchParams,
  body: Json | undefined,
): readonly string[] => {
  const { keyField } = account.config;
  const records: (Json | undefined)[] = [];
  if (isObject(body)) {
    records.push(body["data"]);
    if (Array.isArray(body["items"]))
      records.push(...body["items"].map((item) => (isObject(item) ? item["data"] : null)));
  }
  const resource = RESOURCES.find((known) => known === name);
  if (resource !== undefined) records.push(account.get(resource, Number(id))?.record);
  const keys = records.map((record) => (isObject(record) ? keyOf(record, keyField) : null));
  return [...keys, query.get(`custom_fields[${keyField}]`)].filter((key) => key !== null);
};
