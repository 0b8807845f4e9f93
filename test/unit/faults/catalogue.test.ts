import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CATALOGUE } from "../../faults/catalogue.ts";

test.each(CATALOGUE)("$id is proved where the catalogue says: $fault", ({ proofs }) => {
  expect(proofs.length).toBeGreaterThan(0);
  for (const { file, says } of proofs) {
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
    expect(text, file).toContain(says);
  }
});
