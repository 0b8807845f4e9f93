/** How long adopting goes on where the answer can be hoped for: a person waits. */
import { backoffMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import type { Patience } from "../lib/patiently.ts";

export interface PatienceDeps {
  readonly clock: Clock;
  readonly random: () => number;
}

/** With waits up to 2, 4, 8 ... 60 s between them: some minutes in all. */
export const someMinutes = ({ random }: Pick<PatienceDeps, "random">): Patience => ({
  tries: 8,
  waitMs: (attempt) => backoffMs(attempt, random, { floorMs: 500 }),
});
