/** Changes straight into their topics, as Debezium would write them: no database is needed. */
import type { ProducedRecord, RecordProducer } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import type { Encoder } from "./encoder.ts";
import type { Journal } from "./journal.ts";
import type { ErpChange, TableName } from "./tables.ts";

export interface TopicJournalDeps {
  readonly encoder: Encoder;
  readonly producer: RecordProducer;
  readonly topicOf: (table: TableName) => string;
  readonly clock: Clock;
}

const FIRST_LSN = 24_023_128;

export const topicJournal = ({ encoder, producer, topicOf, clock }: TopicJournalDeps): Journal => {
  let lsn = FIRST_LSN;
  const records = async (change: ErpChange): Promise<readonly ProducedRecord[]> => {
    const commit = { lsn: lsn++, tsMs: clock.now() };
    const [key, value] = await Promise.all([encoder.key(change), encoder.value(change, commit)]);
    const record = { topic: topicOf(change.table), key, value, headers: [] };
    return change.op === "d" ? [record, { ...record, value: null }] : [record];
  };
  return {
    async write(transaction) {
      await producer.send((await Promise.all(transaction.map(records))).flat());
    },
    check: async () => {},
    rows: async (model) => model,
  };
};
