/** Bytes in, bytes out: reads request bodies, and sends replies well or as badly as a fault wants it. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Clock } from "../lib/clock.ts";
import type { LoggedRequest } from "./applied-log.ts";
import type { FaultReply } from "./config.ts";
import type { Reply } from "./reply.ts";

/** The connection and log entry of one request. */
export interface Exchange {
  readonly res: ServerResponse;
  readonly request: LoggedRequest;
  readonly logref: string;
  /** Quota headers of this request. */
  readonly headers: { readonly [name: string]: string };
  readonly clock: Clock;
}

/** The whole body as text; `too-large` beyond `maxBytes`; `gone` when the client went away first. */
export const readBody = (
  req: IncomingMessage,
  maxBytes: number,
): Promise<string | { readonly failed: "too-large" | "gone" }> =>
  new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    req.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else resolve({ failed: "too-large" });
    });
    req.on("end", () => resolve(chunks.length === 1 ? String(chunks[0]) : Buffer.concat(chunks).toString()));
    req.on("close", () => resolve({ failed: "gone" }));
    req.on("error", () => resolve({ failed: "gone" }));
  });

export const send = (exchange: Exchange, reply: Reply): void => {
  const text = bodyText(reply);
  head(exchange, reply, text === null ? 0 : Buffer.byteLength(text));
  exchange.res.end(text ?? undefined);
};

/** Sends `normal`, or what the fault makes of it. Resolves when nothing more will be sent. */
export const sendBadly = async (
  exchange: Exchange,
  how: FaultReply,
  normal: Reply,
  signal: AbortSignal,
): Promise<void> => {
  const { res } = exchange;
  if (how === "normal") return send(exchange, normal);
  if (how === "silence") return; // until the client has had enough
  if (how === "reset") {
    res.socket?.resetAndDestroy();
    return;
  }
  if (typeof how === "object" && "status" in how) return send(exchange, answer(how, exchange.clock));
  const text = bodyText(normal) ?? "";
  if (how === "truncated") {
    const half = text.slice(0, Math.floor(text.length / 2));
    return send(exchange, { ...normal, headers: { "Content-Type": JSON_TYPE, ...normal.headers }, body: half });
  }
  if (how === "cut") return cut(exchange, normal, text);
  return "trickleMs" in how
    ? await trickle(exchange, normal, text, how.trickleMs, signal)
    : await huge(exchange, how.hugeBytes, how.gzip, signal);
};

const JSON_TYPE = "application/json; charset=utf-8";

/** Nothing between: the head and half of the body arrive, then the connection is gone. */
const cut = (exchange: Exchange, normal: Reply, text: string): void => {
  const bytes = Buffer.from(text);
  head(exchange, normal, bytes.length);
  exchange.res.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => exchange.res.destroy());
};

const trickle = async (
  exchange: Exchange,
  normal: Reply,
  text: string,
  everyMs: number,
  signal: AbortSignal,
): Promise<void> => {
  const bytes = Buffer.from(text);
  head(exchange, normal, bytes.length);
  for (let i = 0; i < bytes.length && !exchange.res.destroyed; i += 1) {
    exchange.res.write(bytes.subarray(i, i + 1));
    await exchange.clock.sleep(everyMs, signal);
  }
  exchange.res.end();
};

/** A JSON text of spaces: valid, useless, and with gzip about a thousandth of its size on the wire. */
const huge = async (exchange: Exchange, bytes: number, gzip: boolean, signal: AbortSignal): Promise<void> => {
  const { res } = exchange;
  const chunk = Buffer.alloc(65_536, " ");
  const spaces = function* (): Generator<Buffer> {
    for (let left = bytes; left > 0; left -= chunk.length) yield left < chunk.length ? chunk.subarray(0, left) : chunk;
  };
  const headers = gzip ? { "Content-Encoding": "gzip" } : { "Content-Length": String(bytes) };
  head(exchange, { status: 200, headers: { "Content-Type": JSON_TYPE, ...headers } }, null);
  const stages = gzip ? [Readable.from(spaces()), createGzip(), res] : [Readable.from(spaces()), res];
  // The client is expected to give up.
  await pipeline(stages, { signal }).catch(() => {});
};

const answer = (
  { status, headers, body, retryAfterDateMs }: Extract<FaultReply, { status: number }>,
  clock: Clock,
): Reply => {
  const date =
    retryAfterDateMs === undefined ? {} : { "Retry-After": new Date(clock.now() + retryAfterDateMs).toUTCString() };
  return { status, headers: { ...headers, ...date }, body };
};

const bodyText = ({ body }: Reply): string | null => {
  if (body === undefined) return null;
  return typeof body === "string" ? body : JSON.stringify(body);
};

/** `bytes` null: the headers of the reply say it themselves. */
const head = ({ res, request, logref, headers, clock }: Exchange, reply: Reply, bytes: number | null): void => {
  if (!res.destroyed) request.status = reply.status;
  res.setHeader("Date", httpDate(clock.now()));
  res.setHeader("X-Request-Id", logref);
  if (bytes !== null && reply.status !== 204) res.setHeader("Content-Length", bytes);
  if (typeof reply.body === "object") res.setHeader("Content-Type", JSON_TYPE);
  for (const name in headers) res.setHeader(name, headers[name] ?? "");
  for (const name in reply.headers) res.setHeader(name, reply.headers[name] ?? "");
  res.writeHead(reply.status);
};

/** One text a second. */
let lastSecond = Number.NaN;
let lastDate = "";
const httpDate = (ms: number): string => {
  const second = Math.floor(ms / 1_000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastDate = new Date(ms).toUTCString();
  }
  return lastDate;
};
