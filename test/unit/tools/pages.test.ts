/** Every page a person reads: its links lead somewhere, its tables are tables, its names are those of the example. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";

const ROOT = join(import.meta.dirname, "../../..");
const PAGES = globSync(["*.md", "config/*.md", "deploy/**/*.md"], { cwd: ROOT }).toSorted();
const textOf = (page: string): string => readFileSync(join(ROOT, page), "utf8");
const withoutCode = (text: string): string => text.replaceAll(/^ *```[^]*?^ *```$/gm, "").replaceAll(/`[^`\n]*`/g, "");

/** As GitHub makes it of a heading. */
const anchorsOf = (page: string): ReadonlySet<string> =>
  new Set(
    [...textOf(page).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );

test("the pages are there", () => {
  expect(PAGES).toEqual(expect.arrayContaining(["README.md", "CHANGELOG.md", "deploy/helm/README.md"]));
  expect(PAGES.length).toBeGreaterThan(20);
});

describe.each(PAGES)("%s", (page) => {
  const text = textOf(page);

  test("each link leads to a file, and to a heading in it", () => {
    const links = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
    const broken = links.filter((link) => {
      if (link.startsWith("https://")) return false;
      const [path = "", anchor] = link.split("#", 2);
      const file = path === "" ? page : join(dirname(page), path);
      return !existsSync(join(ROOT, file)) || (anchor !== undefined && !anchorsOf(file).has(anchor));
    });
    expect(broken).toEqual([]);
  });

  test("each row of a table has as many cells as its head", () => {
    const cellsOf = (row: string): number => row.replaceAll(/\\\||`[^`]*`/g, "").split("|").length;
    const tables = withoutCode(text).match(/^\|.*\|$(\n^\|.*\|$)*/gm) ?? [];
    for (const table of tables) {
      const rows = table.split("\n");
      expect(rows.filter((row) => cellsOf(row) !== cellsOf(rows[0] ?? ""))).toEqual([]);
    }
  });

  test("each block of code is closed, and names no place of ours", () => {
    expect((text.match(/^ *```/gm)?.length ?? 0) % 2).toBe(0);
    expect(text).not.toMatch(/\/(root|home|work|tmp)\/|localhost:4873/);
  });
});

test("the routes that commands name are those of the example", () => {
  const { routes } = parse(textOf("config/example.yaml")) as { routes: readonly { name?: string }[] };
  const named = PAGES.flatMap((page) => [
    ...textOf(page).matchAll(
      /sell-sink (?:pause|resume|adopt|resync)\b(?:[^\n`]*? --route| -c config\.yaml)? ([a-z]+)\b/g,
    ),
  ]).map(([, name = ""]) => name);
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((name) => !routes.some((route) => route.name === name))).toEqual([]);
});
