/** What only the running pipeline knows, read at each scrape; from it come the gauges and the status page. */
import type { Entity } from "../domain/mutation.ts";
import type { TopicPartition } from "../domain/record.ts";
import type { GateState } from "../domain/stages.ts";

export interface PartitionSnapshot extends TopicPartition {
  /** End offset; null until the broker has told it. */
  readonly endOffset: number | null;
  /** End offset minus next offset to commit; null until both are known. */
  readonly lag: number | null;
  /** Seconds since the timestamp of the first uncommitted record, by lane; 0 when there is none. */
  readonly oldestPendingAgeS: { readonly live: number; readonly backfill: number };
  /** Seconds since 1970 of the last stored commit by this process; null when there was none. */
  readonly lastCommitS: number | null;
  /** Why it is paused; null when it is not. */
  readonly paused: string | null;
}

/** A route that a person paused, or the configuration. */
export interface PauseSnapshot {
  readonly route: string;
  readonly topic: string;
  readonly who: string;
  readonly why: string;
  /** Milliseconds since 1970; null: by the configuration. */
  readonly sinceMs: number | null;
}

/** What keeps the oldest live change in memory from its turn. */
export interface Holdup {
  /** `parent`: it refers to a record that Sell does not have · `trouble`: Sell fails at it while it answers for others. */
  readonly by: "parent" | "trouble";
  /** `topic[partition]@offset` */
  readonly position: string;
  readonly timestampMs: number;
}

export interface Snapshot {
  /** When it was taken, milliseconds since 1970. */
  readonly atMs: number;
  /** Only partitions that this process owns now. */
  readonly partitions: readonly PartitionSnapshot[];
  readonly gate: GateState;
  readonly pauses: readonly PauseSnapshot[];
  /** Null: nothing but the quota and what came before it. */
  readonly holdup: Holdup | null;
  /** A rejected credential or setting stops all requests. */
  readonly halted: boolean;
  /** This process may assume that its partitions are its own; false while Kafka does not answer, and between two joins. */
  readonly isMember: boolean;
  /** Records that wait for the record they refer to, for every entity. */
  readonly parked: ReadonlyMap<Entity, number>;
  /** Records that one call carries at most. */
  readonly maxItems: number;
  /** Records in memory, whatever their state. */
  readonly windowRecords: number;
  readonly windowBytes: number;
}

/** Records that are not committed yet; null until the broker has told of every partition. */
export const backlogOf = (partitions: readonly PartitionSnapshot[]): number | null =>
  partitions.reduce<number | null>((sum, { lag }) => (sum === null || lag === null ? null : sum + lag), 0);
