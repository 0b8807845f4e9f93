/**
 * The simulation at length, with lives that nobody has seen yet, and the memory it keeps: a leak of one small object a life
 * shows.
 *
 *   npm run test:soak                                 20,000 lives from a seed of chance, which it prints
 *   SIM_RUNS=5000 SIM_SEED=4711 npm run test:soak     5,000 lives from seed 4711
 */
import { randomInt } from "node:crypto";
import { stdout } from "node:process";
import { type Story, World } from "./world.ts";

const RUNS = Number(process.env.SIM_RUNS ?? 20_000);
const FIRST_SEED = Number(process.env.SIM_SEED ?? randomInt(1_000_000_000));
const SAMPLES = 30;
/** Over all lives: what a collection leaves differs by some hundred kilobytes from one time to the next. */
const GROWTH_MAX = 2 * 2 ** 20;

interface Sample {
  readonly lives: number;
  readonly bytes: number;
}

const STORIES: readonly Story[] = ["a-b-a", "any", "people"];

const storyOf = (seed: number): Story => STORIES[seed % STORIES.length] ?? "any";

const main = async (): Promise<number> => {
  stdout.write(`${RUNS} lives from seed ${FIRST_SEED}\n`);
  const startedMs = performance.now();
  const samples: Sample[] = [];
  for (let lives = 1; lives <= RUNS; lives++) {
    const seed = FIRST_SEED + lives - 1;
    const { failure, trace } = await new World(seed, storyOf(seed)).run();
    if (failure !== null) {
      stdout.write(`seed ${seed} (${storyOf(seed)}): ${failure}\n${trace.join("\n")}\n`);
      return 1;
    }
    if (lives % Math.ceil(RUNS / SAMPLES) === 0) samples.push({ lives, bytes: retained() });
  }
  const perSecond = RUNS / ((performance.now() - startedMs) / 1_000);
  stdout.write(`${RUNS} lives kept every promise, ${perSecond.toFixed(0)} a second\n`);
  return judgeMemory(samples);
};

const kib = (bytes: number): string => (bytes / 1_024).toFixed(0);

const retained = (): number => {
  if (globalThis.gc === undefined) throw new Error("run it by npm run test:soak: it needs node --expose-gc");
  globalThis.gc();
  return process.memoryUsage().heapUsed;
};

/** The first third is left out: caches fill and code is compiled. */
const judgeMemory = (samples: readonly Sample[]): number => {
  const growth = RUNS * medianSlope(samples.slice(samples.length / 3));
  const [last] = samples.slice(-1);
  stdout.write(
    `${kib(last?.bytes ?? 0)} KiB kept at the end, grown by ${kib(growth)} KiB (at most ${kib(GROWTH_MAX)})\n`,
  );
  return growth <= GROWTH_MAX ? 0 : 1;
};

/** Theil and Sen: the median of the slopes between any two, which no single odd sample can bend. */
const medianSlope = (samples: readonly Sample[]): number => {
  const slopes = samples
    .flatMap((a, i) => samples.slice(i + 1).map((b) => (b.bytes - a.bytes) / (b.lives - a.lives)))
    .sort((a, b) => a - b);
  return slopes[Math.floor(slopes.length / 2)] ?? Number.POSITIVE_INFINITY;
};

process.exitCode = await main();
