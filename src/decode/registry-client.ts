/**
 * The registry's client with what it lacks by itself: a time-out, a sure tell between "no such schema" and "no such server",
 * tokens that change, and the schemas as they were registered. One a process, since its instances share their options.
 */
import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import avsc from "avsc";
import { errorText } from "../domain/errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { SchemaRegistryConfig } from "./config.ts";
import { Answered, REFERENCE_MISSING, type RegistryAnswer, shortCause } from "./registry-answer.ts";
import { type RegistryConnection, registryConnection } from "./registry-connection.ts";
import type { SchemaId } from "./schema-id.ts";
import { createTextualSchemas } from "./textual-schemas.ts";

export interface RegistryClient {
  /** Without credentials, for messages. */
  readonly url: string;
  /** One request an id at a time, however many ask. Never rejects. */
  schemas(id: SchemaId): Promise<RegistryAnswer>;
  /** The subject that a schema is registered under; null where the registry does not say. Never rejects. */
  subject(id: SchemaId): Promise<string | null>;
}

type Middleware = NonNullable<ConstructorParameters<typeof SchemaRegistry>[0]["middlewares"]>[number];

export const connectRegistry = (config: SchemaRegistryConfig, clock: Clock): RegistryClient => {
  const connection = registryConnection(config, clock);
  const { url, agent } = connection;
  const textual = createTextualSchemas(config, connection);
  const { typeHook, schemasOf } = captureSchemas();
  const registry = new SchemaRegistry(
    {
      host: url,
      agent,
      // Waits belong to the pipeline, which knows what else to do meanwhile.
      retry: { retries: 0 },
      middlewares: [introduced(config, connection), avroOnly, referencesKnown],
    },
    { [SchemaType.AVRO]: { typeHook } },
  );
  const numbered = async (id: number): Promise<RegistryAnswer> => {
    try {
      return { status: "found", schemas: schemasOf(await registry.getSchema(id)) };
    } catch (error) {
      return answerOf(error);
    }
  };
  return {
    url,
    async schemas(id) {
      const answer = await (typeof id === "number" ? numbered(id) : textual.schemas(id));
      if (answer.status === "refused") connection.refused();
      return answer;
    },
    subject: (id) => textual.subject(id),
  };
};

/** With the headers of the moment: a token may be another one by the next request. */
const introduced =
  ({ timeoutMs }: SchemaRegistryConfig, { headers }: RegistryConnection): Middleware =>
  () => ({
    async prepareRequest(next, abort) {
      try {
        return (await next()).enhance({ timeout: timeoutMs, headers: await headers() });
      } catch (error) {
        return abort(error instanceof Error ? error : new Error(errorText(error)));
      }
    },
  });

/** Before the client parses it: what is no Avro it may refuse in its own words, as if nobody had answered. */
const avroOnly: Middleware = ({ resourceName }) => ({
  async response(next) {
    const response = await next();
    const { schemaType = "AVRO" } = response.data<{ readonly schemaType?: string }>() ?? {};
    if (resourceName === "Schema" && schemaType !== "AVRO")
      throw new Answered({ status: "other-kind", kind: String(schemaType) });
    return response;
  },
});

const referencesKnown: Middleware = ({ resourceName }) => ({
  async response(next) {
    try {
      return await next();
    } catch (error) {
      if (resourceName !== "Subject" || statusOf(error) !== 404) throw error;
      throw new Answered(REFERENCE_MISSING);
    }
  },
});

/** The client reports whatever fails before an answer as its own status 400, and an HTML page as `Error, status`. */
const answerOf = (error: unknown): RegistryAnswer => {
  if (error instanceof Answered) return error.answer;
  const cause = shortCause(errorText(error));
  const status = statusOf(error);
  const isOwnMessage = /(^|- )Error, status \d+/.test(cause);
  if (status === 401 || status === 403) return { status: "refused", cause: `status ${status}` };
  if (status === 404 && !isOwnMessage) return { status: "missing" };
  if (typeof status !== "number" || status === 404 || status === 429 || status >= 500 || isOwnMessage)
    return { status: "unreachable", cause };
  return { status: "refused", cause: `status ${status}` };
};

const statusOf = (error: unknown): unknown => (error instanceof Error && "status" in error ? error.status : undefined);

/**
 * The client keeps only avsc's types, which have lost `connect.name`. Its hook sees each schema as it was registered; the
 * type it gets in return is never used to read, so that a schema avsc would refuse is one like any other.
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
