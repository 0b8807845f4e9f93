/** Reads the dead-letter topic from its first to its last record, as somebody would who has to look after them. */
import type { SourceHandlers, SourceRecord } from "../domain/stages.ts";
import { deferred } from "../lib/deferred.ts";
import type { KafkaConnection } from "../source/connect-kafka.ts";

export interface DeadLetter {
  readonly reason: string;
  readonly value: Buffer | null;
}

/** `kafka` is connected with a group of its own, which has committed nothing. */
export const readDeadLetters = async (
  kafka: KafkaConnection,
  topic: string,
  signal: AbortSignal,
): Promise<readonly DeadLetter[]> => {
  const ends = await kafka.admin.endOffsets([topic]);
  const count = ends.reduce((sum, { low, high }) => sum + Number(high - low), 0);
  if (count === 0) return [];

  const found: DeadLetter[] = [];
  const done = deferred();
  const source = kafka.source([topic]);
  const handlers: SourceHandlers = {
    onRecords(_partition, records) {
      found.push(...records.map((record) => ({ reason: reasonOf(record), value: record.value })));
      if (found.length >= count) done.resolve();
    },
    onAssignment: ({ gained }) => gained.forEach((partition) => source.resume(partition)),
    beforeRejoin: async () => {},
    onDeath: done.reject,
  };
  const onAbort = (): void => done.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await source.start(handlers);
    await done.promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
    await source.stop();
  }
  return found;
};

const reasonOf = ({ headers }: SourceRecord): string =>
  headers.find(([name]) => name === "x-sink.reason")?.[1]?.toString() ?? "without a reason";
