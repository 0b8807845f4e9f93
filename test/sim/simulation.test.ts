/**
 * Thousands of short lives of the whole pipeline core under a virtual clock: see world.ts.
 *
 *   SIM_RUNS=5000 SIM_SEED=1 npx vitest run --project unit test/sim     runs seeds 1 to 5000
 *   SIM_RUNS=1 SIM_SEED=4711 npx vitest run --project unit test/sim     repeats one, with its whole story when it fails
 */
import { expect, test } from "vitest";
import { type Result, World } from "./world.ts";

const RUNS = Number(process.env.SIM_RUNS ?? 300);
const FIRST_SEED = Number(process.env.SIM_SEED ?? 1);
const A_B_A_RUNS = Math.ceil(RUNS / 3);
const MS_PER_RUN_MAX = 500;

/** Without these a green run proves nothing. */
const MUST_HAPPEN = [
  ...["kill", "freeze", "crash", "restart", "grow", "shrink", "rebalance"],
  ...["redis-down", "redis-forgets", "redis-fails-over", "dead-letters-down", "dead letter refused"],
  ...[
    "unknown outcome, applied",
    "unknown outcome, lost",
    "unknown outcome, late",
    "late apply of a process that is gone",
  ],
  ...["throttle", "halt", "refused batch", "commit-refused", "late-wait"],
  ...["no-op", "stale-skipped", "reference-parked", "permit-unused"],
];

/** Each seed showed a bug once, and most do so again when the cure named here is taken out. */
const PAST: readonly (readonly [seed: number, cure: string])[] = [
  [85, "a body that may create is repeated only when the one before would be found"],
  [428, "a forgotten entry takes nothing along"],
  [451, "a join that begins while a mark is stored keeps sends frozen"],
  [563, "behind a partly settled record everything comes again"],
  [623, "the watermark steps over what an earlier owner settled"],
  [637, "a hand-over awaits dead letters"],
  [803, "a change merged with a doubtful one is doubtful"],
  [1441, "a doubtful record that is remembered as deleted is looked up"],
  [1659, "a frozen process prepares no record"],
  [2012, "what another Redis remembers as deleted is looked up"],
  [3408, "a partition that another member had in between is read again"],
  [4343, "a deletion that finds nothing settles all that it stands for"],
];

const story = ({ seed, failure, trace }: Result): string => `seed ${seed}: ${failure}\n${trace.join("\n")}`;

test(`holds its promises in ${RUNS} lives from seed ${FIRST_SEED}`, {
  timeout: 60_000 + RUNS * MS_PER_RUN_MAX,
}, async () => {
  const happened = new Set<string>();
  for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
    const result = await new World(seed).run();
    if (result.failure !== null) expect.fail(story(result));
    for (const what of result.guards.keys()) happened.add(what);
  }
  if (RUNS >= 300) expect([...happened]).toEqual(expect.arrayContaining(MUST_HAPPEN));
});

test(`ends at A after A, B, A in ${A_B_A_RUNS} lives, whatever is lost in between`, {
  timeout: 60_000 + RUNS * MS_PER_RUN_MAX,
}, async () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + A_B_A_RUNS; seed++) {
    const result = await new World(seed, "a-b-a").run();
    if (result.failure !== null) expect.fail(story(result));
  }
});

test.each(PAST)("holds them in the life of seed %i: %s", async (seed) => {
  const result = await new World(seed).run();
  if (result.failure !== null) expect.fail(story(result));
});

test("the same seed gives the same life", async () => {
  const [one, other] = [await new World(7).run(), await new World(7).run()];
  expect(one.trace).toEqual(other.trace);
});
