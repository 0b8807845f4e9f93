/** Commits the ERP's changes: writes them to Kafka as Debezium would, and notes when each was committed. */
import type { ProducedRecord, RecordProducer } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import type { Encoder } from "./encoder.ts";
import type { ErpChange, TableName } from "./tables.ts";

export interface Committed extends ErpChange {
  /** Monotonic milliseconds, taken just before the change goes to Kafka. */
  readonly committedMs: number;
}

export interface LedgerDeps {
  readonly encoder: Encoder;
  readonly producer: RecordProducer;
  readonly topicOf: (table: TableName) => string;
  readonly clock: Clock;
}

/** Changes of one transaction, and of one request to Kafka. */
const TRANSACTION = 100;

export const POISON = Buffer.from("<html><h1>502 Bad Gateway</h1></html>");
const POISONED: ErpChange = {
  table: "customers",
  op: "c",
  before: null,
  after: { id: 0 },
  revision: 0,
  alters: false,
};

export class Ledger {
  readonly committed: Committed[] = [];
  readonly #deps: LedgerDeps;
  #lsn = 24_023_128;

  constructor(deps: LedgerDeps) {
    this.#deps = deps;
  }

  /** Resolves when Kafka has stored them all. */
  async commit(changes: readonly ErpChange[]): Promise<void> {
    for (let start = 0; start < changes.length; start += TRANSACTION) {
      const transaction = changes.slice(start, start + TRANSACTION);
      const committedMs = this.#deps.clock.monotonicMs();
      const records = await Promise.all(transaction.map((change) => this.#records(change)));
      await this.#deps.producer.send(records.flat());
      this.committed.push(...transaction.map((change) => ({ ...change, committedMs })));
    }
  }

  /** Something else wrote into the ERP's topic. */
  async poison(): Promise<void> {
    const { encoder, producer, topicOf } = this.#deps;
    await producer.send([
      { topic: topicOf("customers"), key: await encoder.key(POISONED), value: POISON, headers: [] },
    ]);
  }

  /** A delete is followed by its tombstone. */
  async #records(change: ErpChange): Promise<readonly ProducedRecord[]> {
    const { encoder, topicOf, clock } = this.#deps;
    const commit = { lsn: this.#lsn++, tsMs: clock.now() };
    const [key, value] = await Promise.all([encoder.key(change), encoder.value(change, commit)]);
    const record = { topic: topicOf(change.table), key, value, headers: [] };
    return change.op === "d" ? [record, { ...record, value: null }] : [record];
  }
}
