/** A real HTTP server with a handler of the test's own, and builders that hide what a test is not about. */
import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { Call } from "../../../src/deliver/call.ts";
import { type SellConfig, sellConfig } from "../../../src/deliver/config.ts";
import { createSellTarget, type SellTarget } from "../../../src/deliver/target.ts";
import type { Batch, Outcome, Throttle, Write } from "../../../src/domain/receipt.ts";
import type { Permit } from "../../../src/domain/stages.ts";
import type { TargetUse } from "../../../src/domain/target-use.ts";
import { quotaConfig } from "../../../src/gate/config.ts";
import { type Clock, systemClock } from "../../../src/lib/clock.ts";
import type { Events } from "../../../src/telemetry/events.ts";

export const TOKEN = "canary-6f1d2c9a-token";

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export type Handler = (seen: Seen, response: ServerResponse, request: IncomingMessage) => void;

export const aServer = async (handler: Handler) => {
  const seen: Seen[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("error", () => undefined);
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const entry = { method, url, headers, body: Buffer.concat(chunks).toString() };
      seen.push(entry);
      handler(entry, response, request);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, server };
};

export const json = (response: ServerResponse, status: number, body: unknown, headers: http.OutgoingHttpHeaders = {}) =>
  response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(body));

/** A server that says who it is and which dialect it speaks, and leaves the rest to `handler`. */
export const aSell = (handler: Handler, { bulk = true }: { bulk?: boolean } = {}) =>
  aServer((seen, response, request) => {
    if (seen.url === "/v2/accounts/self") return json(response, 200, { data: { id: 7, name: "Nordlicht" } });
    if (seen.url.startsWith("/api/v2/bulk/") && seen.body.includes('"items":[]')) {
      return bulk ? json(response, 400, anError("invalid_payload")) : json(response, 404, anError("incorrect_path"));
    }
    handler(seen, response, request);
  });

export const anError = (code: string, field?: string, details = "prose") => ({
  errors: [{ error: { resource: "contact", code, field, message: "m", details }, meta: { type: "error" } }],
  meta: { type: "errors", http_status: "4xx" },
});

export const aConfig = (overrides: Readonly<Record<string, unknown>> = {}): SellConfig =>
  sellConfig.parse({ baseUrl: "http://127.0.0.1:1", token: TOKEN, ...overrides });

/** As a configuration has them that says nothing of it. */
export const HEADER_NAMES = quotaConfig.parse({}).headers.names;

export interface Spoken {
  readonly name: keyof Events;
  readonly fields: Events[keyof Events];
}

export const aTarget = (
  overrides: Readonly<Record<string, unknown>>,
  clock: Clock = systemClock,
  mayLeave: () => boolean = () => true,
) => {
  const events: Spoken[] = [];
  const told: Throttle[] = [];
  let permits = 0;
  const target: SellTarget = createSellTarget(aConfig(overrides), {
    ...{ clock, random: () => 0.5 },
    emit: (name, fields) => events.push({ name, fields }),
    version: "1.2.3",
    mayLeave,
    headerNames: HEADER_NAMES,
    tell: async (throttle) => {
      told.push(throttle);
    },
    permit: () => permit(),
  });
  const permit = async (): Promise<Permit> => {
    permits += 1;
    return { lane: "live", grantedAtMs: 0 };
  };
  onTestFinished(() => target.close());
  const preflight = (uses: readonly TargetUse[]) => target.preflight(uses, permit, never);
  return { target, events, told, permits: () => permits, open: () => target.open(permit, never), preflight };
};

export const anOpenTarget = async (...asked: Parameters<typeof aTarget>) => {
  const all = aTarget(...asked);
  await all.open();
  return all;
};

export const never = new AbortController().signal;

/** The call, where one is made. */
export const asCall = (planned: Call | Outcome): Call => {
  if ("request" in planned) return planned;
  throw new Error(`no call but ${planned.status}`);
};

export const aWrite = (overrides: Partial<Write> = {}): Write => ({
  entity: "accounts",
  key: "C-1",
  id: null,
  body: { name: "Nordlicht" },
  ...overrides,
});

export const aBatch = (overrides: Partial<Batch> = {}): Batch => ({
  entity: "accounts",
  verb: "upsert",
  writes: [aWrite()],
  ...overrides,
});

export const writesOf = (...keys: readonly string[]): Write[] => keys.map((key) => aWrite({ key }));

interface BulkItem {
  readonly data: Record<string, unknown>;
  readonly meta: { readonly type: string; readonly ref: string };
}

/** What a bulk endpoint answers when it created everything: one item for each asked. */
export const bulkItems = (body: string) =>
  (JSON.parse(body).items as BulkItem[]).map(({ data, meta }, index) => ({
    data: { ...data, id: 1_000 + index },
    meta: { ...meta, index, status: 200, result: "created" } as Record<string, unknown>,
  }));

/** A clock whose hands are turned by the test; `now` and `monotonicMs` agree. */
export const aClock = () => {
  let nowMs = 1_000_000;
  let sleepers: { atMs: number; wake: () => void }[] = [];
  const waiting: (() => void)[] = [];
  const clock: Clock = {
    now: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const sleeper = { atMs: nowMs + ms, wake: resolve };
        signal?.addEventListener("abort", () => {
          sleepers = sleepers.filter((other) => other !== sleeper);
          reject(signal.reason);
        });
        sleepers.push(sleeper);
        for (const notify of waiting.splice(0)) notify();
      }),
  };
  return {
    clock,
    sleeping: () => sleepers.length,
    /** Resolves once something sleeps. */
    asleep: async () => {
      while (sleepers.length === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    advance: (ms: number) => {
      nowMs += ms;
      const due = sleepers.filter(({ atMs }) => atMs <= nowMs);
      sleepers = sleepers.filter((sleeper) => !due.includes(sleeper));
      for (const { wake } of due) wake();
    },
  };
};
