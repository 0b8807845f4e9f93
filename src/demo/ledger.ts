/** Commits the ERP's changes, transaction by transaction, and notes when each was committed. */
import type { RecordProducer } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import type { Journal } from "./journal.ts";
import type { ErpChange, TableName } from "./tables.ts";

export interface Committed extends ErpChange {
  /** Monotonic milliseconds, taken just before the change is written. */
  readonly committedMs: number;
}

export interface LedgerDeps {
  readonly journal: Pick<Journal, "write">;
  readonly producer: RecordProducer;
  readonly topicOf: (table: TableName) => string;
  readonly clock: Clock;
}

/** Changes of one transaction. */
const TRANSACTION = 100;

export const POISON = Buffer.from("<html><h1>502 Bad Gateway</h1></html>");

export class Ledger {
  readonly committed: Committed[] = [];
  readonly #deps: LedgerDeps;
  #records = 0;

  constructor(deps: LedgerDeps) {
    this.#deps = deps;
  }

  /** Records that the topics hold now, or will as soon as Debezium has come that far. */
  get records(): number {
    return this.#records;
  }

  /** Resolves when they are all stored. */
  async commit(changes: readonly ErpChange[]): Promise<void> {
    for (let start = 0; start < changes.length; start += TRANSACTION) {
      const transaction = changes.slice(start, start + TRANSACTION);
      const committedMs = this.#deps.clock.monotonicMs();
      await this.#deps.journal.write(transaction);
      this.committed.push(...transaction.map((change) => ({ ...change, committedMs })));
      // A delete is followed by its tombstone.
      this.#records += transaction.reduce((sum, { op }) => sum + (op === "d" ? 2 : 1), 0);
    }
  }

  /** Something else wrote into the ERP's topic. */
  async poison(): Promise<void> {
    const { producer, topicOf } = this.#deps;
    await producer.send([{ topic: topicOf("customers"), key: null, value: POISON, headers: [] }]);
    this.#records += 1;
  }
}
