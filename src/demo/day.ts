/** The ERP's day: it commits wave after wave while the connector delivers, until nothing is left to deliver. */
import { ConnectorError } from "../domain/errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { Step } from "../lib/progress.ts";
import type { Sandbox } from "../sandbox/index.ts";
import type { Erp } from "./erp.ts";
import type { Ledger } from "./ledger.ts";
import { type DemoOptions, PENALTY_MS, QUOTA, WAVE_EVERY_MS, WAVES } from "./options.ts";
import { count } from "./report.ts";

export interface DayDeps {
  readonly erp: Erp;
  readonly ledger: Ledger;
  readonly sandbox: Sandbox;
  /** Records in the topics that the group has not committed. */
  readonly lag: () => Promise<number>;
  readonly clock: Clock;
  /** Where the connectors' logs are, for an error's sentence. */
  readonly folder: string;
}

const WATCH_EVERY_MS = 500;
/** Longer than any announced wait of the demo. */
const STALLED_MS = 3 * PENALTY_MS;

/** Resolves when all is written and committed; rejects with `DEMO_STALLED` when nothing moves for a minute. */
export const spendDay = async (options: DemoOptions, deps: DayDeps, step: Step, signal: AbortSignal): Promise<void> => {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  let isWritten = false;
  const writing = writeAll(options, deps, either).then(
    () => {
      isWritten = true;
    },
    (error: unknown) => failed.abort(error),
  );
  try {
    await watch(options, deps, step, () => isWritten, either);
  } finally {
    failed.abort(); // a no-op unless the watch failed
    await writing;
  }
};

const writeAll = async (options: DemoOptions, deps: DayDeps, signal: AbortSignal): Promise<void> => {
  const { erp, ledger, sandbox, clock } = deps;
  const middle = Math.floor(WAVES / 2);
  let wave = 0;
  for (const changes of erp.work(options.changes, WAVES)) {
    if (wave > 0) await clock.sleep(WAVE_EVERY_MS, signal);
    if (wave === middle) {
      await ledger.poison();
      if (options.penalty) penalize(sandbox, options.dialect);
    }
    await ledger.commit(changes);
    wave += 1;
  }
};

/** The next write is refused as Sell refuses: with the time to wait in the header and in the body. */
const penalize = (sandbox: Sandbox, dialect: DemoOptions["dialect"]): void => {
  const waitS = PENALTY_MS / 1_000;
  const body = { error: "rate_limit_exceeded", retry_after: waitS, message: "API rate limit reached" };
  const match = { path: dialect === "bulk" ? "/api/v2/bulk/" : "/v2/" };
  sandbox.script([{ match, reply: { status: 429, headers: { "Retry-After": String(waitS) }, body } }]);
};

const watch = async (
  options: DemoOptions,
  { ledger, sandbox, lag, clock, folder }: DayDeps,
  step: Step,
  isWritten: () => boolean,
  signal: AbortSignal,
): Promise<void> => {
  let movedMs = clock.monotonicMs();
  let before = "";
  for (;;) {
    const wasWritten = isWritten(); // asked before the lag, or the last wave could be missed
    const left = await lag();
    const log = sandbox.log();
    const nowMs = clock.monotonicMs();
    const recent = log.filter(({ atMs }) => atMs > nowMs - QUOTA.perMs).length;
    step.tell(
      `${count(ledger.committed.length)} of ${count(options.changes)} changes made, ${count(left)} records to go, ` +
        `${recent} of ${QUOTA.limit} calls in ${QUOTA.perMs / 1_000} s`,
    );
    if (wasWritten && left === 0) return;
    const now = `${left} ${log.length}`;
    if (now !== before) [before, movedMs] = [now, nowMs];
    if (nowMs - movedMs > STALLED_MS) throw stalled(left, folder);
    await clock.sleep(WATCH_EVERY_MS, signal);
  }
};

const stalled = (left: number, folder: string): ConnectorError =>
  new ConnectorError(
    "DEMO_STALLED",
    `Nothing moved for ${STALLED_MS / 1_000} s with ${count(left)} records to go; the connectors' logs are in ${folder}.`,
    { retriable: false },
  );
