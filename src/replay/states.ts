/**
 * What has become of the records that were dead letters: read by today's routes, and compared with what is remembered of the
 * records that Sell accepted.
 */
import type { Mutation } from "../domain/mutation.ts";
import type { ConsumerRecord } from "../domain/record.ts";
import type { Decoder, EntityId, EntityStore, Mapper } from "../domain/stages.ts";
import { hasPassed } from "../window/guard.ts";
import { mutationsOf } from "../wiring/read-mutations.ts";
import type { StoredLetter } from "./letters.ts";

/**
 * `open`: nothing newer of its key was accepted · `healed`: it was, or the record itself · `unrouted`: no route reads its topic
 * any more · `unknown`: the memory is younger than the letter, or there is none.
 */
export type LetterState = "open" | "healed" | "unrouted" | "unknown";

export interface JudgedLetter extends StoredLetter {
  readonly state: LetterState;
  /** Keys in Sell that it writes; empty when today's routes cannot read it either. */
  readonly keys: readonly EntityId[];
}

export interface JudgeDeps {
  readonly decoder: Decoder;
  readonly mapper: Mapper;
  /** Null: there is none, or nothing was ever delivered. */
  readonly store: EntityStore | null;
  /** Of what was accepted before, the memory may be gone; Infinity: of all. */
  readonly completeSinceMs: number;
  readonly isRead: (topic: string) => boolean;
}

/** Same order; asks the store once. */
export const judgeLetters = async (
  letters: readonly StoredLetter[],
  deps: JudgeDeps,
  signal: AbortSignal,
): Promise<readonly JudgedLetter[]> => {
  const mutations = await Promise.all(letters.map((letter) => mutationsIn(letter, deps)));
  const ids = mutations.flat();
  const memory = deps.store === null || ids.length === 0 ? [] : await deps.store.recall(ids, signal);
  let at = 0;
  return letters.map((letter, i) => {
    const keys = mutations[i] ?? [];
    const known = memory.slice(at, (at += keys.length));
    const { origin, lastAttemptMs } = letter.letter;
    const replay = { ...origin, kind: "letter", sinceMs: lastAttemptMs } as const;
    const isHealed = keys.length > 0 && keys.every((_, key) => hasPassed(replay, known[key] ?? null));
    const unhealed = lastAttemptMs < deps.completeSinceMs ? "unknown" : "open";
    const state = !deps.isRead(origin.topic) ? "unrouted" : isHealed ? "healed" : unhealed;
    return { ...letter, state, keys: keys.map(({ entity, key }) => ({ entity, key })) };
  });
};

const mutationsIn = async ({ stored, letter }: StoredLetter, deps: JudgeDeps): Promise<readonly Mutation[]> => {
  const record: ConsumerRecord = {
    ...stored,
    position: { ...letter.origin, epoch: 0 },
    headers: letter.headers,
    timestampMs: letter.recordTimestampMs,
  };
  // A cut letter has lost its value, and must not be taken for a tombstone.
  if (letter.omitted !== "nothing") return [];
  return (await mutationsOf(record, deps)) ?? [];
};
