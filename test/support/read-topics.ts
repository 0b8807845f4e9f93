/** Reads whole topics as a stranger would, for ledgers that owe nothing to the connector. */
import { randomUUID } from "node:crypto";
import { partitionName, type TopicPartition } from "../../src/domain/record.ts";
import type { SourceRecord } from "../../src/domain/stages.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { kafkaConfig } from "../../src/source/config.ts";
import { connectKafka } from "../../src/source/connect-kafka.ts";
import { until } from "./until.ts";

export interface StoredRecord extends TopicPartition, SourceRecord {}

/** Every record up to the end known now, so that a lost tail cannot pass; in offset order within a partition. */
export const readTopics = async (brokers: string, topics: readonly string[]): Promise<readonly StoredRecord[]> => {
  const groupId = `reader-${randomUUID()}`;
  const config = kafkaConfig.parse({ brokers: [brokers], clientId: groupId, groupId, maxWaitMs: 50 });
  const deps = { clock: systemClock, random: Math.random, emit: () => {} };
  const kafka = await connectKafka(config, deps, AbortSignal.timeout(60_000));
  const ends = await kafka.admin.endOffsets(topics);
  const awaited = new Map(ends.filter(({ low, high }) => high > low).map((end) => [partitionName(end), end.high]));
  const records: StoredRecord[] = [];
  const source = kafka.source(topics);
  await source.start({
    onRecords({ topic, partition }, read) {
      for (const record of read) records.push({ topic, partition, ...record });
      const next = (read.at(-1)?.offset ?? -1n) + 1n;
      const name = partitionName({ topic, partition });
      if (next >= (awaited.get(name) ?? 0n)) awaited.delete(name);
    },
    onAssignment: ({ gained }) => gained.forEach((partition) => source.resume(partition)),
    beforeRejoin: async () => {},
    onDeath: (error) => {
      throw error;
    },
  });
  await until(() => awaited.size === 0, `${topics.join(", ")} read to the end`);
  await source.stop();
  await kafka.close();
  return records;
};
