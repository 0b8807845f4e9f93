/** Kafka as far as the pipeline can see it: logs, stored offsets, and one group with eager rebalances. */
import { partitionName, type TopicPartition } from "../../src/domain/record.ts";
import type { OffsetCommit, SourceRecord } from "../../src/domain/stages.ts";
import type { PartitionsByTopic } from "../../src/source/ownership.ts";
import { planAssignment } from "../../src/source/plan-assignment.ts";
import type { Time } from "./time.ts";

export const SESSION_MS = 20_000;
const REBALANCE_MAX_MS = 60_000;

interface Member {
  readonly id: string;
  claims: PartitionsByTopic;
  lastSeenMs: number;
  /** Its JoinGroup waits for the others. */
  assign: ((generation: number, assignment: PartitionsByTopic) => void) | null;
}

interface Stored {
  readonly offset: bigint;
  readonly metadata: string;
}

export class Broker {
  readonly topics: PartitionsByTopic;
  readonly partitions: readonly TopicPartition[];
  readonly #time: Time;
  readonly #logs = new Map<string, SourceRecord[]>();
  readonly #stored = new Map<string, Stored>();
  readonly #members = new Map<string, Member>();
  readonly #onCommit: (partition: TopicPartition, offset: bigint) => void;
  readonly #appended = new Set<() => void>();
  #generation = 0;
  #preparingSinceMs: number | null = null;
  #ids = 0;

  constructor(topics: PartitionsByTopic, time: Time, onCommit: (partition: TopicPartition, offset: bigint) => void) {
    this.topics = topics;
    this.partitions = Object.entries(topics).flatMap(([topic, numbers]) =>
      numbers.map((partition) => ({ topic, partition })),
    );
    this.#time = time;
    this.#onCommit = onCommit;
    this.#tick();
  }

  log(partition: TopicPartition): SourceRecord[] {
    const name = partitionName(partition);
    let log = this.#logs.get(name);
    if (log === undefined) this.#logs.set(name, (log = []));
    return log;
  }

  end(partition: TopicPartition): bigint {
    return (this.log(partition).at(-1)?.offset ?? -1n) + 1n;
  }

  append(partition: TopicPartition, record: SourceRecord): void {
    this.log(partition).push(record);
    for (const tell of this.#appended) tell();
  }

  onAppended(tell: () => void): void {
    this.#appended.add(tell);
  }

  stored(partition: TopicPartition): Stored | null {
    return this.#stored.get(partitionName(partition)) ?? null;
  }

  // --- the group -----------------------------------------------------------------------------------------------------------

  /** The member's id, at once; `assign` is called when all have joined. */
  join(id: string | null, claims: PartitionsByTopic, assign: Member["assign"]): string {
    const known = id === null ? undefined : this.#members.get(id);
    const member = known ?? { id: `m${++this.#ids}`, claims, lastSeenMs: 0, assign: null };
    Object.assign(member, { claims, assign, lastSeenMs: this.#time.nowMs });
    this.#members.set(member.id, member);
    this.#prepare();
    this.#completeIfAllJoined();
    return member.id;
  }

  leave(id: string): void {
    if (!this.#members.delete(id)) return;
    this.#prepare();
    this.#completeIfAllJoined();
  }

  heartbeat(id: string, generation: number): "ok" | "rebalance" | "unknown-member" {
    const member = this.#members.get(id);
    if (member === undefined) return "unknown-member";
    member.lastSeenMs = this.#time.nowMs;
    return this.#preparingSinceMs !== null || generation !== this.#generation ? "rebalance" : "ok";
  }

  /** False: refused. The coordinator checks member and generation, not who owns the partition. */
  commit(id: string, generation: number, offsets: readonly OffsetCommit[]): boolean {
    if (!this.#members.has(id) || generation !== this.#generation) return false;
    for (const { topic, partition, offset, metadata } of offsets) {
      this.#onCommit({ topic, partition }, offset);
      this.#stored.set(partitionName({ topic, partition }), { offset, metadata });
    }
    return true;
  }

  /** A broker moves, a partition is added: everybody joins again. */
  rebalance(): void {
    if (this.#members.size > 0) this.#prepare();
  }

  #prepare(): void {
    this.#preparingSinceMs ??= this.#time.nowMs;
  }

  #completeIfAllJoined(): void {
    const members = [...this.#members.values()];
    if (this.#preparingSinceMs === null || members.length === 0 || members.some(({ assign }) => assign === null))
      return;
    this.#generation += 1;
    this.#preparingSinceMs = null;
    const joined = members.map(({ id, claims }) => ({ memberId: id, topics: Object.keys(this.topics), claims }));
    const plan = planAssignment(joined, this.topics);
    for (const member of members) {
      const assign = member.assign;
      member.assign = null;
      member.lastSeenMs = this.#time.nowMs;
      assign?.(this.#generation, plan.get(member.id) ?? {});
    }
  }

  #tick(): void {
    const now = this.#time.nowMs;
    for (const { id, lastSeenMs, assign } of this.#members.values()) {
      const isLate = this.#preparingSinceMs !== null && now - this.#preparingSinceMs > REBALANCE_MAX_MS;
      if (assign === null && (now - lastSeenMs > SESSION_MS || isLate)) this.leave(id);
    }
    this.#time.after(1_000, () => this.#tick());
  }
}
