/**
 * One HTTP exchange with Sell and nothing else: no redirects, no retries, no surprises. An axios error carries token and
 * body in its config, request and response, so none ever leaves this file: only a short cause does.
 */
import { readFileSync } from "node:fs";
import http, { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import https, { type RequestOptions } from "node:https";
import { type ConnectionOptions, TLSSocket } from "node:tls";
import axios from "axios";
import { HttpProxyAgent } from "http-proxy-agent";
import { HttpsProxyAgent } from "https-proxy-agent";
import { ConnectorError, errorText } from "../domain/errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { SellConfig } from "./config.ts";
import { DEADLINE, withDeadline } from "./deadline.ts";

export interface WireRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Path and query below `sell.baseUrl`, encoded. */
  readonly path: string;
  readonly body: string | null;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Without our token and the values of `sell.headers`, should a gateway echo them. */
  readonly body: string;
}

/**
 * `not-sent`: no byte of the request left this machine, so it was surely not applied. `no-reply`: it left, and what became
 * of it is not known. `cause` is a short code: `ECONNREFUSED`, `CERT_HAS_EXPIRED`, `timeout`, `too-large`.
 */
export type Exchange =
  | ({ readonly kind: "reply" } & Reply)
  | { readonly kind: "not-sent"; readonly cause: string }
  | { readonly kind: "no-reply"; readonly cause: string };

export interface Wire {
  /** Ends within `sell.timeoutMs`, whatever the other side does. Rejects only with `signal.reason`. */
  exchange(request: WireRequest, token: string, signal: AbortSignal): Promise<Exchange>;
  close(): void;
}

/** The cause of a `not-sent` when this process may no longer assume that its partitions are its own. */
export const LEASE_OVER = "LEASE_OVER";

/** Bytes of a reply after decompression; a bulk reply of 50 items has some 100 kB. */
const MAX_REPLY_BYTES = 8 * 1024 * 1024;
/** The bulk dialect's limit; no single record comes near it. */
export const MAX_REQUEST_BYTES = 1024 * 1024;
/** Below the 5 s after which the most impatient servers close an idle connection: a request that meets the close is an unknown outcome. */
const IDLE_MS = 4_000;
const SHORTEST_SECRET = 16;
/** Sockets to Sell; `batch.maxInFlight` is at most as many. */
const MAX_SOCKETS = 64;

export interface WireOptions {
  readonly clock: Clock;
  readonly version: string;
  /**
   * Asked in the moment in which a request would leave: a process may have stood still since it was allowed to, and others
   * may have written newer things meanwhile.
   */
  readonly mayLeave: () => boolean;
}

export const createWire = (config: SellConfig, { clock, version, mayLeave }: WireOptions): Wire => {
  const isSecure = config.baseUrl.startsWith("https:");
  const tls = readTls(config.tls);
  const agent = createAgent(config.proxy, isSecure, tls);
  const headers = {
    ...config.headers,
    Accept: "application/json",
    "Content-Type": "application/json",
    "User-Agent": `sell-sink/${version}`,
  };
  const ours = Object.values(config.headers);
  const client = axios.create({
    baseURL: config.baseUrl,
    allowAbsoluteUrls: false,
    maxRedirects: 0,
    proxy: false,
    httpAgent: agent,
    httpsAgent: agent,
    maxContentLength: MAX_REPLY_BYTES,
    maxBodyLength: MAX_REQUEST_BYTES,
    responseType: "text",
    transformRequest: (body: string | undefined) => body,
    transformResponse: (body: string) => body,
    validateStatus: () => true,
  });

  return {
    async exchange({ method, path, body }, token, signal) {
      const trace = createTrace(isSecure, tls, mayLeave);
      const attempt = async (cut: AbortSignal): Promise<Exchange> => {
        try {
          const { status, data } = await client.request<string>({
            method,
            url: path,
            headers: { ...headers, Authorization: `Bearer ${token}` },
            ...(body === null ? {} : { data: body }),
            transport: trace.transport,
            signal: cut,
          });
          // The only reply to a request that was never sent is the proxy's refusal to connect us.
          if (!trace.isSent()) return { kind: "not-sent", cause: `proxy-${status}` };
          return { kind: "reply", status, headers: trace.headers(), body: scrubbed(data, [token, ...ours]) };
        } catch (error) {
          signal.throwIfAborted();
          const cause = cut.reason === DEADLINE ? "timeout" : causeOf(error);
          return { kind: trace.isSent() ? "no-reply" : "not-sent", cause };
        }
      };
      return withDeadline(clock, config.timeoutMs, attempt, signal);
    },
    close: () => agent.destroy(),
  };
};

/** A server may echo what we sent. Real secrets are long; a sandbox's `test` would stand in many an honest name. */
const scrubbed = (body: string, secrets: readonly string[]): string =>
  secrets
    .filter(({ length }) => length >= SHORTEST_SECRET)
    .reduce((clean, secret) => clean.replaceAll(secret, "***"), body);

const REQUEST_ID_MAX = 128;

/** The server's name for a request, by which its support finds it: visible ASCII, at most 128 characters. Null: it gave none. */
export const requestIdIn = (headers: IncomingHttpHeaders, token: string): string | null => {
  const id = headers["x-request-id"];
  if (typeof id !== "string" || id === "") return null;
  return scrubbed(id, [token])
    .slice(0, REQUEST_ID_MAX)
    .replace(/[^\x21-\x7e]/g, "?");
};

/**
 * Follows one request closely enough to tell `not-sent` from `no-reply`: Node writes the request when the connection is
 * made, so until then nothing left. Error codes cannot tell: ECONNRESET comes in a TLS handshake and after a write alike.
 */
const createTrace = (isSecure: boolean, tls: ConnectionOptions, mayLeave: () => boolean) => {
  let sent = false;
  let headers: IncomingHttpHeaders = {};
  const leave = (request: ClientRequest): void => {
    if (mayLeave()) sent = true;
    else request.destroy(Object.assign(new Error("the lease is over"), { code: LEASE_OVER }));
  };
  const transport = {
    request(options: RequestOptions, onReply: (reply: IncomingMessage) => void): ClientRequest {
      const request = (isSecure ? https : http).request({ ...options, ...tls }, (reply) => {
        headers = reply.headers;
        onReply(reply);
      });
      request.once("socket", (socket) => {
        if (request.reusedSocket) leave(request);
        else if (socket instanceof TLSSocket) socket.once("secureConnect", () => leave(request));
        else if (!isSecure && socket.connecting) socket.once("connect", () => leave(request));
        else if (!isSecure) leave(request);
      });
      return request;
    },
  };
  return { transport, isSent: () => sent, headers: () => headers };
};

const createAgent = (proxy: string | undefined, isSecure: boolean, tls: ConnectionOptions): http.Agent => {
  const options = { keepAlive: true, maxSockets: MAX_SOCKETS, timeout: IDLE_MS };
  if (proxy === undefined) return isSecure ? new https.Agent(options) : new http.Agent(options);
  // A tunnel's idle time cannot be bounded through this agent, so each request gets its own connection.
  const once = { ...options, keepAlive: false, ...tls };
  return isSecure ? new HttpsProxyAgent(proxy, once) : new HttpProxyAgent(proxy, once);
};

const readTls = ({ caFile, certFile, keyFile }: SellConfig["tls"]): ConnectionOptions => ({
  minVersion: "TLSv1.2",
  ...(caFile === undefined ? {} : { ca: readPem("caFile", caFile) }),
  ...(certFile === undefined ? {} : { cert: readPem("certFile", certFile) }),
  ...(keyFile === undefined ? {} : { key: readPem("keyFile", keyFile) }),
});

const readPem = (name: string, path: string): Buffer => {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ConnectorError("TLS_FILE_UNREADABLE", `sell.tls.${name} cannot be read: ${errorText(error)}`, {
      retriable: false,
    });
  }
};

/** Node's and OpenSSL's codes are identifiers; anything else might quote the request. */
const causeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return "error";
  if (error.message.startsWith("maxContentLength")) return "too-large";
  const code = "code" in error ? error.code : undefined;
  return typeof code === "string" && /^[A-Za-z0-9_]{1,64}$/.test(code) ? code : "error";
};
