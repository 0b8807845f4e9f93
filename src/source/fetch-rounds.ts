/**
 * Tells batches fetched before a join from those fetched after it. kafkajs lets one fetcher rejoin while the others go on
 * (a leader moved, partitions were added): a batch they asked for earlier would move the read position of a partition that
 * has just come to us past records that nobody has read. So a new partition's batches count only once every fetcher that was
 * busy at the join has begun another fetch. The same goes for a partition that is to be read from elsewhere.
 */
export interface FetchRounds {
  /** FETCH_START of a broker. */
  started(nodeId: string): void;
  /** GROUP_JOIN, with the partitions that are new to us. */
  joined(gained: readonly string[]): void;
  /** A partition of ours is to be read from another offset. */
  sought(partition: string): void;
  /** May a batch of this partition stem from before the join that brought it, or before it was sought? `nodeIds` are the cluster's brokers now. */
  isStale(partition: string, nodeIds: readonly string[]): boolean;
}

export const createFetchRounds = (): FetchRounds => {
  const nodes = new Set<string>(); // bound: the cluster's brokers
  let behind = new Set<string>();
  const fresh = new Set<string>(); // bound: the subscribed partitions

  return {
    started(nodeId) {
      nodes.add(nodeId);
      behind.delete(nodeId);
    },
    joined(gained) {
      behind = new Set(nodes);
      for (const partition of gained) fresh.add(partition); // those of a join just before may not have been fetched anew yet
    },
    sought(partition) {
      behind = new Set(nodes);
      fresh.add(partition);
    },
    isStale(partition, nodeIds) {
      if (!fresh.has(partition)) return false;
      // A broker that left the cluster has no fetcher any more.
      for (const node of behind) if (!nodeIds.includes(node)) behind.delete(node);
      if (behind.size > 0) return true;
      fresh.clear();
      return false;
    },
  };
};
