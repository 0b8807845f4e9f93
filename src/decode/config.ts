/** The `schemaRegistry` of the configuration; only topics in Avro need one. */
import { z } from "zod";

const FILE = z.string().min(1);
const HTTP = { protocol: /^https?$/ };

const oauthConfig = z
  .strictObject({
    tokenUrl: z.url(HTTP).meta({ description: "Token endpoint of the identity provider." }),
    clientId: z.string().min(1).meta({ description: "Client that sell-sink is to the identity provider." }),
    clientSecret: z.string().min(1).meta({
      description: "Secret of that client; write ${NAME} or file:/path instead of the secret itself.",
    }),
    scope: z.string().min(1).optional().meta({ description: "Scopes to ask for, separated by blanks." }),
    logicalCluster: z.string().min(1).optional().meta({
      description: "Confluent Cloud: id of the registry (lsrc-...), sent as target-sr-cluster.",
    }),
    identityPoolId: z.string().min(1).optional().meta({
      description: "Confluent Cloud: id of the identity pool (pool-...), sent as Confluent-Identity-Pool-Id.",
    }),
  })
  .meta({ description: "OAuth 2.0 client credentials; the token is fetched, and renewed before it expires." });

export type OauthConfig = z.infer<typeof oauthConfig>;

export const schemaRegistryConfig = z
  .strictObject({
    url: z.url(HTTP).meta({
      description: "Confluent-compatible schema registry; with Apicurio the path is /apis/ccompat/v7.",
    }),
    username: z.string().min(1).optional().meta({ description: "User or API key for basic authentication." }),
    password: z.string().min(1).optional().meta({
      description: "Password or API secret of that user; write ${NAME} or file:/path instead of the secret itself.",
    }),
    token: z.string().min(1).optional().meta({
      description: "Bearer token instead; of file:/path the file is read again whenever a schema is asked for.",
    }),
    oauth: oauthConfig.optional(),
    headers: z
      .record(z.string().regex(/^[A-Za-z0-9-]+$/, "must be the name of an HTTP header"), z.string())
      .default({})
      .meta({ description: "Headers sent with every request, as some gateways ask for." }),
    timeoutMs: z.int().min(100).max(60_000).default(5_000).meta({
      description: "A registry silent for this long counts as unreachable; the records wait and it is asked again.",
    }),
    apicurioIds: z.enum(["globalId", "contentId"]).default("globalId").meta({
      description:
        "What the ids of topics with encoding apicurio-avro-8 are: the bytes do not say. globalId is the default of Apicurio's 2.x serializers, contentId that of 3.x.",
    }),
    tls: z
      .strictObject({
        caFile: FILE.optional().meta({
          description: "PEM file of the authority that signed the registry's certificate.",
        }),
        certFile: FILE.optional().meta({ description: "PEM file of the certificate that identifies sell-sink." }),
        keyFile: FILE.optional().meta({ description: "PEM file of that certificate's private key." }),
      })
      .optional()
      .meta({ description: "Certificates for an https registry that the system does not trust by itself." }),
  })
  .refine(({ username, token, oauth }) => [username, token, oauth].filter((way) => way !== undefined).length <= 1, {
    error: "has more than one way to say who asks; keep one of username, token and oauth.",
  })
  .meta({ description: "Where the Avro schemas of the topics are kept." });

export type SchemaRegistryConfig = z.infer<typeof schemaRegistryConfig>;
