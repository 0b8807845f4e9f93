/**
 * Opens the target and compares the mapping with its account. Waits as long as it is away or refuses the credential: no start
 * fails for what time or a file heals.
 */
import { ConnectorError, isConnectorError } from "../domain/errors.ts";
import type { Permit, Target } from "../domain/stages.ts";
import type { TargetProblem, TargetUse } from "../domain/target-use.ts";
import { backoffMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import { worthAnotherTry } from "../pipeline/halts.ts";
import type { Emit } from "../telemetry/events.ts";

export interface OpenTargetDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
}

interface ComparedTarget extends Target {
  preflight(
    uses: readonly TargetUse[],
    permit: () => Promise<Permit>,
    signal: AbortSignal,
  ): Promise<readonly TargetProblem[]>;
}

const REFUSED: ReadonlySet<string> = new Set(["SELL_AUTH", "SELL_RIGHTS"]);

/**
 * Rejects with the target's own ConnectorError when only another configuration helps, with `SELL_MISMATCH` and all sentences
 * when the mapping needs what the account does not have, or with `signal.reason`.
 */
export const openTarget = async (
  target: ComparedTarget,
  uses: readonly TargetUse[],
  permit: () => Promise<Permit>,
  deps: OpenTargetDeps,
  signal: AbortSignal,
): Promise<void> => {
  await answered(target, () => target.open(permit, signal), deps, signal);
  const problems = await answered(target, () => target.preflight(uses, permit, signal), deps, signal);
  const errors = problems.filter(({ severity }) => severity === "error").map(({ message }) => message);
  for (const { severity, message } of problems) if (severity === "warning") deps.emit("not-compared", { message });
  if (errors.length === 0) return;
  const numbered = errors.length === 1 ? errors : errors.map((message, index) => `(${index + 1}) ${message}`);
  throw new ConnectorError("SELL_MISMATCH", numbered.join(" "), { retriable: false });
};

const answered = async <T>(
  target: Target,
  question: () => Promise<T>,
  { clock, random, emit }: OpenTargetDeps,
  signal: AbortSignal,
): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await question();
    } catch (error) {
      signal.throwIfAborted();
      if (!isConnectorError(error)) throw error;
      if (REFUSED.has(error.code)) {
        emit("halted", { kind: "auth", scope: "everything", message: error.message });
        await worthAnotherTry(target, clock, signal);
      } else if (error.retriable) {
        if (attempt === 1) emit("sell-unreachable", { cause: error.message });
        await clock.sleep(backoffMs(attempt, random, { baseMs: 1_000, capMs: 30_000, floorMs: 250 }), signal);
      } else throw error;
    }
  }
};
