/** Questions to Sell inside the quota that all replicas share: gate and target, connected. Nothing is ever written. */
import { randomUUID } from "node:crypto";
import type { Config } from "./config/spec.ts";
import { scopeOf } from "./connector.ts";
import { createSellTarget, type SellTarget } from "./deliver/target.ts";
import type { Permit } from "./domain/stages.ts";
import { createGate } from "./gate/gate.ts";
import type { Clock } from "./lib/clock.ts";
import { connectRedis } from "./lib/redis.ts";
import type { Emit } from "./telemetry/events.ts";

export interface AskDeps {
  readonly clock: Clock;
  readonly random: () => number;
  /** What is waited for. */
  readonly emit: Emit;
  readonly version: string;
  /** What is left of a wait that Sell asked for, as Kafka knows it. */
  readonly waitMs: number;
}

export interface AskedSell extends AsyncDisposable {
  readonly target: SellTarget;
  /** For one question. */
  readonly permit: () => Promise<Permit>;
}

/** Calls that opening takes: whose account is it? The dialect matters to writes alone. */
export const OPENING_CALLS = 1;

/** Waits for Redis as long as it takes; Sell's first refusal is an answer. Rejects with a ConnectorError like `Target.open`. */
export const askSell = async (
  { sell, quota, redis: redisConfig }: Pick<Config, "sell" | "quota" | "redis">,
  deps: AskDeps,
  signal: AbortSignal,
): Promise<AskedSell> => {
  await using closing = new AsyncDisposableStack();
  const redis = redisConfig === undefined ? null : connectRedis(redisConfig);
  closing.defer(() => redis?.close());
  const gate = createGate({ ...deps, quota, redis, scopeText: scopeOf({ quota, sell }), replicaId: randomUUID() });
  closing.defer(() => gate.close());
  const permitUntil = (until: AbortSignal): Promise<Permit> => gate.acquire("live", until);
  const asking = { ...deps, permit: permitUntil, mayLeave: () => true, headerNames: quota.headers.names };
  const target = createSellTarget(
    { ...sell, dialect: "core" },
    { ...asking, tell: (...refused) => gate.tell(...refused) },
  );
  closing.defer(() => target.close());
  const permit = (): Promise<Permit> => permitUntil(signal);
  await gate.adopt(deps.waitMs);
  await target.open(permit, signal);
  const opened = closing.move();
  return { target, permit, [Symbol.asyncDispose]: () => opened.disposeAsync() };
};
