/**
 * Avro schemas by id, fetched once from the registry and kept compiled. An id never changes its meaning, so what is known
 * stays known; what the registry does not have is asked again at most every 30 seconds.
 */
import { LRUCache } from "lru-cache";
import { errorText } from "../domain/errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { Emit } from "../telemetry/events.ts";
import { type AvroSchema, compileAvroSchema } from "./avro-schema.ts";
import type { SchemaRegistryConfig } from "./config.ts";
import { DecodeError } from "./decode-error.ts";
import type { RegistryAnswer } from "./registry-answer.ts";
import { connectRegistry } from "./registry-client.ts";
import { type SchemaFault, type SchemaUse, schemaFault } from "./schema-fault.ts";
import type { SchemaId } from "./schema-id.ts";

export interface SchemaSource {
  /**
   * What is known of an id now: its schema, or undefined before it was loaded and where it cannot be used. Throws DecodeError
   * when it is known that there is none for this record.
   */
  find(id: SchemaId, recordTimestampMs: number): AvroSchema | undefined;
  /** The kind of schema that an id names; `missing` where `find` throws, undefined before it was loaded. */
  kind(id: SchemaId, recordTimestampMs: number): string | undefined;
  /**
   * Resolves when `find` and `kind` have an answer that suits the record. Rejects with a retriable ConnectorError: `REGISTRY_UNREACHABLE`,
   * `REGISTRY_REFUSED`, `SCHEMA_NOT_FOUND_YET` while a registry's replica may still be behind, and `SCHEMA_OF_OTHER_KIND` or
   * `SCHEMA_UNUSABLE` for as long as the topic's configuration and this version stay what they are: a whole topic is
   * written in such a schema, so that its records wait and are no dead letters.
   */
  load(id: SchemaId, use: SchemaUse): Promise<void>;
}

/** A producer registers its schema before it writes; a registry that still lacks it after this long never had it. */
const GRACE_MS = 30_000;
/** Least time between two questions for an id that the registry did not have. */
const ASK_AGAIN_MS = 30_000;
const MAX_SCHEMAS = 500;
const MAX_MISSING = 1_000;

type Known =
  | { readonly status: "usable"; readonly schema: AvroSchema; readonly subject: null }
  | Extract<SchemaFault, { status: "other-kind" | "unusable" }>;

/** Monotonic times of the first and the last question. */
interface Missing {
  readonly firstAtMs: number;
  readonly askedAtMs: number;
}

export const createSchemaSource = (
  config: SchemaRegistryConfig,
  { clock, emit }: { readonly clock: Clock; readonly emit: Emit },
): SchemaSource => {
  const registry = connectRegistry(config, clock);
  const known = new LRUCache<SchemaId, Known>({ max: MAX_SCHEMAS });
  const missing = new LRUCache<SchemaId, Missing>({ max: MAX_MISSING });

  /** Said once, however many records wait. */
  let isAway = false;

  const isRecent = ({ askedAtMs }: Missing): boolean => clock.monotonicMs() - askedAtMs < ASK_AGAIN_MS;

  const isGraceOver = ({ firstAtMs }: Missing, recordTimestampMs: number): boolean =>
    clock.now() - recordTimestampMs > GRACE_MS || clock.monotonicMs() - firstAtMs >= GRACE_MS;

  const ask = async (id: SchemaId, use: SchemaUse): Promise<void> => {
    const answer = await registry.schemas(id);
    const wasAway = isAway;
    isAway = answer.status === "refused" || answer.status === "unreachable";
    switch (answer.status) {
      case "found":
      case "other-kind":
        known.set(id, await judge(id, answer));
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
        throw schemaFault(answer, id, use, registry.url);
    }
  };

  const judge = async (
    id: SchemaId,
    answer: Extract<RegistryAnswer, { status: "found" | "other-kind" }>,
  ): Promise<Known> => {
    if (answer.status === "other-kind") return { ...answer, subject: await registry.subject(id) };
    try {
      return { status: "usable", schema: compileAvroSchema(answer.schemas), subject: null };
    } catch (error) {
      return { status: "unusable", cause: errorText(error), subject: await registry.subject(id) };
    }
  };

  const isMissing = (id: SchemaId, recordTimestampMs: number): boolean => {
    const absence = missing.get(id);
    return absence !== undefined && isRecent(absence) && isGraceOver(absence, recordTimestampMs);
  };

  return {
    find(id, recordTimestampMs) {
      const entry = known.get(id);
      if (entry !== undefined) return entry.status === "usable" ? entry.schema : undefined;
      if (isMissing(id, recordTimestampMs))
        throw new DecodeError("schema-unknown", `The schema registry has no schema ${id}.`);
      return undefined;
    },
    kind(id, recordTimestampMs) {
      const entry = known.get(id);
      return entry === undefined ? (isMissing(id, recordTimestampMs) ? "missing" : undefined) : kindOf(entry);
    },
    async load(id, use) {
      const before = missing.get(id);
      if (!known.has(id) && (before === undefined || !isRecent(before))) await ask(id, use);
      const entry = known.get(id);
      const fault = entry === undefined ? null : faultOf(entry, use);
      if (fault !== null) throw schemaFault(fault, id, use, registry.url);
      const after = missing.get(id);
      if (after !== undefined && !isGraceOver(after, use.recordTimestampMs))
        throw schemaFault({ status: "missing" }, id, use, registry.url);
    },
  };
};

const kindOf = (entry: Known): string => (entry.status === "other-kind" ? entry.kind : "AVRO");

/** Null: records of this use can be read. */
const faultOf = (entry: Known, { expects }: SchemaUse): SchemaFault | null => {
  if (kindOf(entry) !== expects) return { status: "other-kind", kind: kindOf(entry), subject: entry.subject };
  return entry.status === "unusable" ? entry : null;
};
