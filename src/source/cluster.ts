/** kafkajs's own cluster object: the way to requests that its admin client and its consumer do not offer. */
import type { Cluster, Kafka } from "kafkajs";

/** kafkajs gives it to nobody but assigners; the consumer itself is never used. Connect it, and disconnect it afterwards. */
export const clusterOf = (kafka: Kafka, groupId: string): Cluster => {
  const clusters: Cluster[] = [];
  kafka.consumer({
    groupId,
    partitionAssigners: [
      ({ cluster }) => {
        clusters.push(cluster);
        return {
          name: "none",
          version: 0,
          assign: async () => [],
          protocol: () => ({ name: "none", metadata: NO_DATA }),
        };
      },
    ],
  });
  const [cluster] = clusters;
  if (cluster === undefined) throw new Error("kafkajs no longer calls the assigner's factory when a consumer is made");
  return cluster;
};

const NO_DATA = Buffer.alloc(0);
