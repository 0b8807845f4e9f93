/** Records, replies and files are matched by regular expressions: no text of theirs may hold up the process. */
import { globSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { tokenizer } from "acorn";
import { describe, expect, test } from "vitest";

// The checker as JavaScript: no other process, no Java.
process.env["RECHECK_SYNC_BACKEND"] = "pure";
const { checkSync } = await import("recheck");

const ROOT = join(import.meta.dirname, "../../..");

/** What one text may cost is bounded by something else than the pattern: says by what. */
const BOUNDED: Readonly<Record<string, string>> = {
  "\\uFFFD+$": "src/dead-letter/letter.ts cuts the text to 1,024 bytes first",
};

/** What is vulnerable shows within 100 ms; what takes longer has been tried with texts that would show it. */
const PATIENCE_MS = 200;

const patterns = globSync("src/**/*.ts", { cwd: ROOT, exclude: ["src/demo/**", "src/sandbox/**"] }).flatMap((file) => {
  const source = readFileSync(join(ROOT, file), "utf8");
  return [...tokenizer(stripTypeScriptTypes(source), { ecmaVersion: "latest", sourceType: "module" })].flatMap(
    ({ value }) =>
      typeof value === "object" && value !== null ? [{ file, ...(value as { pattern: string; flags: string }) }] : [],
  );
});
const unique = [...new Map(patterns.map((pattern) => [`/${pattern.pattern}/${pattern.flags}`, pattern]))];

/** `x{1,100}` matches no more than `x+`, and the checker proves that one instead of trying it out. */
const withoutLongCounts = (pattern: string): string => pattern.replaceAll(/\{(?:\d+,)?\d{2,}\}/g, "+");

test("the patterns are found", () => {
  expect(unique.length).toBeGreaterThan(80);
  expect(Object.keys(BOUNDED).filter((known) => !patterns.some(({ pattern }) => pattern === known))).toEqual([]);
});

describe("a pattern takes time in proportion to the text", () => {
  test.each(unique)("%s", (_, { pattern, flags }) => {
    if (pattern in BOUNDED) return;
    const { status, complexity } = checkSync(withoutLongCounts(pattern), flags, { timeout: PATIENCE_MS });
    expect([status, complexity?.summary]).not.toContain("vulnerable");
  });
});
