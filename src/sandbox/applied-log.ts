/**
 * The simulator's witness: every request with its arrival and end, and every record it wrote. Checkers compute calls, the
 * busiest window, duplicates and the order of a key from it, so it must never be written by the connector itself.
 */
import { hash } from "node:crypto";
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import type { Clock } from "../lib/clock.ts";

export interface AppliedItem {
  /** Bulk resource: `accounts`, `contacts`, `deals`, ... */
  readonly resource: string;
  /** The ERP key as far as the record has one. */
  readonly key: string | null;
  readonly id: number | null;
  readonly result: "created" | "updated" | "unchanged" | "deleted" | "failed";
  /** Sell's error code of a failed item. */
  readonly code: string | null;
  /** See `bodyHash`; null where the request had no body. */
  readonly hash: string | null;
  /** Which version of the record was written: the value of `revisionField` as sent; null where the request had none. */
  readonly revision: string | null;
  /** When it was applied, on the clock of `LoggedRequest.atMs`. */
  readonly atMs: number;
}

export interface LoggedRequest {
  /** Counts from 1, in the order of arrival. */
  readonly id: number;
  /** Monotonic and wall-clock milliseconds at which the head of the request had arrived. */
  readonly atMs: number;
  readonly wallMs: number;
  readonly method: string;
  readonly path: string;
  /** The query as sent, `?` included, or empty. */
  readonly query: string;
  /** First 12 hex digits of the SHA-256 of the token, never the token; empty when there was none. */
  readonly token: string;
  /** What the client calls itself in `X-Sandbox-Instance`, so that replicas can be told apart. */
  readonly instance: string;
  /** Items of a bulk request, 1 for a single write, 0 for a read. */
  items: number;
  /** Null: no status was sent (yet). */
  status: number | null;
  /** The quota refused it. */
  refused: boolean;
  /** How long a refusal asked to wait; null when it did not say. */
  hintMs: number | null;
  /** What became of the reply; `open` while nothing has. */
  reply: "open" | "sent" | "cut" | "withheld";
  /** Monotonic milliseconds at which the exchange was over. */
  endMs: number | null;
  readonly applied: AppliedItem[];
}

/** Memory bounds; beyond them the oldest requests are forgotten and counted in `dropped`. */
const MAX_REQUESTS = 200_000;
const MAX_ITEMS = 500_000;

export class AppliedLog {
  readonly #clock: Clock;
  #fd: number | null;
  #requests: LoggedRequest[] = [];
  #head = 0;
  #items = 0;
  #nextId = 1;
  #dropped = 0;

  /** `file`: lines are appended and on disk before `applied` and `ended` return, so that they survive a kill. */
  constructor(clock: Clock, file?: string) {
    this.#clock = clock;
    this.#fd = file === undefined ? null : openSync(file, "a");
  }

  get dropped(): number {
    return this.#dropped;
  }

  arrived(method: string, path: string, query: string, token: string, instance: string): LoggedRequest {
    const request: LoggedRequest = {
      id: this.#nextId,
      atMs: this.#clock.monotonicMs(),
      wallMs: this.#clock.now(),
      method,
      path,
      query,
      token: tokenHash(token),
      instance,
      items: 0,
      status: null,
      refused: false,
      hintMs: null,
      reply: "open",
      endMs: null,
      applied: [],
    };
    this.#nextId += 1;
    this.#requests.push(request);
    this.#forget();
    return request;
  }

  /** Call it when the items are applied and before the reply leaves. */
  applied(request: LoggedRequest, items: readonly AppliedItem[]): void {
    for (const item of items) request.applied.push(item);
    this.#items += items.length;
    this.#forget();
    if (this.#fd !== null && items.length > 0) this.#append({ type: "applied", request: request.id, items });
  }

  ended(request: LoggedRequest, reply: "sent" | "cut" | "withheld"): void {
    if (request.reply !== "open") return;
    request.reply = reply;
    request.endMs = this.#clock.monotonicMs();
    if (this.#fd === null) return;
    const { applied: _, ...line } = request;
    this.#append({ type: "request", ...line });
  }

  /** Oldest first; requests that are still open are in it and may change. */
  requests(sinceId = 0): readonly LoggedRequest[] {
    const first = this.#requests[this.#head]?.id ?? 0;
    return this.#requests.slice(this.#head + Math.max(0, sinceId + 1 - first));
  }

  reset(): void {
    this.#requests = [];
    this.#head = 0;
    this.#items = 0;
    this.#dropped = 0;
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  #append(line: object): void {
    if (this.#fd === null) return;
    writeSync(this.#fd, `${JSON.stringify(line)}\n`);
    fdatasyncSync(this.#fd);
  }

  #forget(): void {
    while (this.#requests.length - this.#head > MAX_REQUESTS || this.#items > MAX_ITEMS) {
      this.#items -= this.#requests[this.#head]?.applied.length ?? 0;
      this.#head += 1;
      this.#dropped += 1;
    }
    if (this.#head > 10_000) {
      this.#requests = this.#requests.slice(this.#head);
      this.#head = 0;
    }
  }
}

/** 27 characters that stand for the attributes of one record exactly as sent, order of names included. */
export const bodyHash = (data: unknown): string => hash("sha1", JSON.stringify(data), "base64url");

/** Bound: hashes are only kept for so many tokens. */
const MAX_TOKENS = 1_000;
const hashes = new Map<string, string>();

const tokenHash = (token: string): string => {
  if (token === "") return "";
  let known = hashes.get(token);
  if (known === undefined) {
    known = hash("sha256", token, "hex").slice(0, 12);
    if (hashes.size >= MAX_TOKENS) hashes.clear();
    hashes.set(token, known);
  }
  return known;
};
