/** The bugs stay plantable, and the simulation finds the best known of them; all of them: npm run test:planted. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { BUGS, BUGS_OF_THE_WIRE, type Patch } from "./bugs.ts";
import { patched, ROOT } from "./plant.ts";

/** Those that show within a few lives: together some seconds. */
const QUICK = ["B1", "B2", "B3 decode", "B3 deliver", "B4", "B5", "B9 merge", "B9 lock", "B13 delete", "B13 commit"];

const plantAll = (patches: readonly Patch[]): void => {
  for (const patch of patches) {
    const source = readFileSync(new URL(patch.file, ROOT), "utf8");
    expect(patched(source, patch)).not.toBe(source);
  }
};

test.each(BUGS)("$id can still be planted: $title", ({ patches }) => plantAll(patches));
test.each(Object.entries(BUGS_OF_THE_WIRE))("on the wire, too: %s", (_, patches) => plantAll(patches));

test("the simulation finds what is planted", { timeout: 120_000 }, () => {
  const run = spawnSync(process.execPath, ["test/planted/run.ts", ...QUICK], { cwd: ROOT, encoding: "utf8" });
  expect(run.stdout + run.stderr).toMatch(new RegExp(`${QUICK.length} found, 0 missed\n$`));
});
