/**
 * Zendesk Sell behind the `Target` port. The only folder that knows Sell's paths, ids and status codes: the next CRM is
 * another folder.
 */
import { strict as assert } from "node:assert";
import type { Batch, Receipt } from "../domain/receipt.ts";
import type { Gate, Target } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import { retryHint } from "../lib/retry-hint.ts";
import type { Emit } from "../telemetry/events.ts";
import { announcedIn } from "./announced.ts";
import { bulkCall } from "./bulk.ts";
import { type Call, forAll } from "./call.ts";
import type { SellConfig } from "./config.ts";
import { coreCall } from "./core.ts";
import { createCredential } from "./credential.ts";
import { type HaltPlace, haltOf } from "./halts.ts";
import { type Opened, type Opening, openSell } from "./open.ts";
import { readExchange } from "./reading.ts";
import { type Resource, resourceOf, unsupported } from "./resources.ts";
import { createSkuMemory } from "./sku-memory.ts";
import { createWire, MAX_REQUEST_BYTES, type WireRequest } from "./wire.ts";

export interface SellTargetOptions {
  readonly clock: Clock;
  readonly emit: Emit;
  /** Of sell-sink, for the User-Agent. */
  readonly version: string;
  /** `gate.tell`, for a 429 while `open` asks its questions; receipts carry their own. */
  readonly tell: Gate["tell"];
}

export interface SellTarget extends Target {
  /** Sell's id of the account: it stays when the account is renamed. Known once `open` has resolved. */
  readonly accountId: number;
}

/** Items of a bulk request, as its contract says. */
const BULK_ITEMS = 50;

/** Throws a ConnectorError `TLS_FILE_UNREADABLE`. */
export const createSellTarget = (config: SellConfig, { clock, emit, version, tell }: SellTargetOptions): SellTarget => {
  const wire = createWire(config, { clock, version });
  const credential = createCredential(config.token, clock);
  const skus = createSkuMemory(clock);
  let opened: Opened | null = null;
  let serial = 0;

  const ready = (): Opened => {
    assert(opened !== null, "the target must be opened first");
    return opened;
  };

  /** `what` null: a question of `open`. A call cut off by `signal` is counted too: it may have arrived. */
  const talk = async (request: WireRequest, what: Batch | null, signal: AbortSignal) => {
    const token = await credential.token();
    const startedMs = clock.monotonicMs();
    const done = (code: string): void =>
      emit("request-done", {
        verb: what?.verb ?? "open",
        entity: what?.entity ?? "accounts",
        items: what?.writes.length ?? 0,
        code,
        tookMs: clock.monotonicMs() - startedMs,
      });
    try {
      const exchange = await wire.exchange(request, token, signal);
      done(exchange.kind === "reply" ? String(exchange.status) : exchange.cause);
      return { exchange, token };
    } catch (error) {
      done("cut-off");
      throw error;
    }
  };

  const callFor = (batch: Batch, resource: Resource): Call => {
    const { verb, writes } = batch;
    if (verb !== "lookup" && ready().dialect === "bulk") {
      assert(writes.length > 0 && writes.length <= BULK_ITEMS, "a bulk request takes 1 to 50 writes");
      serial += 1;
      return bulkCall(batch, verb, resource, config.keyField, serial);
    }
    const [write] = writes;
    assert(write !== undefined && writes.length === 1, "a lookup, and any core request, takes one write");
    return coreCall(write, verb, resource, config.keyField, skus);
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
      const ask: Opening["talk"] = (request, until) => talk(request, null, until);
      opened = await openSell({ config, credential, talk: ask, permit, tell, emit }, signal);
    },
    async send(batch, signal) {
      const resource = resourceOf(batch.entity);
      if (resource === null) return heldBack(batch);
      const call = callFor(batch, resource);
      const { request } = call;
      if (request.body !== null && Buffer.byteLength(request.body) > MAX_REQUEST_BYTES) return tooLarge(batch);

      const { exchange, token } = await talk(request, batch, signal);
      const { outcomes, throttle, halt } = readExchange(call, exchange, batch.writes.length);
      if (exchange.kind !== "reply") return { outcomes, throttle: null, halt: null, httpStatus: null, announced: null };

      const { status, headers, body } = exchange;
      // A token file may hold a new token already: then nobody needs to stop.
      const isRefreshed = halt !== null && halt !== "configuration" && (await credential.refused(token));
      const place: HaltPlace = { credential, baseUrl: config.baseUrl, path: pathOf(request), subject: batch.entity };
      return {
        outcomes,
        throttle: throttle ? retryHint(headers, body) : null,
        halt: halt === null || isRefreshed ? null : haltOf(halt, status, place),
        httpStatus: status,
        announced: announcedIn(headers),
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

/** Nothing is wrong with the records, so none is consumed: `validate` refuses such a route before it comes to this. */
const heldBack = ({ entity, writes }: Batch): Receipt => ({
  outcomes: forAll(writes.length, { status: "retriable", reason: "unsupported-entity" }),
  throttle: null,
  halt: { kind: "configuration", message: unsupported(entity) },
  httpStatus: null,
  announced: null,
});

/** As if Sell had answered 413, without the call: its limit is known. */
const tooLarge = ({ writes }: Batch): Receipt => ({
  outcomes: forAll(
    writes.length,
    writes.length > 1
      ? { status: "refused", reason: "too-large" }
      : {
          status: "rejected",
          reason: "too-large",
          message: `The record's request is larger than ${MAX_REQUEST_BYTES} bytes, which is more than Sell takes; it was not sent.`,
          httpStatus: 413,
        },
  ),
  throttle: null,
  halt: null,
  httpStatus: null,
  announced: null,
});
