/** One intended write to the CRM, in the CRM's nouns but without its paths, ids or status codes. */
import type { Errant } from "./change.ts";
import type { ConsumerRecord, TopicPartition } from "./record.ts";
import type { Version } from "./version.ts";

/** Parents before children: a batch queue prefers the earlier one. */
export const ENTITIES = ["accounts", "contacts", "leads", "products", "deals", "orders"] as const;
export type Entity = (typeof ENTITIES)[number];

/** `live` changes overtake `backfill` (snapshot reads, or a route marked so). */
export type Lane = "live" | "backfill";

/** `upsert` creates or updates; `create` leaves an existing record alone; `update` never creates; `delete` removes. */
export type Action = "upsert" | "create" | "update" | "delete";

export type FieldValue =
  | string
  | number
  | boolean
  | null
  | readonly FieldValue[]
  | { readonly [name: string]: FieldValue };
/** JSON as it will stand in the request, `custom_fields` nested; without the key field and without references. */
export type Fields = { readonly [name: string]: FieldValue };

/**
 * What people call by a name and the CRM by an id: the user with an e-mail address, a stage of a pipeline (null: whichever
 * has it). Stands as a value in `fields`; the target puts the id in its place.
 */
export type Named = { readonly $owner: string } | { readonly $stage: string; readonly $pipeline: string | null };

/**
 * A list of which only the connector's own elements are replaced, those in `$own` or beginning with `$prefix`; what people
 * added stays. Stands as a value in `fields`.
 */
export interface OwnTags extends Fields {
  readonly $tags: readonly string[];
  readonly $own: readonly string[];
  readonly $prefix: string | null;
}

/** A field that holds the CRM's id of another record, named here by the other record's ERP key. */
export interface Ref {
  /** Path of the field in the request: `contact_id`, `lines.0.product_id`. */
  readonly field: string;
  readonly entity: Entity;
  readonly key: string;
}

/** Where a record stood that comes again by the replay topic. */
export interface ReplayOf extends TopicPartition {
  /** `letter`: from the dead letters · `resync`: it may have been accepted, and is written once more all the same. */
  readonly kind: "letter" | "resync";
  readonly offset: bigint;
  /** When it had become a dead letter, or its resync began; milliseconds since 1970. */
  readonly sinceMs: number;
}

export interface Mutation {
  readonly entity: Entity;
  /** The ERP key as the CRM holds it; with `entity` the identity of a record. */
  readonly key: string;
  readonly action: Action;
  readonly fields: Fields;
  /** Fields written only when the record is created (`write: onCreate`): people own them afterwards. */
  readonly onCreate: Fields;
  readonly refs: readonly Ref[];
  /** Every mapped field has a value or null. False when a column was unavailable or absent: then it is no full image. */
  readonly complete: boolean;
  readonly lane: Lane;
  /** What to do when the remembered record is gone in the CRM. */
  readonly onMissing: "recreate" | "skip" | "deadLetter";
  /** Name of the route it came by; versions are compared within one route only. */
  readonly route: string;
  readonly version: Version | null;
  readonly origin: "streamed" | "snapshot" | "incremental" | "unknown";
  readonly tombstone: boolean;
  /** The row was deleted in the ERP, whatever the route makes of it. */
  readonly isDelete: boolean;
  readonly sourceTsMs: number | null;
  /** The raw record, kept until the mutation is settled: it may yet have to become a dead letter. */
  readonly record: ConsumerRecord;
  /** Set for a replay: it takes the place among the changes of its key that it had then, and gives way to newer ones. */
  readonly replayOf?: ReplayOf;
}

/** What the mapping makes of one change; `mutations` empty means that it is skipped. */
export type Mapped =
  | { readonly status: "mutations"; readonly mutations: readonly Mutation[] }
  | { readonly status: "skip"; readonly reason: string }
  | { readonly status: "errant"; readonly errant: Errant };
