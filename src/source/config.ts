/** Settings of the `kafka` section. */
import { z } from "zod";

const username = z.string().min(1).meta({ description: "SASL user name." });
const password = z
  .string()
  .min(1)
  .meta({ description: "SASL password; write ${KAFKA_PASSWORD} or file:/run/secrets/kafka-password." });

const mechanism = <M extends string>(name: M) => z.literal(name).meta({ description: "How the client logs in." });

const sasl = z
  .discriminatedUnion("mechanism", [
    z.strictObject({ mechanism: mechanism("plain"), username, password }),
    z.strictObject({ mechanism: mechanism("scram-sha-256"), username, password }),
    z.strictObject({ mechanism: mechanism("scram-sha-512"), username, password }),
    z.strictObject({
      mechanism: mechanism("oauthbearer"),
      tokenUrl: z
        .url({ protocol: /^https?$/ })
        .meta({ description: "Token endpoint for the client credentials grant." }),
      clientId: z.string().min(1).meta({ description: "OAuth client id." }),
      clientSecret: z.string().min(1).meta({ description: "OAuth client secret." }),
      scope: z.string().optional().meta({ description: "Scope to ask for, if the identity provider wants one." }),
      extensions: z.record(z.string(), z.string()).default({}).meta({
        description: "SASL extensions, for Confluent Cloud: logicalCluster and identityPoolId.",
      }),
    }),
  ])
  .meta({ description: "How to log in to Kafka; leave it out for a cluster without authentication." });

const tls = z
  .strictObject({
    enabled: z.boolean().default(true).meta({ description: "False switches TLS off without deleting the settings." }),
    caFile: z.string().optional().meta({ description: "PEM file of the CA; without it Node's own list is trusted." }),
    certFile: z.string().optional().meta({ description: "PEM file of the client certificate, for mutual TLS." }),
    keyFile: z.string().optional().meta({ description: "PEM file of the client certificate's key." }),
  })
  .meta({ description: "TLS to the brokers. The files are read at each connection, so a rotation needs no restart." });

export const kafkaConfig = z
  .strictObject({
    brokers: z
      .array(z.string().regex(/^[^\s:]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/, "must be host:port"))
      .min(1)
      .meta({ description: "Bootstrap brokers as host:port; two or three of them are enough." }),
    groupId: z.string().min(1).meta({ description: "Consumer group; all replicas share it." }),
    clientId: z.string().min(1).default("sell-sink").meta({ description: "Name in the brokers' logs and quotas." }),
    sessionTimeoutMs: z.int().min(1_000).max(1_800_000).default(20_000).meta({
      description: "The group waits this long for a silent replica before others take its partitions over.",
    }),
    heartbeatIntervalMs: z.int().min(100).max(60_000).default(1_000).meta({
      description: "How often a replica reports to the group; also how soon it hears of a rebalance.",
    }),
    rebalanceTimeoutMs: z.int().min(1_000).max(1_800_000).default(60_000).meta({
      description: "A rebalance waits this long for a replica that finishes its calls; longer than the drain time.",
    }),
    maxWaitMs: z.int().min(10).max(10_000).default(500).meta({
      description: "How long a fetch waits for new records; resuming a paused partition takes up to this long.",
    }),
    maxBytes: z.int().min(65_536).max(104_857_600).default(4_194_304).meta({
      description: "Most bytes of one fetch from one broker: the memory needed beside window.maxBytes.",
    }),
    tls: tls.optional(),
    sasl: sasl.optional(),
  })
  .meta({ description: "Where the change records come from." });

export type KafkaConfig = z.infer<typeof kafkaConfig>;
export type TlsConfig = NonNullable<KafkaConfig["tls"]>;
export type SaslConfig = NonNullable<KafkaConfig["sasl"]>;
export type OauthConfig = Extract<SaslConfig, { mechanism: "oauthbearer" }>;
