/**
 * What really happened, written outside the pipeline, and what must never happen. `fail` ends a run at its first violation.
 *
 * A wish counts as settled once Sell's record of its key has looked as that wish or a later one wants it, or once its record
 * is a dead letter: that is all an observer can see, whatever was compacted or suppressed.
 */
import { partitionName, type TopicPartition } from "../../src/domain/record.ts";
import { type Content, contentOf, type ErpRecord, isDoomed, isHopeless, keyOf, type Wish } from "./erp.ts";

interface Item {
  readonly record: ErpRecord;
  readonly wish: Wish;
  isSettled: boolean;
}

export class Ledger {
  readonly records: ErpRecord[] = [];
  readonly deadLetters: number[] = [];
  /** Records that a person asked to be taken away. */
  readonly mayBeSkipped = new Set<number>();
  readonly guards = new Map<string, number>();
  failure: string | null = null;
  readonly #byKey = new Map<string, Item[]>();
  readonly #byRecord = new Map<number, Item[]>();
  readonly #content = new Map<string, Content>();
  readonly #logs = new Map<string, ErpRecord[]>();
  readonly #committed = new Map<string, bigint>();

  fail(what: string): void {
    this.failure ??= what;
  }

  /** Counts what a run must have seen for its green to mean something. */
  saw(what: string): void {
    this.guards.set(what, (this.guards.get(what) ?? 0) + 1);
  }

  appended(record: ErpRecord): void {
    this.records.push(record);
    const name = partitionName(record.partition);
    const log = this.#logs.get(name) ?? [];
    this.#logs.set(name, log);
    log.push(record);
    const items = record.wishes.map((wish) => ({ record, wish, isSettled: false }));
    this.#byRecord.set(record.index, items);
    for (const item of items) {
      const key = keyOf(item.wish);
      const list = this.#byKey.get(key) ?? [];
      this.#byKey.set(key, list);
      list.push(item);
      this.#look(key);
    }
  }

  /** A key's record in Sell looks like this now. */
  applied(key: string, content: Content): void {
    this.#content.set(key, content);
    this.#look(key);
  }

  deadLettered(index: number): void {
    const record = this.records[index];
    if (record === undefined) return this.fail(`${index} is a dead letter, and no record`);
    if (this.#hasSkippedParent(record)) this.mayBeSkipped.add(index);
    if (!isDoomed(record) && !this.mayBeSkipped.has(index))
      return this.fail(`record ${index} is a dead letter for no reason`);
    this.deadLetters.push(index);
    for (const item of this.#byRecord.get(index) ?? []) if (isHopeless(item.wish)) item.isSettled = true;
  }

  /** It may wait in vain for what a person has taken away. */
  #hasSkippedParent({ wishes }: ErpRecord): boolean {
    return wishes.some(({ parent }) =>
      (this.#byKey.get(`accounts/${parent}`) ?? []).some(({ record }) => this.mayBeSkipped.has(record.index)),
    );
  }

  /** I1, I13: nothing unsettled below it, and never back. */
  committed(partition: TopicPartition, offset: bigint): void {
    const name = partitionName(partition);
    const before = this.#committed.get(name) ?? 0n;
    if (offset < before) this.fail(`${name} went back from ${before} to ${offset}`);
    this.#committed.set(name, offset);
    for (const record of this.#logs.get(name) ?? []) {
      if (record.offset >= offset) break;
      if (!this.isSettled(record))
        this.fail(`${name} was committed at ${offset}, past the unsettled record ${record.index}`);
    }
  }

  /** By a person's word; Sell may hold it in spite of that. */
  #isSkipped({ index }: ErpRecord): boolean {
    return this.mayBeSkipped.has(index) && this.deadLetters.includes(index);
  }

  isSettled(record: ErpRecord): boolean {
    if (this.#isSkipped(record)) return true;
    switch (record.kind) {
      case "skip":
        return true;
      case "errant":
        return this.deadLetters.includes(record.index);
      case "wishes":
        return (this.#byRecord.get(record.index) ?? []).every(({ isSettled }) => isSettled);
    }
  }

  /** What Sell must hold in the end, by key; the first is what it holds if nothing was skipped. */
  oracle(): Map<string, readonly Content[]> {
    const final = new Map<string, readonly Content[]>();
    for (const [key, items] of this.#byKey) {
      const good = items.filter(({ wish }) => !isHopeless(wish));
      const last = good.findLastIndex(({ record }) => !this.#isSkipped(record));
      const skipped = good.slice(last + 1).map(({ wish }) => contentOf(wish));
      const kept = good[last];
      final.set(key, [kept === undefined ? null : contentOf(kept.wish), ...skipped]);
    }
    return final;
  }

  #look(key: string): void {
    const content = this.#content.get(key) ?? null;
    const items = this.#byKey.get(key) ?? [];
    const last = items.findLastIndex(({ wish }) => !isHopeless(wish) && contentOf(wish) === content);
    for (const item of items.slice(0, last + 1)) item.isSettled = true;
  }
}
