/**
 * Avro schemas by id, fetched once from the registry and kept compiled. An id never changes its meaning, so what is known
 * stays known; what the registry does not have is asked again at most every 30 seconds.
 */
import { LRUCache } from "lru-cache";
import { ConnectorError, errorText } from "../domain/errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { Emit } from "../telemetry/events.ts";
import { type AvroSchema, compileAvroSchema } from "./avro-schema.ts";
import type { SchemaRegistryConfig } from "./config.ts";
import { DecodeError } from "./decode-error.ts";
import { connectRegistry, type RegistryAnswer } from "./registry-client.ts";
import type { SchemaId } from "./schema-id.ts";

export interface SchemaSource {
  /**
   * What is known of an id now: its schema, or undefined before it was loaded. Throws DecodeError when it is known that
   * there is none for this record, or that it is no Avro.
   */
  find(id: SchemaId, recordTimestampMs: number): AvroSchema | undefined;
  /**
   * Resolves when `find` has an answer. Rejects with a retriable ConnectorError: `REGISTRY_UNREACHABLE`,
   * `REGISTRY_REFUSED`, or `SCHEMA_NOT_FOUND_YET` while a registry's replica may still be behind.
   */
  load(id: SchemaId, recordTimestampMs: number): Promise<void>;
}

/** A producer registers its schema before it writes; a registry that still lacks it after this long never had it. */
const GRACE_MS = 30_000;
/** Least time between two questions for an id that the registry did not have. */
const ASK_AGAIN_MS = 30_000;
const MAX_SCHEMAS = 500;
const MAX_MISSING = 1_000;

type Known = { readonly schema: AvroSchema } | { readonly failure: DecodeError };

/** Monotonic times of the first and the last question. */
interface Missing {
  readonly firstAtMs: number;
  readonly askedAtMs: number;
}

export const createSchemaSource = (
  config: SchemaRegistryConfig,
  { clock, emit }: { readonly clock: Clock; readonly emit: Emit },
): SchemaSource => {
  const registry = connectRegistry(config);
  const known = new LRUCache<SchemaId, Known>({ max: MAX_SCHEMAS });
  const missing = new LRUCache<SchemaId, Missing>({ max: MAX_MISSING });

  /** Said once, however many records wait. */
  let isAway = false;

  const isRecent = ({ askedAtMs }: Missing): boolean => clock.monotonicMs() - askedAtMs < ASK_AGAIN_MS;

  const isGraceOver = ({ firstAtMs }: Missing, recordTimestampMs: number): boolean =>
    clock.now() - recordTimestampMs > GRACE_MS || clock.monotonicMs() - firstAtMs >= GRACE_MS;

  const ask = async (id: SchemaId): Promise<void> => {
    const answer = await registry.schemas(id);
    const wasAway = isAway;
    isAway = answer.status === "refused" || answer.status === "unreachable";
    switch (answer.status) {
      case "found":
        known.set(id, compile(id, answer.schemas));
        missing.delete(id);
        return;
      case "missing": {
        const nowMs = clock.monotonicMs();
        missing.set(id, { firstAtMs: missing.get(id)?.firstAtMs ?? nowMs, askedAtMs: nowMs });
        return;
      }
      case "refused":
      case "unreachable":
        if (!wasAway) emit("registry-unreachable", { url: registry.url, cause: answer.cause });
        throw unanswered(answer, id, registry.url);
    }
  };

  return {
    find(id, recordTimestampMs) {
      const entry = known.get(id);
      if (entry !== undefined) {
        if ("schema" in entry) return entry.schema;
        throw entry.failure;
      }
      const absence = missing.get(id);
      if (absence !== undefined && isRecent(absence) && isGraceOver(absence, recordTimestampMs))
        throw new DecodeError("schema-unknown", `The schema registry has no schema ${id}.`);
      return undefined;
    },
    async load(id, recordTimestampMs) {
      const before = missing.get(id);
      if (before === undefined || !isRecent(before)) await ask(id);
      const after = missing.get(id);
      if (after !== undefined && !isGraceOver(after, recordTimestampMs))
        throw new ConnectorError(
          "SCHEMA_NOT_FOUND_YET",
          `The schema registry ${registry.url} has no schema ${id}; since the record is new, it is asked again before the record becomes a dead letter.`,
          { retriable: true },
        );
    },
  };
};

const compile = (id: SchemaId, schemas: readonly unknown[]): Known => {
  try {
    if (schemas.length === 0) throw new Error("it is not Avro");
    return { schema: compileAvroSchema(schemas) };
  } catch (error) {
    return { failure: new DecodeError("shape-mismatch", `Schema ${id} cannot be used: ${errorText(error)}.`) };
  }
};

const unanswered = (
  answer: Exclude<RegistryAnswer, { status: "found" | "missing" }>,
  id: SchemaId,
  url: string,
): ConnectorError =>
  answer.status === "refused"
    ? new ConnectorError(
        "REGISTRY_REFUSED",
        `The schema registry ${url} refused to give schema ${id} (${answer.cause}); check schemaRegistry.url, username and password. The records wait.`,
        { retriable: true },
      )
    : new ConnectorError(
        "REGISTRY_UNREACHABLE",
        `The schema registry ${url} did not answer for schema ${id} (${answer.cause}); the records wait and it is asked again.`,
        { retriable: true },
      );
