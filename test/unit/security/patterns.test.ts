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
  "/\\uFFFD+$/": "src/dead-letter/letter.ts cuts the text to 1,024 bytes first",
};

/** What is vulnerable shows within 100 ms; what takes longer has been tried with texts that would show it. */
const PATIENCE_MS = 200;

/** As they are written. */
const patterns = new Set(
  globSync("src/**/*.ts", { cwd: ROOT, exclude: ["src/demo/**", "src/sandbox/**"] }).flatMap((file) => {
    const script = stripTypeScriptTypes(readFileSync(join(ROOT, file), "utf8"));
    return [...tokenizer(script, { ecmaVersion: "latest", sourceType: "module" })]
      .filter(({ type }) => type.label === "regexp")
      .map(({ start, end }) => script.slice(start, end));
  }),
);

/** `x{1,100}` matches no more than `x+`, and the checker proves that one instead of trying it out. */
const withoutLongCounts = (pattern: string): string => pattern.replaceAll(/\{(?:\d+,)?\d{2,}\}/g, "+");

test("the patterns are found", () => {
  expect(patterns.size).toBeGreaterThan(80);
  expect(Object.keys(BOUNDED).filter((known) => !patterns.has(known))).toEqual([]);
});

describe("a pattern takes time in proportion to the text", () => {
  test.each([...patterns].filter((pattern) => !(pattern in BOUNDED)))("%s", (pattern) => {
    const end = pattern.lastIndexOf("/");
    const inside = withoutLongCounts(pattern.slice(1, end));
    expect(checkSync(inside, pattern.slice(end + 1), { timeout: PATIENCE_MS }).status).not.toBe("vulnerable");
  });
});
