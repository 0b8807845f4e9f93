/**
 * The admin port: the status page, probes, metrics, lag and quota. Read-only, small limits on everything a client may send,
 * no record and no secret.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { ConnectorError, errorText } from "../domain/errors.ts";
import type { Snapshot } from "../telemetry/snapshot.ts";
import { type Asset, loadAssets, PAGE_HEADERS } from "./assets.ts";
import type { AdminConfig } from "./config.ts";
import type { Check, Health } from "./health.ts";
import { SPANS, type Span } from "./history.ts";
import { lagPage } from "./lag-page.ts";

export interface AdminDeps {
  readonly health: () => Health;
  /** The scrape's text and its content type; may ask Redis for the state of the quota. */
  readonly scrape: () => Promise<{ readonly contentType: string; readonly text: string }>;
  /** Null: the pipeline does not run yet. */
  readonly snapshot: () => Promise<Snapshot | null>;
  /** What GET /quota answers, as JSON; null: the pipeline does not run yet. */
  readonly quota: () => Promise<object | null>;
  /** What GET /status answers, as JSON. */
  readonly status: (span: Span) => Promise<object>;
  readonly groupId: string;
}

export interface Admin {
  /** `http://127.0.0.1:8080`, with the port that was taken. */
  readonly url: string;
  close(): Promise<void>;
}

const LIMITS = {
  maxHeaderSize: 8_192,
  headersTimeout: 2_000,
  requestTimeout: 2_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 500,
};
const CONNECTIONS_MAX = 64;
/** A connection on which nothing moves for so long is closed: somebody asked and does not take the answer. */
const SILENT_MS = 3_000;

/** Rejects with a ConnectorError `ADMIN_PORT` when the address cannot be taken. */
export const startAdmin = async ({ port, host }: AdminConfig, deps: AdminDeps): Promise<Admin> => {
  const assets = await loadAssets();
  const server = createServer(LIMITS, (request, response) => {
    answer(request, assets, deps).then(
      (reply) => send(request, response, reply),
      (error) => send(request, response, text(500, `failed: ${errorText(error)}`)),
    );
  });
  server.setTimeout(SILENT_MS);
  boundConnections(server);
  await listen(server, port, host);
  const address = server.address() as AddressInfo;
  const name = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return {
    url: `http://${name}:${address.port}`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
};

/** The oldest gives way: whoever holds connections open keeps neither a probe nor a scrape out. */
const boundConnections = (server: Server): void => {
  const open = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    const [oldest] = open;
    if (open.size > CONNECTIONS_MAX) oldest?.destroy();
  });
};

interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
}

const text = (status: number, body: string): Reply => ({
  status,
  contentType: "text/plain; charset=utf-8",
  body: `${body}\n`,
});

const probe = (check: Check): Reply => (check.ok ? text(200, "ok") : text(503, check.why));

const json = (body: string): Reply => ({
  status: 200,
  contentType: "application/json; charset=utf-8",
  body: `${body}\n`,
});

const NOT_YET: Check = { ok: false, why: "the pipeline does not run yet" };
const notYet = ({ ready }: Health): Reply => probe(ready.ok ? NOT_YET : ready);

const answer = async (
  request: IncomingMessage,
  assets: ReadonlyMap<string, Asset>,
  { health, scrape, snapshot, quota, status, groupId }: AdminDeps,
): Promise<Reply> => {
  if (request.method !== "GET" && request.method !== "HEAD") return text(405, "only GET and HEAD");
  const [path = "", query] = request.url?.split("?", 2) ?? [];
  switch (path) {
    case "/livez":
      return probe(health().live);
    case "/readyz":
      return probe(health().ready);
    case "/startupz":
      return probe(health().started);
    case "/metrics": {
      const { contentType, text: body } = await scrape();
      return { status: 200, contentType, body };
    }
    case "/lag": {
      const state = await snapshot();
      return state === null ? notYet(health()) : json(lagPage(groupId, state));
    }
    case "/quota": {
      const state = await quota();
      return state === null ? notYet(health()) : json(JSON.stringify(state));
    }
    case "/status": {
      const span = new URLSearchParams(query).get("span") ?? "1h";
      return isSpan(span) ? json(JSON.stringify(await status(span))) : text(400, "span is one of 1h, 6h");
    }
    default: {
      const asset = assets.get(path);
      return asset === undefined ? text(404, NOTHING_HERE) : { status: 200, ...asset };
    }
  }
};

const isSpan = (text: string): text is Span => Object.hasOwn(SPANS, text);

const NOTHING_HERE = "nothing here; there are / /status /livez /readyz /startupz /metrics /lag /quota";

const send = (request: IncomingMessage, response: ServerResponse, { status, contentType, body }: Reply): void => {
  const headers: Record<string, string | number> = {
    "content-type": contentType,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...PAGE_HEADERS,
  };
  if (status === 405) headers.allow = "GET, HEAD";
  // A request that brings a body is not read to its end: the connection goes instead.
  if (request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined) {
    headers.connection = "close";
  }
  response.writeHead(status, headers).end(request.method === "HEAD" ? undefined : body);
};

const listen = (server: Server, port: number, host: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === "EADDRINUSE" ? "another process listens there" : `it cannot be taken (${errorText(cause)})`;
      reject(
        new ConnectorError("ADMIN_PORT", `The admin address ${host}:${port} is not free: ${why}; set admin.port.`, {
          retriable: false,
          cause,
        }),
      );
    });
    server.listen(port, host, resolve);
  });
