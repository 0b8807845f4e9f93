/** Which partitions are ours, and what each join changed: the only reliable signal of an assignment is GROUP_JOIN. */
import { partitionName, type TopicPartition } from "../domain/record.ts";
import type { Assignment } from "../domain/stages.ts";

export type PartitionsByTopic = { readonly [topic: string]: readonly number[] };

export interface Ownership {
  owns(partition: TopicPartition): boolean;
  /** By topic, for the assigner's claims. */
  current(): PartitionsByTopic;
  /**
   * Takes over what a join gave. Another member id means that the group had given our partitions up in between, even those
   * that came back: then all of them are lost and gained at once.
   */
  joined(memberId: string, assigned: PartitionsByTopic): Assignment;
  /** Nothing of a partition that we go on to own is as it was: it is lost and gained at once. */
  begunAnew(partition: TopicPartition): Assignment;
}

export const createOwnership = (): Ownership => {
  let owned = new Map<string, TopicPartition>();
  let byTopic: PartitionsByTopic = {};
  let member: string | null = null;

  return {
    owns: (partition) => owned.has(partitionName(partition)),
    current: () => byTopic,
    joined(memberId, assigned) {
      const before = owned;
      const sameMember = memberId === member;
      member = memberId;
      byTopic = assigned;
      owned = new Map(partitionsOf(assigned).map((partition) => [partitionName(partition), partition]));
      const stays = (partition: TopicPartition): boolean =>
        sameMember && before.has(partitionName(partition)) && owned.has(partitionName(partition));
      return {
        lost: [...before.values()].filter((partition) => !stays(partition)),
        kept: [...owned.values()].filter(stays),
        gained: [...owned.values()].filter((partition) => !stays(partition)),
      };
    },
    begunAnew(partition) {
      const name = partitionName(partition);
      const kept = [...owned.values()].filter((other) => partitionName(other) !== name);
      return { lost: [partition], kept, gained: [partition] };
    },
  };
};

const partitionsOf = (assigned: PartitionsByTopic): TopicPartition[] =>
  Object.entries(assigned).flatMap(([topic, partitions]) => partitions.map((partition) => ({ topic, partition })));
