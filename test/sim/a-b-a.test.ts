/** The hardest sequence of all: every change but the first two looks like an older one, and what is remembered may lie. */
import { test } from "vitest";
import { FIRST_SEED, live, livesOf, timeoutOf } from "./lives.ts";

const LIVES = livesOf(1_000);

/** Showed a bug once. */
const PAST: readonly (readonly [seed: number, cure: string])[] = [
  [900_014_517, "a deletion by an id of yesterday that finds nothing asks for the key"],
];

test(`ends at A after A, B, A in ${LIVES} lives, whatever is lost in between`, {
  timeout: timeoutOf(LIVES),
}, async () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + LIVES; seed++) await live(seed, "a-b-a");
});

test.each(PAST)("ends at A in the life of seed %i: %s", async (seed) => {
  await live(seed, "a-b-a");
});
