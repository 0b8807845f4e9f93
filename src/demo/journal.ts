/** Where the ERP's transactions go: into the tables of a database that Debezium reads, or straight into the topics. */
import type { ErpChange, ErpRows } from "./tables.ts";

export interface Journal {
  /** Resolves when it is stored. */
  write(transaction: readonly ErpChange[]): Promise<void>;
  /** Rejects with the reason when what was written can reach the topics no more. */
  check(signal: AbortSignal): Promise<void>;
  /** What the ERP holds, told by the one who knows best: the tables where there are some, else the model that wrote. */
  rows(model: ErpRows): Promise<ErpRows>;
}
