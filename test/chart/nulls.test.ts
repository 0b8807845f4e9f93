/** `null`, which Helm takes for "remove the default": it empties what may be empty, and is refused by name for the rest. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { chartValues } from "../../src/config/chart-values.ts";
import { CHART, refusalOf, render } from "./render.ts";

const FILES = ["minimal", "everything", "keda", "openshift"].map((name) => join(CHART, `ci/${name}-values.yaml`));

type Path = readonly string[];

/** Every value that the chart has a default for; lists, and maps without declared keys, are values. */
const leaves = (value: unknown, path: Path = []): readonly (readonly [Path, unknown])[] =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
    ? Object.entries(value).flatMap(([name, child]) => leaves(child, [...path, name]))
    : [[path, value]];

const isEmpty = (value: unknown): boolean =>
  value === "" || value === null || (typeof value === "object" && Object.keys(value).length === 0);

const nulled = (paths: readonly Path[]): object => {
  const values: Record<string, unknown> = {};
  for (const path of paths) {
    let at = values;
    for (const name of path.slice(0, -1)) at = (at[name] ??= {}) as Record<string, unknown>;
    at[path.at(-1) ?? ""] = null;
  }
  return values;
};

const {
  config: _,
  credentials: __,
  ...open
} = chartValues.parse({
  config: {},
});
const all = leaves(open);
const mayBeEmpty = all.filter(([, value]) => isEmpty(value)).map(([path]) => path);
const needed = all.filter(([, value]) => !isEmpty(value)).map(([path]) => path);

test.for(FILES)("%s: null for what is empty by default changes nothing", async (file) => {
  expect(mayBeEmpty.length).toBeGreaterThan(40);
  // What the file sets itself stays set: its values come last.
  const before = await render({ files: [file] });
  expect(await render({ before: [nulled(mayBeEmpty)], files: [file] })).toEqual(before);
});

test("null for a number, a switch or a choice is refused, each by name", async () => {
  // What is inside a security context is Kubernetes' own: OpenShift needs some of it gone.
  const paths = needed.filter(([section = ""]) => !/securityContext/i.test(section));
  const refusal = await refusalOf({ files: FILES.slice(0, 1), values: nulled(paths) });
  expect(paths.length).toBeGreaterThan(40);
  expect(paths.filter((path) => !refusal.includes(`'${path.at(-1)}'`))).toEqual([]);
});

test("null for a whole section is refused, each by name", async () => {
  const sections = [...new Set(needed.map(([section = ""]) => section))];
  const refusal = await refusalOf({ files: FILES.slice(0, 1), values: nulled(sections.map((section) => [section])) });
  expect(sections.filter((section) => !refusal.includes(`'${section}'`))).toEqual([]);
});
