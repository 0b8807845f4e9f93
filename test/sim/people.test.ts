/** Lives in which people pause, skip and accept while everything else goes wrong, too. */
import { expect, test } from "vitest";
import { FIRST_SEED, live, livesOf, timeoutOf } from "./lives.ts";

const LIVES = livesOf(200);

/** Showed a bug once. */
const PAST: readonly (readonly [seed: number, cure: string])[] = [
  [54_127, "an id that was found some time ago may be one of yesterday, too"],
  [91_693, "what an owner before may have written is doubted when it is taken away"],
];

const MUST_HAPPEN = ["route-paused", "route-resumed", "brake-engaged", "brake-released", "skip", "taken away"];

test(`whatever people say in ${LIVES} lives, the promises hold`, { timeout: timeoutOf(LIVES) }, async () => {
  const happened = new Set<string>();
  for (let seed = FIRST_SEED; seed < FIRST_SEED + LIVES; seed++)
    for (const what of (await live(seed, "people")).guards.keys()) happened.add(what);
  if (LIVES >= 200) expect([...happened]).toEqual(expect.arrayContaining(MUST_HAPPEN));
});

test.each(PAST)("the promises hold in the life of seed %i: %s", async (seed) => {
  await live(seed, "people");
});
