/** Why records wait for their schema, each in one sentence that says which schema, where, and what to do. */
import { ConnectorError } from "../domain/errors.ts";
import type { Part } from "./avro-framing.ts";
import type { SchemaId } from "./schema-id.ts";

/** Kinds of schemas whose records can be read. */
export type ReadableKind = "AVRO" | "JSON";

/** The record that names a schema. */
export interface SchemaUse {
  readonly topic: string;
  readonly part: Part;
  /** What the topic is configured for. */
  readonly expects: ReadableKind;
  readonly recordTimestampMs: number;
}

export type SchemaFault =
  | { readonly status: "other-kind"; readonly kind: string; readonly subject: string | null }
  /** Avro that the compiler refuses. */
  | { readonly status: "unusable"; readonly cause: string; readonly subject: string | null }
  | { readonly status: "missing" }
  | { readonly status: "refused"; readonly cause: string }
  | { readonly status: "unreachable"; readonly cause: string };

/** Always retriable: what is wrong is wrong with more than this record. */
export const schemaFault = (fault: SchemaFault, id: SchemaId, use: SchemaUse, url: string): ConnectorError => {
  const { topic, part, expects } = use;
  const schema = `schema ${id} (${subjectOf(fault, use)})`;
  const error = (code: string, message: string) => new ConnectorError(code, message, { retriable: true });
  switch (fault.status) {
    case "other-kind":
      return error(
        "SCHEMA_OF_OTHER_KIND",
        `The ${part}s of ${topic} are ${nameOf(fault.kind)} and not the ${nameOf(expects)} that the route expects: the registry ${url} has ${schema} as such. ${remedy(fault.kind, part)} Until then the records wait, and none becomes a dead letter.`,
      );
    case "unusable":
      return error(
        "SCHEMA_UNUSABLE",
        `The ${part}s of ${topic} cannot be read: ${schema} of the registry ${url} is not understood (${fault.cause}). Correct the schema at its source, or report it to sell-sink; until then the records wait, and none becomes a dead letter.`,
      );
    case "missing":
      return error(
        "SCHEMA_NOT_FOUND_YET",
        `The schema registry ${url} has no ${schema}; since the record is new, it is asked again before the record becomes a dead letter.`,
      );
    case "refused":
      return error(
        "REGISTRY_REFUSED",
        `The schema registry ${url} refused to give ${schema}: ${fault.cause}. Check schemaRegistry.url, its credential, and that it may read that subject; the records wait.`,
      );
    case "unreachable":
      return error(
        "REGISTRY_UNREACHABLE",
        `The schema registry ${url} did not answer for ${schema}: ${fault.cause}. The records wait, and it is asked again.`,
      );
  }
};

/** Where the registry does not say it, the subject that serializers choose unless they are told otherwise. */
const subjectOf = (fault: SchemaFault, { topic, part }: SchemaUse): string =>
  "subject" in fault && fault.subject !== null ? `subject ${fault.subject}` : `by default subject ${topic}-${part}`;

// Maps: the registry names the kind, and may name it `constructor`.
const NAMES = new Map([
  ["PROTOBUF", "Protobuf"],
  ["JSON", "JSON"],
  ["AVRO", "Avro"],
]);

const nameOf = (kind: string): string => NAMES.get(kind) ?? (/^[A-Z]{2,12}$/.test(kind) ? kind : "of an unknown kind");

const ENCODINGS = new Map([
  ["JSON", "confluent-json-schema"],
  ["AVRO", "confluent-avro"],
]);

const remedy = (kind: string, part: Part): string => {
  const encoding = ENCODINGS.get(kind);
  if (encoding !== undefined) return `Set ${part === "key" ? "keyEncoding" : "encoding"}: ${encoding} on the route.`;
  return `Set ${part}.converter of the source connector to Avro or JSON and let it write to a new topic.`;
};
