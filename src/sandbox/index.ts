/**
 * A simulator of Zendesk Sell over real HTTP: the dialect that Zendesk documents, the bulk dialect, quotas, index lag,
 * faults, and a log of everything it was asked and did. It shares no code with the connector's stages, so that a
 * misunderstanding of Sell cannot be on both sides. All of it lives in memory.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../lib/clock.ts";
import { Account, kindOf } from "./account.ts";
import { createApi } from "./api.ts";
import { AppliedLog, busiestWindow, duplicates, type LoggedRequest } from "./applied-log.ts";
import {
  DEFAULT_SETTINGS,
  type FaultOptions,
  faultSchema,
  type RateOptions,
  rateSchema,
  type SandboxOptions,
  type Settings,
  type SettingsOptions,
  sandboxSchema,
  settingsSchema,
} from "./config.ts";
import { control } from "./control.ts";
import { FaultScript } from "./fault-script.ts";
import { IdempotencyKeys } from "./idempotency.ts";
import { Jobs } from "./jobs.ts";
import { Quota } from "./quota.ts";
import type { JsonObject } from "./reply.ts";
import { RESOURCES } from "./resources.ts";

export { type AppliedItem, bodyHash, busiestWindow, duplicates, type LoggedRequest } from "./applied-log.ts";
export type { FaultOptions, RateOptions, SandboxOptions, SettingsOptions } from "./config.ts";

/** A record as it is now, without index lag. */
export interface StateRecord {
  /** Bulk resource, or `line_items`. */
  readonly resource: string;
  readonly version: number;
  readonly data: JsonObject;
}

export interface Summary {
  readonly requests: number;
  /** Requests that the log has forgotten; the other figures know nothing of them. */
  readonly dropped: number;
  readonly byStatus: { readonly [status: string]: number };
  /** Items by what became of them: `created`, `updated`, `unchanged`, `deleted`, `failed`. */
  readonly byResult: { readonly [result: string]: number };
  /** Writes that repeated the last write of their record. */
  readonly duplicates: number;
  /** Most API requests in any `windowMs`, refused ones included, and without those. */
  readonly busiest: { readonly windowMs: number; readonly arrived: number; readonly granted: number };
  readonly records: { readonly [resource: string]: number };
  /** Faults of the script that have yet to happen. */
  readonly faultsPending: number;
}

export interface Sandbox {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  /** `resource`: Sell's name (`contacts` holds accounts too); default all. */
  state(resource?: string): Iterable<StateRecord>;
  /** Oldest first, at most the last 200,000 requests and 500,000 items. */
  log(sinceId?: number): readonly LoggedRequest[];
  summary(windowMs?: number): Summary;
  /** Appends to the fault script. Throws a ZodError for what is no fault. */
  script(faults: readonly FaultOptions[]): void;
  clearFaults(): void;
  setRate(rate: RateOptions): void;
  setLimit(limit: number): void;
  setForeign(perMinute: number): void;
  set(settings: SettingsOptions): void;
  /** No records, no log, no faults, a rested quota; settings and rate stay. */
  reset(): void;
  /** Ends open requests without a reply and waits until nothing runs any more. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Listens on 127.0.0.1. Rejects with a ZodError for wrong options and with the system's error when the port is taken. */
export const startSandbox = async (
  options: SandboxOptions,
  { clock, random }: { readonly clock: Clock; readonly random: () => number },
): Promise<Sandbox> => {
  const config = sandboxSchema.parse(options);
  let settings: Settings = merged(DEFAULT_SETTINGS, config.settings);
  let account = new Account(config, () => settings, clock);
  const log = new AppliedLog(clock, config.logFile);
  const faults = new FaultScript();
  faults.add(config.faults);
  const quota = new Quota(config.rate, {
    wallMs: () => clock.now(),
    monotonicMs: () => clock.monotonicMs(),
    random,
  });

  const closing = new AbortController();
  const running = new Set<Promise<void>>();
  const own = (work: (signal: AbortSignal) => Promise<void>): void => {
    const promise = work(closing.signal)
      .catch((error: unknown) => {
        if (!closing.signal.aborted) throw error; // a bug of the simulator: let it be seen
      })
      .finally(() => running.delete(promise));
    running.add(promise);
  };
  const jobs = new Jobs(clock, () => settings, own);
  const idempotency = new IdempotencyKeys(clock);
  const api = createApi({
    account: () => account,
    settings: () => settings,
    quota,
    faults,
    log,
    jobs,
    idempotency,
    clock,
    random,
    own,
  });

  const serve = async (req: IncomingMessage, res: ServerResponse, signal: AbortSignal): Promise<void> => {
    const url = URL.parse(req.url ?? "/", "http://sandbox");
    if (url === null) {
      res.writeHead(400).end();
    } else if (url.pathname.startsWith("/__sandbox")) {
      await control(sandbox, req, res, url);
    } else {
      await api(req, res, url, signal);
    }
  };
  const server = createServer({ keepAliveTimeout: config.keepAliveMs }, (req, res) => {
    own((signal) =>
      serve(req, res, signal).catch((error: unknown) => {
        if (closing.signal.aborted || res.headersSent) return void res.destroy();
        // What a request must not be able to do, and did: a client meets it as the plain 500 that Sell has too.
        res.writeHead(500, { "Content-Type": "application/json" });
        res.end(JSON.stringify({ status: 500, error: `The simulator failed: ${String(error)}` }));
      }),
    );
  });

  const sandbox: Sandbox = {
    url: "",
    *state(resource) {
      for (const name of RESOURCES) {
        if (resource !== undefined && resource !== name) continue;
        for (const row of account.rows(name)) {
          yield { resource: kindOf(name, row.record), version: row.version, data: account.show(name, row) };
        }
      }
    },
    log: (sinceId = 0) => log.requests(sinceId),
    summary: (windowMs = 60_000) => ({
      ...summarize(log.requests(), windowMs),
      dropped: log.dropped,
      records: account.counts(),
      faultsPending: faults.pending().length,
    }),
    script: (lines) => faults.add(lines.map((line) => faultSchema.parse(line))),
    clearFaults: () => faults.clear(),
    setRate: (rate) => quota.setRate(rateSchema.parse(rate)),
    setLimit: (limit) => quota.setLimit(limit),
    setForeign: (perMinute) => quota.setForeign(perMinute),
    set(given) {
      settings = merged(settings, settingsSchema.parse(given));
    },
    reset() {
      account = new Account(config, () => settings, clock);
      log.reset();
      faults.clear();
      quota.reset();
      jobs.reset();
      idempotency.reset();
    },
    async close() {
      closing.abort(new Error("the simulator closes"));
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await Promise.all([closed, ...running]);
      log.close();
    },
    [Symbol.asyncDispose]: () => sandbox.close(),
  };

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(config.port, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return Object.assign(sandbox, { url: `http://127.0.0.1:${port}` });
};

const merged = (settings: Settings, given: SettingsOptions): Settings => ({
  ...settings,
  ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
});

const summarize = (requests: readonly LoggedRequest[], windowMs: number) => {
  const byStatus: Record<string, number> = {};
  const byResult: Record<string, number> = {};
  for (const { status, applied } of requests) {
    const name = status ?? "none";
    byStatus[name] = (byStatus[name] ?? 0) + 1;
    for (const { result } of applied) byResult[result] = (byResult[result] ?? 0) + 1;
  }
  const granted = requests.filter(({ refused }) => !refused);
  return {
    requests: requests.length,
    byStatus,
    byResult,
    duplicates: duplicates(requests),
    busiest: { windowMs, arrived: busiestWindow(requests, windowMs), granted: busiestWindow(granted, windowMs) },
  };
};
