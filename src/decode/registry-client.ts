/**
 * The registry's client with what it lacks by itself: a time-out, a sure tell between "no such schema" and "no such server",
 * and the schemas as they were registered. One a process, since its instances share their options.
 */
import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import avsc from "avsc";
import { errorText } from "../domain/errors.ts";
import type { SchemaRegistryConfig } from "./config.ts";
import { registryConnection } from "./registry-connection.ts";
import type { SchemaId } from "./schema-id.ts";
import { createTextualSchemas } from "./textual-schemas.ts";

export type RegistryAnswer =
  /** Parsed; the ones it refers to first, its own last. Empty: it is a schema of another kind than Avro. */
  | { readonly status: "found"; readonly schemas: readonly unknown[] }
  /** The registry answers and has no such id. */
  | { readonly status: "missing" }
  /** A credential, a permission or the address is wrong. */
  | { readonly status: "refused"; readonly cause: string }
  | { readonly status: "unreachable"; readonly cause: string };

export interface RegistryClient {
  /** Without credentials, for messages. */
  readonly url: string;
  /** One request an id at a time, however many ask. Never rejects. */
  schemas(id: SchemaId): Promise<RegistryAnswer>;
}

type Middlewares = NonNullable<ConstructorParameters<typeof SchemaRegistry>[0]["middlewares"]>;

export const connectRegistry = (config: SchemaRegistryConfig): RegistryClient => {
  const connection = registryConnection(config);
  const { url, auth, agent } = connection;
  const textualSchemas = createTextualSchemas(config, connection);
  const { typeHook, schemasOf } = captureSchemas();
  const middlewares: Middlewares = [
    () => ({
      prepareRequest: async (next) => (await next()).enhance({ timeout: config.timeoutMs, headers: config.headers }),
    }),
  ];
  const registry = new SchemaRegistry(
    {
      host: url,
      agent,
      // Waits belong to the pipeline, which knows what else to do meanwhile.
      retry: { retries: 0 },
      middlewares,
      ...(auth === null ? {} : { auth }),
    },
    { [SchemaType.AVRO]: { typeHook } },
  );
  return {
    url,
    async schemas(id) {
      if (typeof id !== "number") return textualSchemas(id);
      try {
        return { status: "found", schemas: schemasOf(await registry.getSchema(id)) };
      } catch (error) {
        return answerOf(error);
      }
    },
  };
};

/** The client reports whatever fails before an answer as its own status 400, and an HTML page as `Error, status`. */
const answerOf = (error: unknown): RegistryAnswer => {
  const cause = errorText(error).split("\n", 1)[0]?.slice(0, 200) ?? "";
  const status = error instanceof Error && "status" in error ? error.status : undefined;
  const isOwnMessage = /(^|- )Error, status \d+/.test(cause);
  if (status === 401 || status === 403) return { status: "refused", cause: `status ${status}` };
  if (status === 404 && !isOwnMessage) return { status: "missing" };
  if (typeof status !== "number" || status === 404 || status === 429 || status >= 500 || isOwnMessage)
    return { status: "unreachable", cause };
  return { status: "refused", cause: `status ${status}` };
};

/**
 * The client keeps only avsc's types, which have lost `connect.name`. Its hook sees each schema as it was registered; the
 * type it gets in return is never used to read.
 */
const captureSchemas = () => {
  const byOptions = new WeakMap<object, readonly unknown[]>();
  const byType = new WeakMap<object, readonly unknown[]>();
  const typeHook = (schema: unknown, options: object): avsc.Type => {
    // A page of some gateway with status 200: thrown here, or the client would remember it as the schema for ever.
    if (schema === undefined || schema === null) throw new Error("the answer holds no schema");
    const schemas = [...(byOptions.get(options) ?? []), schema];
    const type = avsc.Type.forSchema("null", { registry: {} });
    byOptions.set(options, schemas);
    byType.set(type, schemas);
    return type;
  };
  return { typeHook, schemasOf: (type: object): readonly unknown[] => byType.get(type) ?? [] };
};
