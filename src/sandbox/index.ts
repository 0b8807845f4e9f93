/**
 * A simulator of Zendesk Sell over real HTTP: the dialect that Zendesk documents, the bulk dialect, quotas, index lag,
 * faults, and a log of everything it was asked and did. It shares no code with the connector's stages, so that a
 * misunderstanding of Sell cannot be on both sides. All of it lives in memory.
 */
import type { ServerResponse } from "node:http";
import type { Clock } from "../lib/clock.ts";
import { Tasks } from "../lib/tasks.ts";
import { Account, kindOf } from "./account.ts";
import { createApi } from "./api.ts";
import { AppliedLog } from "./applied-log.ts";
import {
  DEFAULT_SETTINGS,
  faultSchema,
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
import { RESOURCES } from "./resources.ts";
import type { Sandbox } from "./sandbox.ts";
import { listen } from "./server.ts";
import { summarize } from "./summary.ts";

export { type AppliedItem, bodyHash, type LoggedRequest } from "./applied-log.ts";
export type { FaultOptions, RateOptions, SandboxOptions, SettingsOptions } from "./config.ts";
export type { Sandbox, StateRecord } from "./sandbox.ts";
export type { Summary } from "./summary.ts";

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
  const tasks = new Tasks((error) => {
    if (!closing.signal.aborted) throw error; // a bug of the simulator: let it be seen
  });
  const own = (work: (signal: AbortSignal) => Promise<void>): void => tasks.own(work(closing.signal));
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

  const server = await listen(config, (req, res, url) => {
    const answer = url.pathname.startsWith("/__sandbox")
      ? control(sandbox, req, res, url)
      : api(req, res, url, closing.signal);
    tasks.own(answer.catch((error: unknown) => fail(res, error)));
  });
  const sandbox: Sandbox = {
    url: server.url,
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
      await Promise.all([server.close(), tasks.ended()]);
      log.close();
    },
    [Symbol.asyncDispose]: () => sandbox.close(),
  };

  return sandbox;
};

/** A request met a bug of the simulator, or its close: nothing, or the plain 500 that Sell has too. */
const fail = (res: ServerResponse, error: unknown): void => {
  if (res.headersSent || res.destroyed) return void res.destroy();
  res.writeHead(500, { "Content-Type": "application/json" });
  res.end(JSON.stringify({ status: 500, error: `The simulator failed: ${String(error)}` }));
};

const merged = (settings: Settings, given: SettingsOptions): Settings => ({
  ...settings,
  ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
});
