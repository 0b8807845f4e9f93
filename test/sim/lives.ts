/**
 * How many lives the tests live, from which seed, and what they say when a promise is broken.
 *
 *   SIM_RUNS=5000 SIM_SEED=1 npx vitest run --project unit test/sim     seeds 1 to 5000 of each story
 *   SIM_RUNS=1 SIM_SEED=4711 npx vitest run --project unit test/sim     repeats one, with its whole story when it fails;
 *                                                                       SIM_STACK=20 adds the stacks of its errors
 */
import { expect } from "vitest";
import { type Result, type Story, World } from "./world.ts";

export const FIRST_SEED = Number(process.env.SIM_SEED ?? 1);
const MS_PER_LIFE_MAX = 500;

export const livesOf = (usual: number): number => Number(process.env.SIM_RUNS ?? usual);
export const timeoutOf = (lives: number): number => 60_000 + lives * MS_PER_LIFE_MAX;

/** One life; fails with its story when a promise is broken. */
export const live = async (seed: number, story: Story = "any"): Promise<Result> => {
  const result = await new World(seed, story).run();
  if (result.failure !== null) expect.fail(`seed ${seed} (${story}): ${result.failure}\n${result.trace.join("\n")}`);
  return result;
};
