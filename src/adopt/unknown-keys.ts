/** How many of some keys the CRM does not know: the first run would create their records. */
import { ConnectorError } from "../domain/errors.ts";
import type { Entity } from "../domain/mutation.ts";
import type { Gate, Target } from "../domain/stages.ts";

/** `asked`: of how many keys the CRM has told it so far. */
export interface KeyCount {
  asked: number;
  unknown: number;
}

/**
 * Counts into `count`, one permit a key, so that whoever has no more time knows what was told until then. Rejects with a
 * ConnectorError when the CRM refuses us as such.
 */
export const countUnknown = async (
  entity: Entity,
  keys: readonly string[],
  count: KeyCount,
  { target, gate }: { readonly target: Pick<Target, "send">; readonly gate: Pick<Gate, "acquire" | "tell"> },
  signal: AbortSignal,
): Promise<void> => {
  for (const key of keys) {
    const permit = await gate.acquire("live", signal);
    const lookup = { entity, key, id: null, body: {} };
    const { outcomes, throttle, halt } = await target.send({ entity, verb: "lookup", writes: [lookup] }, signal);
    if (throttle !== null) await gate.tell(throttle, permit);
    if (halt !== null) throw new ConnectorError("SELL_HALTED", halt.message, { retriable: false });
    const [outcome] = outcomes;
    // Several records of the key are known ones; whatever else is no answer about the key.
    if (outcome?.status !== "accepted" && outcome?.status !== "rejected") continue;
    count.asked += 1;
    if (outcome.status === "accepted" && outcome.result === "missing") count.unknown += 1;
  }
};
