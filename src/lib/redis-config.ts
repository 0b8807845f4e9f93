/** Settings of the `redis` section: which server, or which group of servers, all replicas share. */
import { z } from "zod";

const address = z.string().regex(/^[^\s:]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/, "must be host:port");
const password = z.string().min(1);

const sentinels = z
  .strictObject({
    hosts: z.array(address).min(1).meta({ description: "Sentinels as host:port (26379 by default); list them all." }),
    name: z.string().min(1).meta({ description: "Name under which they watch the primary, often mymaster." }),
    username: z.string().min(1).optional().meta({ description: "ACL user at the sentinels." }),
    password: password.optional().meta({
      description: "Password of the sentinels; that of the servers is redis.password.",
      secret: true,
    }),
  })
  .meta({ description: "The primary that these sentinels name. A fail-over is followed by itself." });

const cluster = z
  .strictObject({
    nodes: z.array(address).min(1).meta({ description: "Some of the nodes as host:port; they tell the others." }),
  })
  .meta({ description: "A Redis Cluster. The quota lives in one slot, what Sell accepted in another." });

const tls = z
  .strictObject({
    enabled: z.boolean().default(true).meta({ description: "False switches TLS off without deleting the settings." }),
    caFile: z.string().optional().meta({ description: "PEM file of the CA; without it Node's own list is trusted." }),
    certFile: z.string().optional().meta({ description: "PEM file of the client certificate, for mutual TLS." }),
    keyFile: z.string().optional().meta({ description: "PEM file of the client certificate's key." }),
  })
  .meta({
    description: "TLS to Redis, to the sentinels and to all nodes of a cluster. The files are read at the start.",
  });

export const redisConfig = z
  .strictObject({
    url: z
      .string()
      .regex(/^rediss?:\/\/[^\s/]+/, "must be redis://host:6379 or rediss://host:6379")
      .optional()
      .meta({
        description: "One server: Redis 6.2 or later, or Valkey; rediss:// for TLS. All replicas name the same.",
      }),
    sentinels: sentinels.optional(),
    cluster: cluster.optional(),
    username: z
      .string()
      .min(1)
      .optional()
      .meta({ description: "ACL user at the servers; the README lists the rights it needs." }),
    password: password.optional().meta({
      description: "Password; write ${REDIS_PASSWORD} or file:/run/secrets/redis-password.",
      secret: true,
    }),
    tls: tls.optional(),
  })
  .meta({
    description:
      "Where replicas share the quota and what Sell accepted: url, sentinels or cluster. It may lose its data at any time. Without it only one replica can run.",
  });

export type RedisConfig = z.infer<typeof redisConfig>;

export interface RedisProblem {
  /** Below the top of the configuration: `["redis", "cluster"]`. */
  readonly path: readonly string[];
  readonly message: string;
}

/** Settings that are valid each by itself but make no sense together. */
export const redisProblems = (config: RedisConfig): readonly RedisProblem[] => {
  const [first, second] = (["url", "sentinels", "cluster"] as const).filter((form) => config[form] !== undefined);
  if (first === undefined) {
    return [{ path: ["redis"], message: "names no server: set redis.url, redis.sentinels or redis.cluster." }];
  }
  if (second !== undefined) {
    const message = `stands beside redis.${first}; keep the one that is meant.`;
    return [{ path: ["redis", second], message }];
  }
  if (config.url?.startsWith("rediss:") && config.tls?.enabled === false) {
    return [{ path: ["redis", "tls", "enabled"], message: "is false, but rediss:// asks for TLS; write redis://." }];
  }
  return [];
};
