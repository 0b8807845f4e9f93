/** A wait that Sell asked for outlives Redis and every replica: the group's last commits tell of it. */
import { cooldownLeftMs, readMark } from "../commit/mark.ts";
import type { Config } from "../config/spec.ts";
import type { Clock } from "../lib/clock.ts";
import { A_MOMENT, patiently } from "../lib/patiently.ts";
import type { KafkaAdmin } from "../source/admin.ts";
import { topicsOf } from "./topic-formats.ts";

/** What is left of it, in milliseconds; 0: nothing, or no topic is there yet. Rejects when Kafka has not answered for a moment. */
export const toldWaitMs = (config: Config, admin: KafkaAdmin, clock: Clock, signal: AbortSignal): Promise<number> =>
  patiently(clock, A_MOMENT, () => told(config, admin, clock), signal);

const told = async (config: Config, admin: KafkaAdmin, clock: Clock): Promise<number> => {
  const topics = [...(await admin.partitionCounts(topicsOf(config))).keys()];
  if (topics.length === 0) return 0;
  const stored = await admin.committed(config.kafka.groupId, await admin.endOffsets(topics));
  const marks = stored.map(({ offset, metadata }) => readMark(metadata, offset ?? 0n));
  return cooldownLeftMs(marks, clock.now());
};
