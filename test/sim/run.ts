import { World } from "./world.ts";

const [from = 1, count = 100, verbose = ""] = process.argv.slice(2).map((x, i) => (i < 2 ? Number(x) : x)) as [
  number,
  number,
  string,
];
const kinds = new Map<string, number[]>();
const guards = new Map<string, number>();
const started = performance.now();
for (let seed = from; seed < from + count; seed++) {
  const result = await new World(seed).run();
  for (const [name, n] of result.guards) guards.set(name, (guards.get(name) ?? 0) + n);
  if (result.failure !== null) {
    const kind =
      `[${result.faults.profile}] ` +
      result.failure
        .split("\n")[0]
        ?.replace(/\d+/g, "N")
        .replace(/"[xy]"/g, "S")
        .slice(0, 110);
    kinds.set(kind, [...(kinds.get(kind) ?? []), seed]);
    if (verbose) console.log(seed, result.failure, "\n" + result.trace.join("\n"));
  }
}
const tookS = (performance.now() - started) / 1000;
console.log(`${count} runs, ${(count / tookS).toFixed(0)}/s`);
for (const [kind, seeds] of [...kinds].sort((a, b) => b[1].length - a[1].length))
  console.log(seeds.length, kind, seeds.slice(0, 6).join(" "));
console.log(Object.fromEntries(guards));
