/** Stores what is settled, one commit at a time. */
import { errorText } from "../domain/errors.ts";
import { partitionName, type TopicPartition } from "../domain/record.ts";
import type { RecordSource } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import type { Emit } from "../telemetry/events.ts";
import { writeMark } from "./mark.ts";
import type { OwnedPartition } from "./partition.ts";

export interface CommitterDeps {
  readonly source: Pick<RecordSource, "commit">;
  readonly clock: Clock;
  readonly emit: Emit;
  /** Names this process in the marks it writes. */
  readonly nonce: string;
  /** Fingerprint of the account on the other side. */
  readonly account: string;
  readonly cooldownLeftMs: () => number;
}

export class Committer {
  readonly #deps: CommitterDeps;
  #last: Promise<unknown> = Promise.resolve();
  /** Said once, until a commit is stored again: a broker may be away for hours, and each second brings another try. */
  #isRefused = false;

  constructor(deps: CommitterDeps) {
    this.#deps = deps;
  }

  /**
   * Commits the watermark of each partition that is still owned when its turn comes. `isOpen` tells how it is left.
   * False when the broker refused: the same offsets come again with a later commit.
   */
  commit(partitions: readonly OwnedPartition[], isOpen: (partition: OwnedPartition) => boolean): Promise<boolean> {
    const turn = this.#last.then(() => this.#store(partitions, isOpen));
    this.#last = turn;
    return turn;
  }

  async #store(
    partitions: readonly OwnedPartition[],
    isOpen: (partition: OwnedPartition) => boolean,
  ): Promise<boolean> {
    const owned = partitions.filter(({ state, isStarted }) => state !== "lost" && isStarted);
    if (owned.length === 0) return true;
    const stored = owned.map(({ watermark }) => ({
      offset: watermark.committable,
      settledAbove: watermark.settledAbove,
    }));
    try {
      await this.#deps.source.commit(owned.map((partition) => this.#offsetCommit(partition, isOpen(partition))));
    } catch (error) {
      if (!this.#isRefused) this.#deps.emit("commit-refused", { cause: errorText(error) });
      this.#isRefused = true;
      return false;
    }
    this.#isRefused = false;
    for (const [i, partition] of owned.entries()) {
      partition.stored = stored[i] ?? partition.stored;
      partition.lastCommitMs = this.#deps.clock.now();
    }
    return true;
  }

  #offsetCommit(partition: OwnedPartition, open: boolean) {
    const { nonce, account, clock, cooldownLeftMs } = this.#deps;
    const offset = partition.watermark.committable;
    const left = cooldownLeftMs();
    const cooldownUntilMs = left > 0 ? clock.now() + left : 0;
    const { trustedFrom } = partition;
    const mark = { state: open ? "open" : "clean", nonce, account, cooldownUntilMs, trustedFrom } as const;
    return {
      topic: partition.topic,
      partition: partition.partition,
      offset,
      metadata: writeMark(mark, offset, partition.watermark.settledOffsets()),
    };
  }
}

/** A set of partitions by name. */
export const partitionSet = (partitions: Iterable<TopicPartition>): ((partition: TopicPartition) => boolean) => {
  const names = new Set([...partitions].map(partitionName));
  return (partition) => names.has(partitionName(partition));
};
