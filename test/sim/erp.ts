/**
 * The ERP: what it writes to Kafka, and what Sell must look like afterwards. A record's value is its index here; the decoder
 * and the mapper of the simulation look it up.
 */
import type { Change, Decoded, Errant } from "../../src/domain/change.ts";
import type { Entity, Fields, Mapped, Mutation } from "../../src/domain/mutation.ts";
import { partitionName, type TopicPartition } from "../../src/domain/record.ts";
import type { Decoder, Mapper } from "../../src/domain/stages.ts";

/** What one record asks of one key. */
export interface Wish {
  readonly entity: Entity;
  readonly key: string;
  readonly action: "upsert" | "delete";
  readonly fields: Fields;
  /** Key of the account it belongs to. */
  readonly parent: string | null;
  /** Sell refuses it: alone, or with the whole batch. */
  readonly bad: "no" | "item" | "batch";
}

export interface ErpRecord {
  readonly index: number;
  readonly partition: TopicPartition;
  readonly offset: bigint;
  readonly kind: "wishes" | "errant" | "skip";
  readonly wishes: readonly Wish[];
  readonly isBackfill: boolean;
}

/** How the value of one key's record looks in Sell after a wish; null: there is none. */
export type Content = string | null;

/** The account that never comes. */
export const NOBODY = "nobody";

/** Sell can never take it. */
export const isHopeless = ({ bad, parent }: Wish): boolean => bad !== "no" || parent === NOBODY;

export const isDoomed = ({ kind, wishes }: ErpRecord): boolean => kind === "errant" || wishes.some(isHopeless);

export const keyOf = ({ entity, key }: { readonly entity: Entity; readonly key: string }): string => `${entity}/${key}`;

/** Without the parent's id, which only Sell knows: its key stands for it. */
export const contentOf = ({ action, fields, parent }: Wish): Content =>
  action === "delete" ? null : JSON.stringify([fields.name, fields.stamp ?? null, parent]);

export const createDecoder = (records: readonly ErpRecord[]): Decoder => ({
  decode({ value }): Decoded {
    const record = records[Number(value?.toString())];
    if (record === undefined) throw new Error("an invented record");
    if (record.kind === "errant") return { status: "errant", errant: BROKEN };
    if (record.kind === "skip") return { status: "skip", reason: "test" };
    return { status: "changes", changes: record.wishes.map((_, at) => changeOf(at)) };
  },
});

const BROKEN: Errant = { stage: "decode", reason: "broken", message: "It cannot be read." };

const changeOf = (at: number): Change => ({
  op: "u",
  key: { at },
  before: null,
  after: null,
  version: null,
  origin: "streamed",
  tombstone: false,
  sourceTsMs: null,
  txId: null,
});

export const createMapper = (records: readonly ErpRecord[], hasVersions: boolean): Mapper => ({
  map({ key }, raw): Mapped {
    const record = records[Number(raw.value?.toString())];
    const wish = record?.wishes[Number(key?.at)];
    if (record === undefined || wish === undefined) throw new Error("an invented change");
    const mutation: Mutation = {
      entity: wish.entity,
      key: wish.key,
      action: wish.action,
      fields: {
        ...wish.fields,
        ...(wish.bad !== "no" && { bad: wish.bad }),
        ...(wish.parent === null && { contact_id: null }),
      },
      onCreate: {},
      refs: wish.parent === null ? [] : [{ field: "contact_id", entity: "accounts", key: wish.parent }],
      complete: true,
      lane: record.isBackfill ? "backfill" : "live",
      onMissing: "recreate",
      route: partitionName(record.partition),
      version: hasVersions ? { kind: "lsn", parts: ["", String(record.index)] } : null,
      origin: hasVersions ? "streamed" : "unknown",
      tombstone: false,
      isDelete: wish.action === "delete",
      sourceTsMs: null,
      record: raw,
    };
    return { status: "mutations", mutations: [mutation] };
  },
});
