/** The runbooks' lines, as far as they can be tried without the cluster they are written for. */
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "./dockerfile.ts";
import { CHART, render } from "./render.ts";

const PAGES = globSync(join(ROOT, "deploy/runbooks/*.md")).toSorted();
const textOf = (path: string): string => readFileSync(path, "utf8");
const events = textOf(join(ROOT, "src/telemetry/events.ts"));

test.for(PAGES)("%s: a page is there for each link, an event for each name", (page) => {
  const text = textOf(page);
  const links = [...text.matchAll(/\]\(([a-z-]+)\.md\)/g)].map(([, name]) => name);
  const known = PAGES.map((path) => basename(path, ".md"));
  expect(links.filter((name = "") => !known.includes(name))).toEqual([]);
  const named = [
    ...text.matchAll(/`([a-z]+(?:-[a-z]+)*-(?:unreachable|failed|stalled|unknown|crashed|started|range))`/g),
  ];
  const missing = named.map(([, event = ""]) => event).filter((event) => !events.includes(`"${event}":`));
  expect(missing).toEqual([]);
});

const upgrades = PAGES.flatMap((page) => [...textOf(page).matchAll(/helm .*upgrade .*/g)].map(([line]) => line));

test("there are such lines", () => {
  expect(upgrades.length).toBeGreaterThan(1);
});

test.for(upgrades)("the chart takes: %s", async (line) => {
  const values = [...line.matchAll(/--set(?:-json)? '?([\w.]+)=(\{.*\}|[^\s']+)/g)].map(([, path = "", value = ""]) =>
    path.split(".").reduceRight<unknown>((inner, name) => ({ [name]: inner }), JSON.parse(value)),
  );
  expect(values).toHaveLength(1);
  const files = [join(CHART, "ci/production-values.yaml")];
  await expect(render({ files, values: values[0] as object })).resolves.not.toHaveLength(0);
});

test("every object and label that a page names is one that the chart makes", async () => {
  const documents = await render({ files: [join(CHART, "ci/production-values.yaml")] });
  const selectors = PAGES.flatMap((page) => [...textOf(page).matchAll(/ -l ([\w./]+)=([\w-]+)/g)]);
  const labels = documents.find(({ kind }) => kind === "Deployment").spec.template.metadata.labels;
  for (const [, label = "", value] of selectors) expect(labels[label]).toBe(value);
  expect(selectors.length).toBeGreaterThan(2);
});
