/** How a route stands by the notes on the board: what a person paused, and which of its brakes hold it. Pure. */
import {
  asBrake,
  asPause,
  BRAKE_KINDS,
  type BrakeKind,
  type BrakeNote,
  brakeField,
  type Note,
  pauseField,
} from "./notes.ts";

/** Records an hour; null: any number. */
export type BrakeLimits = Readonly<Record<BrakeKind, number | null>>;

export interface BrakedRoute {
  readonly name: string;
  readonly topic: string;
  readonly brake: BrakeLimits;
}

export interface Standing {
  /** Null: no person paused it. */
  readonly pause: { readonly who: string; readonly why: string; readonly sinceMs: number } | null;
  readonly trips: readonly Trip[];
}

export interface Trip {
  readonly kind: BrakeKind;
  readonly limit: number;
  /** A few of the last keys. */
  readonly samples: readonly string[];
  readonly sinceMs: number;
}

export const standingOf = (route: BrakedRoute, notes: ReadonlyMap<string, Note<unknown>>): Standing => {
  const pause = asPause(notes.get(pauseField(route.name)));
  const trips = BRAKE_KINDS.flatMap((kind): Trip[] => {
    const note = asBrake(notes.get(brakeField(kind, route.name)));
    if (note === null || !holds(note.content, route.brake[kind])) return [];
    const { limit, samples } = note.content;
    return [{ kind, limit, samples, sinceMs: note.revision }];
  });
  if (pause?.content.state !== "paused") return { pause: null, trips };
  const { who, why } = pause.content;
  return { pause: { who, why, sinceMs: pause.revision }, trips };
};

/** Whether the brake holds a route with that limit: a number that is larger than the one it tripped at is a person's word. */
export const holds = (
  note: BrakeNote | undefined,
  limit: number | null,
): note is BrakeNote & { readonly state: "tripped" } =>
  limit !== null && note?.state === "tripped" && note.limit >= limit;
