/** The gate of the account's quota, and Sell behind it: connected in one way, whoever calls Sell. */
import type { Config } from "../config/spec.ts";
import { createSellTarget, type SellTarget, type SellTargetOptions } from "../deliver/target.ts";
import type { Lane } from "../domain/mutation.ts";
import type { Gate, Permit } from "../domain/stages.ts";
import { quotaScope } from "../gate/config.ts";
import { createGate, type GateOptions, type QuotaGate } from "../gate/gate.ts";

type Calling = Pick<Config, "quota" | "sell">;

/** Null for Redis: the quota is kept by this process alone. */
export const gateOf = (config: Calling, deps: Omit<GateOptions, "quota" | "scopeText">): QuotaGate =>
  createGate({ ...deps, quota: config.quota, scopeText: scopeOf(config) });

/** Before the account is known only its address and its configured name can tell it from others: sharing too much is safe. */
const scopeOf = ({ quota, sell }: Calling): string =>
  [sell.baseUrl, sell.account ?? "", quotaScope(quota) === "token" ? sell.token : ""].join("|");

export interface BehindGate {
  readonly target: SellTarget;
  /** For one request. */
  readonly permit: (signal: AbortSignal) => Promise<Permit>;
}

/** Nothing is asked yet. Each of the target's own questions takes a permit of the lane, and what Sell refuses is told to the gate. */
export const sellBehind = (
  gate: Gate,
  { sell, quota }: Calling,
  lane: Lane,
  deps: Omit<SellTargetOptions, "permit" | "tell" | "headerNames">,
): BehindGate => {
  const permit = (signal: AbortSignal): Promise<Permit> => gate.acquire(lane, signal);
  const tell: Gate["tell"] = (...refused) => gate.tell(...refused);
  return { permit, target: createSellTarget(sell, { ...deps, permit, tell, headerNames: quota.headers.names }) };
};
