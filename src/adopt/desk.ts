/** What adoption needs, connected: Kafka, the gate that all share, the account, the group's memory, and one route's reader. */
import { randomUUID } from "node:crypto";
import type { Config } from "../config/spec.ts";
import { createDecoder } from "../decode/decoder.ts";
import { createSchemaSource } from "../decode/schema-source.ts";
import { ConnectorError } from "../domain/errors.ts";
import type { Decoder, EntityStore, Gate, Permit } from "../domain/stages.ts";
import type { TargetUse } from "../domain/target-use.ts";
import type { Clock } from "../lib/clock.ts";
import { connectRedis } from "../lib/redis.ts";
import { redisAtOnce } from "../lib/redis-at-once.ts";
import type { KafkaConnection } from "../source/connect-kafka.ts";
import { kafkaAtOnce } from "../source/kafka-at-once.ts";
import { createRedisStore } from "../store/redis-store.ts";
import type { Emit } from "../telemetry/events.ts";
import { accountMarkOf, storeScope } from "../wiring/account-mark.ts";
import { type BehindGate, gateOf, sellBehind } from "../wiring/behind-gate.ts";
import { toldWaitMs } from "../wiring/told-wait.ts";
import { formatsOf } from "../wiring/topic-formats.ts";

export interface DeskDeps {
  readonly clock: Clock;
  readonly random: () => number;
  /** What is waited for. */
  readonly emit: Emit;
  readonly version: string;
}

export interface Desk extends AsyncDisposable {
  readonly kafka: KafkaConnection;
  readonly gate: Gate;
  readonly target: BehindGate["target"];
  /** Null without Redis: then nobody remembers beyond a process. */
  readonly store: EntityStore | null;
  readonly decoder: Decoder;
}

/**
 * Rejects with a ConnectorError: `UNREACHABLE` when Kafka or Redis is away, what Sell answers when it refuses,
 * `GROUP_RUNS` when replicas run that would write beside us, `SELL_MISMATCH` when the account lacks what is to be used.
 */
export const openDesk = async (
  config: Config,
  uses: readonly TargetUse[],
  isDry: boolean,
  deps: DeskDeps,
  signal: AbortSignal,
): Promise<Desk> => {
  await using closing = new AsyncDisposableStack();
  const kafka = await kafkaAtOnce({ ...config.kafka, clientId: `${config.kafka.clientId}-adopt` }, deps, signal);
  closing.defer(() => kafka.close());
  const redis = config.redis === undefined ? null : connectRedis(config.redis);
  closing.defer(() => redis?.close());
  if (redis !== null) await redisAtOnce(redis, deps.clock, signal);
  if (!isDry || redis === null) await refuseRunningGroup(config.kafka.groupId, kafka);
  const gate = gateOf(config, { ...deps, redis, replicaId: randomUUID() });
  closing.defer(() => gate.close());
  const mayLeave = (): boolean => true; // no group hands out what we write
  const { target, permit } = sellBehind(gate, config, "backfill", { ...deps, mayLeave });
  closing.defer(() => target.close());
  await gate.adopt(await toldWaitMs(config, kafka.admin, deps.clock, signal));
  await target.open(() => permit(signal), signal);
  await refuseMismatch(target, uses, () => permit(signal), signal);
  const scope = storeScope(accountMarkOf(target.accountId), config.kafka.groupId);
  const store = redis === null ? null : createRedisStore({ ...deps, redis, scope });
  closing.defer(() => store?.close());
  const schemas = config.schemaRegistry === undefined ? null : createSchemaSource(config.schemaRegistry, deps);
  const opened = closing.move();
  return {
    ...{ kafka, gate, target, store },
    decoder: createDecoder(formatsOf(config), { schemas }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
};

/** They create what we are about to adopt; and without Redis they and we together would break the quota. */
const refuseRunningGroup = async (groupId: string, { admin }: KafkaConnection): Promise<void> => {
  if ((await admin.members(groupId)).length === 0) return;
  throw new ConnectorError(
    "GROUP_RUNS",
    `The group ${groupId} has members: stop all replicas first, since they would create the records that are to be adopted.`,
    { retriable: false },
  );
};

const refuseMismatch = async (
  target: BehindGate["target"],
  uses: readonly TargetUse[],
  permit: () => Promise<Permit>,
  signal: AbortSignal,
): Promise<void> => {
  const problems = await target.preflight(uses, permit, signal);
  const errors = problems.filter(({ severity }) => severity === "error").map(({ message }) => message);
  if (errors.length > 0) throw new ConnectorError("SELL_MISMATCH", errors.join(" "), { retriable: false });
};
