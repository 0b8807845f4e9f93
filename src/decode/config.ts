/** The `schemaRegistry` of the configuration; only topics in Avro need one. */
import { z } from "zod";

const FILE = z.string().min(1);

export const schemaRegistryConfig = z
  .strictObject({
    url: z.url({ protocol: /^https?$/ }).meta({
      description: "Confluent-compatible schema registry; with Apicurio the path is /apis/ccompat/v7.",
    }),
    username: z.string().min(1).optional().meta({ description: "User or API key for basic authentication." }),
    password: z.string().min(1).optional().meta({
      description: "Password or API secret of that user; write ${NAME} or file:/path instead of the secret itself.",
    }),
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
  .meta({ description: "Where the Avro schemas of the topics are kept." });

export type SchemaRegistryConfig = z.infer<typeof schemaRegistryConfig>;
