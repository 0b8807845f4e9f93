/** A wait that Sell asked for outlives Redis and every replica: the group's last commits tell of it. */
import { cooldownLeftMs, readMark } from "./commit/mark.ts";
import type { Config } from "./config/spec.ts";
import type { Clock } from "./lib/clock.ts";
import type { KafkaAdmin } from "./source/admin.ts";
import { topicsOf } from "./topic-formats.ts";

/** What is left of it, in milliseconds; 0: nothing. Rejects while Kafka does not answer or has no such topic. */
export const toldWaitMs = async (config: Config, admin: KafkaAdmin, clock: Clock): Promise<number> => {
  const stored = await admin.committed(config.kafka.groupId, await admin.endOffsets(topicsOf(config)));
  const marks = stored.map(({ offset, metadata }) => readMark(metadata, offset ?? 0n));
  return cooldownLeftMs(marks, clock.now());
};
