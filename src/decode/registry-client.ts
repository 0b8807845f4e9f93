/**
 * The registry's client with what it lacks by itself: bounds, a sure tell between "no such schema" and "no such server",
 * tokens that change, and the schemas as they were registered. One a process, since its instances share their options.
 */
import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import avsc from "avsc";
import type { Clock } from "../lib/clock.ts";
import type { SchemaRegistryConfig } from "./config.ts";
import { Answered, ofReference, type RegistryAnswer } from "./registry-answer.ts";
import { registryConnection } from "./registry-connection.ts";
import { answerOfFailure, createGetJson, type GetJson } from "./registry-http.ts";
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
type Response = Awaited<ReturnType<ReturnType<Middleware>["response"] & {}>>;

export const connectRegistry = (config: SchemaRegistryConfig, clock: Clock): RegistryClient => {
  const connection = registryConnection(config, clock);
  const { url } = connection;
  const getJson = createGetJson(config, connection, clock);
  const textual = createTextualSchemas(config, url, getJson);
  const { typeHook, schemasOf } = captureSchemas();
  const registry = new SchemaRegistry(
    {
      host: url,
      // Waits belong to the pipeline, which knows what else to do meanwhile.
      retry: { retries: 0 },
      middlewares: [askedBy(getJson)],
    },
    { [SchemaType.AVRO]: { typeHook } },
  );
  const numbered = async (id: number): Promise<RegistryAnswer> => {
    try {
      return { status: "found", schemas: schemasOf(await registry.getSchema(id)) };
    } catch (error) {
      return answerOfFailure(error);
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

/**
 * The client says what to ask, and keeps what came of it; the request itself is ours, since its own bounds neither an answer's
 * size nor the time of one that trickles, and puts whatever the server says into its errors.
 */
const askedBy =
  (getJson: GetJson): Middleware =>
  ({ resourceName }) => {
    let address = "";
    return {
      async prepareRequest(next) {
        const request = await next();
        address = request.url();
        return request;
      },
      async response() {
        const answer = await (resourceName === "Subject" ? getJson(address).catch(ofReference) : getJson(address));
        // Before the client parses it: what is no Avro it may refuse in its own words, as if nobody had answered.
        const { schemaType = "AVRO" } = (answer ?? {}) as { readonly schemaType?: unknown };
        if (resourceName === "Schema" && schemaType !== "AVRO")
          throw new Answered({ status: "other-kind", kind: String(schemaType) });
        return { data: () => answer } as Response;
      },
    };
  };

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
