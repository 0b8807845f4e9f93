/** Opens the target, and waits as long as it is away or refuses the credential: no start fails for what time or a file heals. */
import { isConnectorError } from "./domain/errors.ts";
import type { Permit, Target } from "./domain/stages.ts";
import { worthAnotherTry } from "./halt.ts";
import { backoffMs } from "./lib/backoff.ts";
import type { Clock } from "./lib/clock.ts";
import type { Emit } from "./telemetry/events.ts";

export interface OpenTargetDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
}

const REFUSED: ReadonlySet<string> = new Set(["SELL_AUTH", "SELL_RIGHTS"]);

/** Rejects with the target's own ConnectorError when only another configuration helps, or with `signal.reason`. */
export const openTarget = async (
  target: Target,
  permit: () => Promise<Permit>,
  { clock, random, emit }: OpenTargetDeps,
  signal: AbortSignal,
): Promise<void> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await target.open(permit, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!isConnectorError(error)) throw error;
      if (REFUSED.has(error.code)) {
        emit("halted", { kind: "auth", message: error.message });
        await worthAnotherTry(target, clock, signal);
      } else if (error.retriable) {
        if (attempt === 1) emit("sell-unreachable", { cause: error.message });
        await clock.sleep(backoffMs(attempt, random, { baseMs: 1_000, capMs: 30_000, floorMs: 250 }), signal);
      } else throw error;
    }
  }
};
