/**
 * Tags that people and the connector share. Sell replaces the list as a whole, so the record is written without them first;
 * the reply shows what it has, and only if that is not what it shall be the record is written once more.
 */
import { isOwnTags, mergedTags } from "../domain/own-tags.ts";
import type { Batch, Outcome, Write } from "../domain/receipt.ts";
import { type Call, type Json, type Reading, stepDone, unknown } from "./call.ts";
import { writeCall } from "./core.ts";
import { type Notes, noteOf } from "./notes.ts";
import type { Resource } from "./resources.ts";

export interface TagNote {
  readonly id: number;
  /** The record's tags; null: they were not shown. */
  readonly tags: readonly string[] | null;
  readonly isNew: boolean;
}

/** `call` makes the call of the batch once no shared tags are in it. */
export const withSharedTags = (
  batch: Batch,
  resource: Resource,
  notes: Notes<TagNote>,
  call: (batch: Batch) => Call | Outcome,
): Call | Outcome => {
  if (!batch.writes.some(({ body }) => isOwnTags(body["tags"]))) return call(batch);
  const [write] = batch.writes;
  const known = write === undefined ? undefined : notes.get(noteOf(write));
  if (write !== undefined && batch.writes.length === 1 && known?.tags === null)
    return askTags(write, known, resource, notes);
  const plain = call({ ...batch, writes: batch.writes.map((shared) => withoutMarker(shared, notes)) });
  if (!("request" in plain)) return plain;
  return { ...plain, read: (reply) => compared(plain.read(reply), batch.writes, notes) };
};

const withoutMarker = (write: Write, notes: Notes<TagNote>): Write => {
  const { tags, ...rest } = write.body;
  if (!isOwnTags(tags)) return write;
  const current = notes.get(noteOf(write))?.tags ?? null;
  return { ...write, body: current === null ? rest : { ...rest, tags: mergedTags(current, tags) } };
};

const compared = (reading: Reading, writes: readonly Write[], notes: Notes<TagNote>): Reading => ({
  ...reading,
  outcomes: reading.outcomes.map((outcome, index) => {
    const write = writes[index];
    const shared = write?.body["tags"];
    if (write === undefined || !isOwnTags(shared) || outcome.status !== "accepted" || outcome.id === null)
      return outcome;
    const note = notes.get(noteOf(write));
    notes.forget(noteOf(write));
    // The tags were in this request.
    if (note !== undefined && note.tags !== null) return note.isNew ? { ...outcome, result: "created" } : outcome;
    const tags = tagsOf(reading.records?.get(index));
    if (tags !== null && isSame(tags, mergedTags(tags, shared))) return outcome;
    const isNew = outcome.result === "created";
    notes.put(noteOf(write), { id: outcome.id, tags, isNew });
    return { status: "progress", reason: "tags-shown", alone: tags === null, created: isNew };
  }),
});

/** For a dialect whose replies leave them out. */
const askTags = (write: Write, note: TagNote, resource: Resource, notes: Notes<TagNote>): Call => {
  const path = `${resource.corePath}/${note.id}`;
  return writeCall({ method: "GET", path, body: null }, true, (data, id) => {
    if (id !== note.id) return unknown("id-mismatch");
    notes.put(noteOf(write), { ...note, tags: tagsOf(data) ?? [] });
    return stepDone("tags-shown", false);
  });
};

const tagsOf = (record: Json | undefined): readonly string[] | null => {
  const tags = record?.["tags"];
  return Array.isArray(tags) ? tags.filter((tag) => typeof tag === "string") : null;
};

const isSame = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((tag) => b.includes(tag));
