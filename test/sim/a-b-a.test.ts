/** The hardest sequence of all: every change but the first two looks like an older one, and what is remembered may lie. */
import { test } from "vitest";
import { FIRST_SEED, live, livesOf, timeoutOf } from "./lives.ts";

const LIVES = livesOf(1_000);

test(`ends at A after A, B, A in ${LIVES} lives, whatever is lost in between`, {
  timeout: timeoutOf(LIVES),
}, async () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + LIVES; seed++) await live(seed, "a-b-a");
});
