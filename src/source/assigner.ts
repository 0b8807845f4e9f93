/**
 * Our own partition assigner, for two reasons: co-partitioned, sticky assignments (plan-assignment.ts), and the revoke
 * barrier. kafkajs has no revoke callback, but before each JoinGroup it asks `findGroupCoordinator` of the cluster object
 * that assigners receive, and asks it at no other time. Whatever waits in there still owns its partitions.
 */
import type { Cluster, PartitionAssigner } from "kafkajs";
import { AssignerProtocol } from "./kafkajs.ts";
import type { PartitionsByTopic } from "./ownership.ts";
import { type Member, planAssignment } from "./plan-assignment.ts";

// Members with another assigner are refused by the group (INCONSISTENT_GROUP_PROTOCOL): change the name with the rules.
const NAME = "sell-sink-copartition";
const VERSION = 0;

export interface AssignerOptions {
  /** What this member owns now; travels with each join. */
  claims(): PartitionsByTopic;
  /** Awaited before each JoinGroup leaves; a rejection calls the join off. */
  beforeJoin(): Promise<void>;
  /** Hands out the consumer's own cluster, once. */
  onCluster(cluster: Cluster): void;
}

export const createAssigner =
  ({ claims, beforeJoin, onCluster }: AssignerOptions): PartitionAssigner =>
  ({ cluster }) => {
    const findGroupCoordinator = cluster.findGroupCoordinator.bind(cluster);
    cluster.findGroupCoordinator = async (group) => {
      await beforeJoin();
      return findGroupCoordinator(group);
    };
    onCluster(cluster);

    return {
      name: NAME,
      version: VERSION,
      protocol: ({ topics }) => ({ name: NAME, metadata: encodeMember(topics, claims()) }),
      async assign({ members }) {
        const decoded = members.map(({ memberId, memberMetadata }) => decodeMember(memberId, memberMetadata));
        const plan = planAssignment(decoded, await partitionsOf(cluster, decoded));
        return Array.from(plan, ([memberId, assignment]) => ({
          memberId,
          memberAssignment: AssignerProtocol.MemberAssignment.encode({
            version: VERSION,
            assignment: mutable(assignment),
            userData: NO_DATA,
          }),
        }));
      },
    };
  };

const NO_DATA = Buffer.alloc(0);

const mutable = (assignment: PartitionsByTopic): Record<string, number[]> =>
  Object.fromEntries(Object.entries(assignment).map(([topic, numbers]) => [topic, [...numbers]]));

const encodeMember = (topics: string[], claims: PartitionsByTopic): Buffer =>
  AssignerProtocol.MemberMetadata.encode({ version: VERSION, topics, userData: Buffer.from(JSON.stringify(claims)) });

/** A member without readable claims simply has none. */
const decodeMember = (memberId: string, metadata: Buffer): Member => {
  const decoded = AssignerProtocol.MemberMetadata.decode(metadata);
  return { memberId, topics: decoded?.topics ?? [], claims: parseClaims(decoded?.userData) };
};

const parseClaims = (userData: Buffer | undefined): PartitionsByTopic => {
  try {
    const claims: unknown = JSON.parse(userData?.toString() ?? "");
    if (typeof claims !== "object" || claims === null) return {};
    return Object.fromEntries(Object.entries(claims).filter(([, numbers]) => Array.isArray(numbers)));
  } catch {
    return {};
  }
};

/** The group's leader plans for all: it must know the partitions of topics that only others read, too. */
const partitionsOf = async (cluster: Cluster, members: readonly Member[]): Promise<PartitionsByTopic> => {
  const topics = [...new Set(members.flatMap((member) => member.topics))];
  await cluster.addMultipleTargetTopics(topics);
  return Object.fromEntries(
    topics.map((topic) => [topic, cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId)]),
  );
};
