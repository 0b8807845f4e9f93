/** Questions to the cluster, and what demo and tests need to set one up. */
import type { Kafka } from "kafkajs";
import { partitionName, type TopicPartition } from "../domain/record.ts";
import type { CommittedOffset, EndOffset, OffsetCommit } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import { clusterOf } from "./cluster.ts";
import { kafkaErrorType, kafkaFailed } from "./kafka-error.ts";
import { ConfigResourceTypes } from "./kafkajs.ts";

export interface GroupMember {
  readonly memberId: string;
  readonly clientId: string;
}

export interface KafkaAdmin {
  /** Names of all topics that we may see. */
  topics(): Promise<readonly string[]>;
  /** Partitions of each topic; topics that do not exist, or that we may not see, are left out. */
  partitionCounts(topics: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Topics that exist already are left as they are. */
  createTopics(topics: readonly NewTopic[]): Promise<void>;
  /** Replaces the topic's settings: what is not named returns to the broker's default. */
  configureTopic(topic: string, settings: Readonly<Record<string, string>>): Promise<void>;
  /** The value in force, the broker's default included; null when this user may not describe the topic's settings. */
  topicSetting(topic: string, name: string): Promise<string | null>;
  deleteTopics(topics: readonly string[]): Promise<void>;
  /** Stores offsets of a group that has no members, with their metadata. */
  commit(groupId: string, offsets: readonly OffsetCommit[]): Promise<void>;
  committed(groupId: string, partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]>;
  endOffsets(topics: readonly string[]): Promise<readonly EndOffset[]>;
  offsetsAt(topic: string, timestampMs: number): Promise<readonly (TopicPartition & { readonly offset: bigint })[]>;
  members(groupId: string): Promise<readonly GroupMember[]>;
  /** The brokers as they advertise themselves: whoever talks to a partition needs the address of its leader. */
  brokers(): Promise<readonly { readonly host: string; readonly port: number }[]>;
  /**
   * Leaves the group in the name of members that cannot do it any more, so that the group need not wait for the end of their
   * session. Only for processes that are surely dead, or for ourselves.
   */
  leave(groupId: string, memberIds: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export interface NewTopic {
  readonly topic: string;
  readonly partitions: number;
  /** Topic settings by Kafka's names: `{ "cleanup.policy": "compact" }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Connects at once; close it. */
export const createAdmin = async (kafka: Kafka, clock: Clock): Promise<KafkaAdmin> => {
  const admin = kafka.admin();
  await admin.connect().catch((cause: unknown) => {
    throw kafkaFailed("connecting", cause);
  });
  const ask = <T>(doing: string, answer: Promise<T>): Promise<T> =>
    answer.catch((cause: unknown) => {
      throw kafkaFailed(doing, cause);
    });

  const endOffsets: KafkaAdmin["endOffsets"] = async (topics) => {
    const perTopic = await Promise.all(
      topics.map(async (topic) =>
        (await ask(`reading the end of ${topic}`, admin.fetchTopicOffsets(topic))).map(({ partition, low, high }) => ({
          topic,
          partition,
          low: BigInt(low),
          high: BigInt(high),
        })),
      ),
    );
    return perTopic.flat();
  };

  const topics: KafkaAdmin["topics"] = () => ask("listing topics", admin.listTopics());

  const partitionCounts: KafkaAdmin["partitionCounts"] = async (wantedTopics) => {
    const known = new Set(await topics());
    const wanted = wantedTopics.filter((topic) => known.has(topic));
    if (wanted.length === 0) return new Map();
    const metadata = await ask("describing topics", admin.fetchTopicMetadata({ topics: wanted }));
    return new Map(metadata.topics.map(({ name, partitions }) => [name, partitions.length]));
  };

  return {
    topics,
    endOffsets,
    partitionCounts,
    async createTopics(topics) {
      const request = topics.map(({ topic, partitions, settings = {} }) => ({
        topic,
        numPartitions: partitions,
        configEntries: entriesOf(settings),
      }));
      // Not kafkajs's own wait, which fails at a broker that has not heard of the new topic yet.
      await ask("creating topics", admin.createTopics({ topics: request, waitForLeaders: false }));
      const names = topics.map(({ topic }) => topic);
      const deadline = clock.monotonicMs() + CREATED_WITHIN_MS;
      while ((await partitionCounts(names)).size < names.length && clock.monotonicMs() < deadline)
        await clock.sleep(50);
    },
    async configureTopic(topic, settings) {
      const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: entriesOf(settings) }];
      await ask(`configuring ${topic}`, admin.alterConfigs({ validateOnly: false, resources }));
    },
    async topicSetting(topic, name) {
      const resource = { type: ConfigResourceTypes.TOPIC, name: topic, configNames: [name] };
      const question = admin.describeConfigs({ includeSynonyms: false, resources: [resource] });
      const answer = await question.catch((cause: unknown) => {
        if (kafkaErrorType(cause).endsWith("AUTHORIZATION_FAILED")) return null;
        throw kafkaFailed(`describing ${topic}`, cause);
      });
      return answer?.resources[0]?.configEntries.find((entry) => entry.configName === name)?.configValue ?? null;
    },
    deleteTopics: (topics) => ask("deleting topics", admin.deleteTopics({ topics: [...topics] })),
    commit: (groupId, offsets) => ask("committing offsets", commitOffsets(kafka, groupId, offsets)),
    async committed(groupId, partitions) {
      const asked = new Set(partitions.map(partitionName));
      const topics = [...new Set(partitions.map(({ topic }) => topic))];
      if (topics.length === 0) return [];
      const rows = (await ask("reading committed offsets", admin.fetchOffsets({ groupId, topics })))
        .flatMap(({ topic, partitions: rows }) => rows.map((row) => ({ ...row, topic })))
        .filter((row) => asked.has(partitionName(row)));
      return withoutResets(rows, endOffsets);
    },
    offsetsAt: async (topic, timestampMs) =>
      (await ask(`reading offsets of ${topic} by time`, admin.fetchTopicOffsetsByTimestamp(topic, timestampMs))).map(
        ({ partition, offset }) => ({ topic, partition, offset: BigInt(offset) }),
      ),
    async members(groupId) {
      const { groups } = await ask("describing the group", admin.describeGroups([groupId]));
      return groups.flatMap((group) => group.members.map(({ memberId, clientId }) => ({ memberId, clientId })));
    },
    brokers: async () => (await ask("describing the cluster", admin.describeCluster())).brokers,
    leave: (groupId, memberIds) => ask("leaving the group", leaveGroup(kafka, groupId, memberIds)),
    close: () => admin.disconnect(),
  };
};

const CREATED_WITHIN_MS = 10_000;

const entriesOf = (settings: NonNullable<NewTopic["settings"]>) =>
  Object.entries(settings).map(([name, value]) => ({ name, value }));

const NEVER_COMMITTED = -1n;

/**
 * kafkajs answers OFFSET_OUT_OF_RANGE by storing -2 without metadata. The partition had been committed, so it must not be
 * taken for a new one and start elsewhere: the oldest record there is comes next.
 */
const withoutResets = async (
  rows: readonly (TopicPartition & { readonly offset: string; readonly metadata: string | null })[],
  endOffsets: KafkaAdmin["endOffsets"],
): Promise<readonly CommittedOffset[]> => {
  const isReset = ({ offset }: { readonly offset: string }): boolean => BigInt(offset) < NEVER_COMMITTED;
  const resetTopics = new Set(rows.filter(isReset).map(({ topic }) => topic));
  const lows = new Map((await endOffsets([...resetTopics])).map((end) => [partitionName(end), end.low]));
  return rows.map(({ topic, partition, offset, metadata }) => {
    if (BigInt(offset) === NEVER_COMMITTED) return { topic, partition, offset: null, metadata: null };
    const low = lows.get(partitionName({ topic, partition }));
    return { topic, partition, offset: isReset({ offset }) ? (low ?? 0n) : BigInt(offset), metadata };
  });
};

const leaveGroup = (kafka: Kafka, groupId: string, memberIds: readonly string[]): Promise<void> =>
  withCoordinator(kafka, groupId, async (coordinator) => {
    for (const memberId of memberIds) await coordinator.leaveGroup({ groupId, memberId });
  });

/** Kafka's own way for whoever keeps offsets without being a member: no member id, and generation -1. */
const commitOffsets = (kafka: Kafka, groupId: string, offsets: readonly OffsetCommit[]): Promise<void> =>
  withCoordinator(kafka, groupId, async (coordinator) => {
    const topics = Array.from(
      Map.groupBy(offsets, ({ topic }) => topic),
      ([topic, rows]) => ({ topic, partitions: rows.map((row) => ({ ...row, offset: String(row.offset) })) }),
    );
    await coordinator.offsetCommit({ groupId, memberId: "", groupGenerationId: -1, topics });
  });

/** Over a connection of its own: a member's own connection is busy while its JoinGroup waits. */
const withCoordinator = async (
  kafka: Kafka,
  groupId: string,
  act: (coordinator: Coordinator) => Promise<void>,
): Promise<void> => {
  const cluster = clusterOf(kafka, groupId);
  await cluster.connect();
  try {
    await act((await cluster.findGroupCoordinator({ groupId })) as unknown as Coordinator);
  } finally {
    await cluster.disconnect();
  }
};

/** kafkajs's Broker, with requests that its types leave out. */
interface Coordinator {
  leaveGroup(member: { readonly groupId: string; readonly memberId: string }): Promise<unknown>;
  offsetCommit(request: {
    readonly groupId: string;
    readonly memberId: string;
    readonly groupGenerationId: number;
    readonly topics: readonly object[];
  }): Promise<unknown>;
}
