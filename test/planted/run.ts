/**
 * Plants each bug in turn and lives until the simulation finds it. Fails when one is not found, or shows as something else.
 *
 *   npm run test:planted                  all of them
 *   npm run test:planted -- B2 "B9 lock"  some of them
 */
import { stdout } from "node:process";
import type { Result, World } from "../sim/world.ts";
import { BUGS, type Bug } from "./bugs.ts";
import { plant, ROOT } from "./plant.ts";

/** All bugs show within a third of them today. */
const LIVES_MAX = 1_000;

const simulationWith = async ({ id }: Bug): Promise<{ readonly World: typeof World }> => {
  const url = new URL("test/sim/world.ts", ROOT);
  url.searchParams.set("planted", id);
  return import(url.href);
};

const firstFailure = async (bug: Bug): Promise<Result | null> => {
  const { World: Planted } = await simulationWith(bug);
  const known = bug.seed === undefined ? [] : [bug.seed];
  for (const seed of [...known, ...Array.from({ length: LIVES_MAX }, (_, i) => i + 1)]) {
    const result = await new Planted(seed, bug.story).run();
    if (result.failure !== null) return result;
  }
  return null;
};

const verdict = ({ shows }: Bug, result: Result | null): { readonly isFound: boolean; readonly told: string } => {
  if (result === null) return { isFound: false, told: `no life of ${LIVES_MAX} showed it` };
  const isFound = shows.test(result.failure ?? "");
  const told = `seed ${result.seed}: ${result.failure?.split("\n")[0]}`;
  return { isFound, told: isFound ? told : `${told}, which is not ${shows}` };
};

const main = async (names: readonly string[]): Promise<number> => {
  const wanted = names.length === 0 ? BUGS : BUGS.filter(({ id }) => names.includes(id));
  plant(BUGS);
  let found = 0;
  for (const bug of wanted) {
    const { isFound, told } = verdict(bug, await firstFailure(bug));
    if (isFound) found += 1;
    stdout.write(`${isFound ? "found " : "MISSED"} ${bug.id}: ${bug.title}\n       ${told}\n`);
  }
  stdout.write(`${found} found, ${wanted.length - found} missed\n`);
  return found > 0 && found === wanted.length ? 0 : 1;
};

process.exitCode = await main(process.argv.slice(2));
