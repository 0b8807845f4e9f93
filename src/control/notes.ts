/**
 * What stands on the board: a note a field. Its revision is when it was written, in milliseconds since 1970 by Redis's clock,
 * and of two notes the one with the higher revision is the newer. Nothing is ever taken back but by a newer note, except for
 * skips, which live for minutes only.
 */
import { z } from "zod";
import { namedPosition, positionName, type TopicPartition } from "../domain/record.ts";

export interface Note<C> {
  readonly revision: number;
  readonly content: C;
}

const pause = z.discriminatedUnion("state", [
  z.object({ state: z.literal("paused"), who: z.string(), why: z.string() }),
  z.object({ state: z.literal("resumed"), who: z.string() }),
]);

const brake = z.discriminatedUnion("state", [
  /** Beyond `limit` an hour; samples are a few of the last keys. */
  z.object({ state: z.literal("tripped"), limit: z.number(), samples: z.array(z.string()) }),
  /** A person takes so many an hour, for a while; null: any number. */
  z.object({ state: z.literal("accepted"), limit: z.number().nullable(), who: z.string() }),
]);

/**
 * What became of a skip. `done` it is in the dead letters; `settled` it does not wait any more; `ahead` it was not read yet;
 * `busy` it is on the wire, or its dead letter cannot be written; `moved` its partition has another owner now.
 */
const SKIP_ANSWERS = ["done", "settled", "ahead", "busy", "moved"] as const;
export type SkipAnswer = (typeof SKIP_ANSWERS)[number];

const skip = z.discriminatedUnion("state", [
  z.object({ state: z.literal("asked"), who: z.string(), why: z.string() }),
  z.object({ state: z.literal("taken"), by: z.string() }),
  z.object({ state: z.literal("told"), by: z.string(), answer: z.enum(SKIP_ANSWERS) }),
]);

export type PauseNote = z.infer<typeof pause>;
export type BrakeNote = z.infer<typeof brake>;
export type SkipNote = z.infer<typeof skip>;

/** What a brake counts. */
export const BRAKE_KINDS = ["deletions", "creations"] as const;
export type BrakeKind = (typeof BRAKE_KINDS)[number];

/** A skip is taken up within this time or never, and tried for as long again. */
export const SKIP_LIFE_MS = 15_000;

export type SkipPlace = TopicPartition & { readonly offset: bigint };

export const pauseField = (route: string): string => `pause ${route}`;
export const brakeField = (kind: BrakeKind, route: string): string => `brake ${kind} ${route}`;
export const skipField = (place: SkipPlace): string => `skip ${positionName(place)}`;

/** Null for the field of another note. */
export const skippedPlace = (field: string): SkipPlace | null =>
  field.startsWith("skip ") ? namedPosition(field.slice("skip ".length)) : null;

/** The note as the board keeps it; null for a text that no version of ours would have written. */
export const readNote = (text: string): Note<unknown> | null => {
  const [, revision, json] = /^(\d{1,15}) (.*)$/s.exec(text) ?? [];
  if (revision === undefined || json === undefined) return null;
  try {
    return { revision: Number(revision), content: JSON.parse(json) };
  } catch {
    return null;
  }
};

const as =
  <S extends z.ZodType>(schema: S) =>
  (note: Note<unknown> | undefined): Note<z.infer<S>> | null => {
    const parsed = schema.safeParse(note?.content);
    return note === undefined || !parsed.success ? null : { revision: note.revision, content: parsed.data };
  };

export const asPause = as(pause);
export const asBrake = as(brake);
export const asSkip = as(skip);
