/**
 * How many records and bytes the process may hold, whatever their state. Half of it is shared out to the partitions as a
 * guarantee, so that one partition's waiting children can never keep another's parents out; the other half is for whoever
 * comes first.
 */

export interface BudgetLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
}

/** What one partition holds. */
export interface Account {
  readonly records: number;
  readonly bytes: number;
}

export class Budget {
  readonly #limits: BudgetLimits;

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
  }

  /**
   * The accounts that are full: they hold their guaranteed share, and the common half is used up. Those that are not full may
   * fetch; what one fetch response brings more than asked is the overshoot.
   */
  full(accounts: readonly Account[]): ReadonlySet<Account> {
    const share = {
      records: this.#limits.maxRecords / 2 / accounts.length,
      bytes: this.#limits.maxBytes / 2 / accounts.length,
    };
    let commonRecords = 0;
    let commonBytes = 0;
    for (const { records, bytes } of accounts) {
      commonRecords += Math.max(0, records - share.records);
      commonBytes += Math.max(0, bytes - share.bytes);
    }
    const exhausted = commonRecords >= this.#limits.maxRecords / 2 || commonBytes >= this.#limits.maxBytes / 2;
    return new Set(
      accounts.filter(({ records, bytes }) => exhausted && (records >= share.records || bytes >= share.bytes)),
    );
  }
}
