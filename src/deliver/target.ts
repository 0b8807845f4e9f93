/**
 * Zendesk Sell behind the `Target` port. The only folder that knows Sell's paths, ids and status codes: the next CRM is
 * another folder.
 */
import { strict as assert } from "node:assert";
import type { CustomField } from "../domain/custom-field.ts";
import type { Entity, Fields } from "../domain/mutation.ts";
import type { Batch, Outcome, Receipt, Throttle } from "../domain/receipt.ts";
import type { Found, Search } from "../domain/search.ts";
import type { Gate, Permit, Target } from "../domain/stages.ts";
import type { TargetProblem, TargetUse } from "../domain/target-use.ts";
import type { Clock } from "../lib/clock.ts";
import { retryHint } from "../lib/retry-hint.ts";
import type { Emit } from "../telemetry/events.ts";
import { announcedIn, type HeaderNames } from "./announced.ts";
import { forAll } from "./call.ts";
import type { SellConfig } from "./config.ts";
import { createCredential } from "./credential.ts";
import { Directory } from "./directory.ts";
import { type HaltPlace, haltOf } from "./halts.ts";
import { followJob } from "./jobs.ts";
import { Listing } from "./listing.ts";
import { ask, type Opened, type Opening, openSell } from "./open.ts";
import { BULK_ITEMS, createPlanner, type Planned } from "./plan-call.ts";
import { noList, preflight, readCustomField, readListing } from "./preflight.ts";
import { readExchange } from "./reading.ts";
import { resourceOf, withPriceList } from "./resources.ts";
import { search } from "./search.ts";
import { Wall } from "./wall.ts";
import { createWire, type Exchange, MAX_REQUEST_BYTES, requestIdIn, type WireRequest } from "./wire.ts";

export interface SellTargetOptions {
  readonly clock: Clock;
  readonly emit: Emit;
  /** Of sell-sink, for the User-Agent. */
  readonly version: string;
  readonly random: () => number;
  /** Whether a request may still leave, asked in the moment in which it does. */
  readonly mayLeave: () => boolean;
  /** `gate.tell`, for a 429 in answer to a question of our own; receipts carry their own. */
  readonly tell: Gate["tell"];
  /** Where replies may announce the quota. */
  readonly headerNames: HeaderNames;
  /** For the questions about asynchronous jobs: any other request comes with its permit. */
  readonly permit: (signal: AbortSignal) => Promise<Permit>;
}

export interface SellTarget extends Target {
  /** Sell's id of the account: it stays when the account is renamed. Known once `open` has resolved. */
  readonly accountId: number;
  /**
   * Compares what the mapping relies on with the account, all of it, and writes nothing. Takes one permit a request. Rejects
   * like `open`.
   */
  preflight(
    uses: readonly TargetUse[],
    permit: () => Promise<Permit>,
    signal: AbortSignal,
  ): Promise<readonly TargetProblem[]>;
  /**
   * What the account has made for itself on records of the entity; null: the token's user may not know, or there can be none.
   * Takes one permit a request. Rejects like `open`.
   */
  customFields(
    entity: Entity,
    permit: () => Promise<Permit>,
    signal: AbortSignal,
  ): Promise<readonly CustomField[] | null>;
  /**
   * Fields as a request would hold them: ids in place of names. `why` says which name Sell does not know. Takes one permit for
   * each page of a list that has to be read. Rejects like `open`.
   */
  asWritten(
    entity: Entity,
    fields: Fields,
    permit: () => Promise<Permit>,
    signal: AbortSignal,
  ): Promise<{ readonly fields: Fields } | { readonly why: string }>;
  /** Reads records as they are. Takes one permit a request. Rejects like `open`. */
  search(what: Search, permit: () => Promise<Permit>, signal: AbortSignal): Promise<Found>;
}

/** Throws a ConnectorError `TLS_FILE_UNREADABLE`. */
export const createSellTarget = (config: SellConfig, options: SellTargetOptions): SellTarget => {
  const { clock, emit, version, headerNames, mayLeave } = options;
  const wire = createWire(config, { clock, version, mayLeave });
  const credential = createCredential(config.token, clock);
  const directory = new Directory(clock);
  const planned = createPlanner(config, directory, clock);
  const fields = new Map<string, Listing<CustomField>>();
  const wall = new Wall();
  let opened: Opened | null = null;
  // Tells the requests of this process from those of all others.
  const nonce = Math.floor(options.random() * 36 ** 6).toString(36);
  let requests = 0;

  const throttled = (throttle: Throttle): Throttle => {
    emit("throttled", { source: throttle.source });
    return throttle;
  };
  const tell: Gate["tell"] = (throttle, permit) => options.tell(throttled(throttle), permit);

  const ready = (): Opened => {
    assert(opened !== null, "the target must be opened first");
    return opened;
  };

  /** `what` null: a question of our own. A call cut off by `signal` is counted too: it may have arrived. */
  const talk = async (request: WireRequest, what: Batch | null, signal: AbortSignal) => {
    const token = await credential.token();
    const startedMs = clock.monotonicMs();
    const batchId = `${nonce}-${(requests++).toString(36)}`;
    const done = (code: string, requestId: string | null = null): void =>
      emit("request-done", {
        ...{ batchId, requestId },
        verb: what?.verb ?? "open",
        entity: what?.entity ?? "accounts",
        items: what?.writes.length ?? 0,
        code,
        tookMs: clock.monotonicMs() - startedMs,
      });
    try {
      const exchange = await wire.exchange(request, token, signal);
      if (exchange.kind === "reply") done(String(exchange.status), requestIdIn(exchange.headers, token));
      else done(exchange.cause);
      return { exchange, token, batchId };
    } catch (error) {
      done("cut-off");
      throw error;
    }
  };

  const opening = (permit: () => Promise<Permit>): Opening => ({
    ...{ config, credential, permit, tell, emit },
    talk: (request, until) => talk(request, null, until),
  });

  const fieldsOf = (path: string): Listing<CustomField> => {
    const listing = fields.get(path) ?? new Listing(path, readCustomField, clock);
    fields.set(path, listing);
    return listing;
  };

  /** A reply that names a job becomes the job's results. */
  const settled = async (exchange: Exchange, signal: AbortSignal): Promise<Exchange> => {
    if (exchange.kind !== "reply" || exchange.status !== 202 || !config.asyncJobs) return exchange;
    const { permit } = options;
    const { jobTimeoutMs } = config;
    const question = async (request: WireRequest, until: AbortSignal) => (await talk(request, null, until)).exchange;
    return followJob(exchange, { clock, jobTimeoutMs, ask: question, permit, tell }, signal);
  };

  return {
    get dialect() {
      return ready().dialect;
    },
    get maxItems() {
      return ready().dialect === "bulk" ? BULK_ITEMS : 1;
    },
    get account() {
      return ready().account;
    },
    get accountId() {
      return ready().accountId;
    },
    async open(permit, signal) {
      opened = await openSell(opening(permit), signal);
    },
    preflight(uses, permit, signal) {
      const { keyField } = config;
      return preflight(uses, {
        ...{ keyField, directory, fieldsOf },
        ask: (request, isAnswer) => ask(request, isAnswer, opening(permit), signal),
      });
    },
    async customFields(entity, permit, signal) {
      const { customFieldsPath } = resourceOf(entity);
      if (customFieldsPath === null) return null;
      const listing = fieldsOf(customFieldsPath);
      const asking = (request: WireRequest, isAnswer: (status: number) => boolean) =>
        ask(request, isAnswer, opening(permit), signal);
      return (await readListing(listing, asking)) ? listing.items : null;
    },
    async asWritten(entity, fields, permit, signal) {
      const write = { entity, key: "", id: null, body: entity === "products" ? withPriceList(fields) : fields };
      for (;;) {
        const resolved = directory.resolve([write]);
        if (!("request" in resolved)) {
          const failed = resolved.failed.get(0);
          if (failed?.status === "rejected") return { why: failed.message };
          return { fields: resolved.writes[0]?.body ?? fields };
        }
        const { request, read } = resolved;
        const [outcome] = read(await ask(request, () => false, opening(permit), signal)).outcomes;
        if (outcome?.status !== "progress") throw noList(request.path);
      }
    },
    search: (what, permit, signal) =>
      search(what, config.keyField, (request) => ask(request, () => false, opening(permit), signal)),
    async send(batch, signal) {
      const plan = planned(batch, ready().dialect);
      if (plan.call === null) return unsent(plan.merge([]));
      const { request } = plan.call;
      if (request.body !== null && Buffer.byteLength(request.body) > MAX_REQUEST_BYTES) return tooLarge(plan);

      const { exchange: first, token, batchId } = await talk(request, batch, signal);
      const exchange = await settled(first, signal);
      const reading = readExchange(plan.call, exchange, plan.writes.length);
      const { outcomes, throttle } = reading;
      const receipt = unsent(plan.merge(outcomes));
      if (exchange.kind === "not-sent") return receipt;
      if (exchange.kind === "no-reply") return { ...receipt, names: { batchId, requestId: null } };

      const { status, headers, body } = exchange;
      const isWalled = wall.stands(batch.entity, plan.writes, outcomes);
      const halt = isWalled ? "blocked" : reading.halt;
      // A token file may hold a new token already: then nobody needs to stop.
      const isRefreshed = (halt === "auth" || halt === "rights") && (await credential.refused(token));
      const place: HaltPlace = { credential, baseUrl: config.baseUrl, path: pathOf(request), subject: batch.entity };
      return {
        outcomes: receipt.outcomes,
        throttle: throttle ? throttled(retryHint(headers, body)) : null,
        halt: halt === null || isRefreshed ? null : haltOf(halt, status, place),
        httpStatus: status,
        names: { batchId, requestId: requestIdIn(headers, token) },
        announced: announcedIn(headers, headerNames),
      };
    },
    credentialChanged: (signal) => credential.changed(signal),
    async close() {
      wire.close();
    },
  };
};

/** Without the query, which holds a key. */
const pathOf = ({ path }: WireRequest): string => path.split("?", 1)[0] ?? path;

const unsent = (outcomes: readonly Outcome[]): Receipt => ({
  outcomes,
  throttle: null,
  halt: null,
  httpStatus: null,
  names: null,
  announced: null,
});

/** As if Sell had answered 413, without the call: its limit is known. */
const tooLarge = ({ writes, merge }: Planned): Receipt => {
  const message = `The record's request is larger than ${MAX_REQUEST_BYTES} bytes, which is more than Sell takes; it was not sent.`;
  const outcome: Outcome =
    writes.length > 1
      ? { status: "refused", reason: "too-large" }
      : { status: "rejected", reason: "too-large", message, httpStatus: 413 };
  return unsent(merge(forAll(writes.length, outcome)));
};
