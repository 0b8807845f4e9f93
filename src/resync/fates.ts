/** What a record is about: the keys it changes, and what today's routes would do for each. */
import type { Change } from "../domain/change.ts";
import type { Mapped, Mutation } from "../domain/mutation.ts";
import type { ConsumerRecord } from "../domain/record.ts";
import type { Decoder, Mapper } from "../domain/stages.ts";
import type { Identity } from "../map/mapper.ts";
import { sizeOf, stepsOf } from "../plan/chunk.ts";
import { entryId } from "../window/entry.ts";
import { changesOf } from "../wiring/read-mutations.ts";
import type { Fate, Seen } from "./newest.ts";

export interface Reading {
  readonly decoder: Decoder;
  readonly mapper: Mapper;
  readonly identitiesOf: (change: Change, topic: string) => readonly Identity[];
  /** Records of one call at best. */
  readonly perCall: number;
}

/**
 * By entity id; null for what cannot be read at all, or not yet. Rejects like `Decoder.decode` when a registry does not answer.
 */
export const seenIn = async (
  record: ConsumerRecord,
  reading: Reading,
): Promise<readonly (readonly [id: string, route: string, seen: Seen])[] | null> => {
  const changes = await changesOf(record, reading.decoder);
  if (changes === null) return null;
  const mapped = changes.map((change) => reading.mapper.map(change, record));
  // One change that cannot be written makes its whole record a dead letter.
  const errant = mapped.find((each) => each.status === "errant");
  const { partition, offset } = record.position;
  return changes.flatMap((change, at) =>
    reading.identitiesOf(change, record.position.topic).map((identity) => {
      const fate = fateOf(identity, change, errant ?? mapped[at], reading.perCall);
      const { tombstone: isTombstone, op } = change;
      const place = { partition, offset, timestampMs: record.timestampMs };
      return [
        entryId(identity.entity, identity.key),
        identity.route,
        { ...place, isTombstone, isDelete: op === "d", fate },
      ] as const;
    }),
  );
};

const fateOf = (
  { entity, key, route }: Identity,
  change: Change,
  mapped: Mapped | undefined,
  perCall: number,
): Fate => {
  if (mapped === undefined) return { status: "left-alone", reason: "filtered" };
  switch (mapped.status) {
    case "errant":
      return { status: "left-alone", reason: mapped.errant.reason };
    case "skip":
      return { status: "left-alone", reason: mapped.reason };
    case "mutations": {
      const mutation = mapped.mutations.find(
        (each) => each.entity === entity && each.key === key && each.route === route,
      );
      if (mutation !== undefined) return written(mutation, perCall);
      return { status: "left-alone", reason: change.op === "d" ? "delete-ignored" : "filtered" };
    }
  }
};

const written = (mutation: Mutation, perCall: number): Fate => {
  const { entity, action, complete, isDelete } = mutation;
  const calls = { kind: `${entity} ${action}`, size: sizeOf(mutation, perCall), steps: stepsOf(mutation, perCall) };
  return { status: "written", isPartial: !complete && !isDelete, calls };
};
