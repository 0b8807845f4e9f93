/** Small makers of the nouns, each with the one thing a test cares about. */
import type { Mutation } from "../../src/domain/mutation.ts";
import type { ConsumerRecord, Position } from "../../src/domain/record.ts";

export const aPosition = (position: Partial<Position> = {}): Position => ({
  topic: "erp.customers",
  partition: 0,
  offset: 0n,
  epoch: 1,
  ...position,
});

export const aRecord = (record: Partial<ConsumerRecord> = {}): ConsumerRecord => ({
  position: aPosition(),
  timestampMs: 1_700_000_000_000,
  key: Buffer.from("1"),
  value: Buffer.from("{}"),
  headers: [],
  bytes: 3,
  ...record,
});

export const aMutation = (mutation: Partial<Mutation> = {}): Mutation => ({
  entity: "accounts",
  key: "C-1",
  action: "upsert",
  fields: { name: "Nordlicht" },
  onCreate: {},
  refs: [],
  complete: true,
  lane: "live",
  onMissing: "recreate",
  route: "customers",
  version: null,
  origin: "unknown",
  tombstone: false,
  isDelete: false,
  sourceTsMs: null,
  record: aRecord(),
  ...mutation,
});
