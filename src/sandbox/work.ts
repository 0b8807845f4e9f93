/** Finds what a request asks for, and hands it over to be applied when its time comes: now, later, or never. */
import { applyBulk, bulkRequest } from "./bulk.ts";
import type { BulkRequest } from "./bulk-request.ts";
import { type Call, refuse, unknownPath } from "./call.ts";
import type { Settings } from "./config.ts";
import { core } from "./core.ts";
import type { IdempotencyKeys } from "./idempotency.ts";
import type { Jobs } from "./jobs.ts";
import type { Reply } from "./reply.ts";
import { spoil } from "./verdicts.ts";

export interface WorkDeps {
  readonly settings: () => Settings;
  readonly jobs: Jobs;
  readonly idempotency: IdempotencyKeys;
  readonly random: () => number;
}

/** What a request will do once it is its turn. */
export interface Work {
  /** `share` of a batch's items, rounded down. */
  apply(share: number): Reply;
  /** Called instead when nothing is to be applied. */
  drop(): void;
}

const fixed = (reply: Reply): Work => ({ apply: () => reply, drop: () => {} });

export const workOf = (
  deps: WorkDeps,
  call: Call,
  text: string,
  idempotencyKey: string | string[] | undefined,
): Work => {
  const [first, , third] = call.parts;
  if (text !== "" && call.body === undefined) {
    return fixed(refuse(call, 400, { code: "invalid_payload", details: "The body is not JSON" }));
  }
  if (first === "v2") return { apply: () => core(call), drop: () => {} };
  if (first !== "api" || call.parts[1] !== "v2") return fixed(unknownPath(call));
  if (third === "job_statuses") return { apply: () => deps.jobs.poll(call), drop: () => {} };
  if (third !== "bulk") return fixed(unknownPath(call));
  const request = bulkRequest(call);
  if ("status" in request) return fixed(request);
  return typeof idempotencyKey === "string"
    ? onceOnly(deps, call, request, text, idempotencyKey)
    : { apply: (share) => bulk(deps, call, request, share), drop: () => {} };
};

const onceOnly = (deps: WorkDeps, call: Call, request: BulkRequest, text: string, key: string): Work => {
  const memory = deps.idempotency.begin(key, call.path + text);
  switch (memory.status) {
    case "repeated":
      return fixed(memory.reply);
    case "in-progress":
      return fixed(
        refuse(call, 409, { resource: "bulk", code: "conflict", details: "The first request is in progress" }),
      );
    case "other-body":
      return fixed(
        refuse(call, 422, { resource: "bulk", code: "incorrect_payload", details: "The key had another body" }),
      );
    case "first":
      return {
        apply(share) {
          const reply = bulk(deps, call, request, share);
          deps.idempotency.finish(key, reply);
          return reply;
        },
        drop: () => deps.idempotency.abandon(key),
      };
  }
};

const bulk = (deps: WorkDeps, call: Call, request: BulkRequest, share: number): Reply => {
  const count = Math.floor(request.items.length * share);
  if (deps.settings().asyncBulk || call.query.get("async") === "true") {
    const { items } = request;
    return deps.jobs.submit(call, items.length, () => {
      const results = applyBulk(call, request, count).body.items;
      call.record();
      return results;
    });
  }
  const reply = applyBulk(call, request, count);
  const how = call.fault?.verdicts;
  return how === undefined ? reply : spoil(reply, how, deps.random);
};
