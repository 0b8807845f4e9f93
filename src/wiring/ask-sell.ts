/** Questions to Sell inside the quota that all replicas share: gate and target, connected. Nothing is ever written. */
import { randomUUID } from "node:crypto";
import type { Config } from "../config/spec.ts";
import type { Permit } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import { connectRedis } from "../lib/redis.ts";
import { redisAtOnce } from "../lib/redis-at-once.ts";
import type { Emit } from "../telemetry/events.ts";
import { type BehindGate, gateOf, sellBehind } from "./behind-gate.ts";

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
  readonly target: BehindGate["target"];
  /** For one question. */
  readonly permit: () => Promise<Permit>;
}

/** Calls that opening takes: whose account is it? The dialect matters to writes alone. */
export const OPENING_CALLS = 1;

/** Rejects with a ConnectorError: `UNREACHABLE` when Redis is away, and like `Target.open`. */
export const askSell = async (
  { sell, quota, redis: redisConfig }: Pick<Config, "sell" | "quota" | "redis">,
  deps: AskDeps,
  signal: AbortSignal,
): Promise<AskedSell> => {
  await using closing = new AsyncDisposableStack();
  const redis = redisConfig === undefined ? null : connectRedis(redisConfig);
  closing.defer(() => redis?.close());
  if (redis !== null) await redisAtOnce(redis, deps.clock, signal);
  const gate = gateOf({ sell, quota }, { ...deps, redis, replicaId: randomUUID() });
  closing.defer(() => gate.close());
  const asking = { quota, sell: { ...sell, dialect: "core" } } as const;
  const { target, permit: permitUntil } = sellBehind(gate, asking, "live", { ...deps, mayLeave: () => true });
  closing.defer(() => target.close());
  const permit = (): Promise<Permit> => permitUntil(signal);
  await gate.adopt(deps.waitMs);
  await target.open(permit, signal);
  const opened = closing.move();
  return { target, permit, [Symbol.asyncDispose]: () => opened.disposeAsync() };
};
