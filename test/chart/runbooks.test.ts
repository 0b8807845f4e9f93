/** The runbooks' lines, as far as they can be tried without the cluster they are written for. */
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "./dockerfile.ts";
import { CHART, type Manifest, one, render } from "./render.ts";

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

test("every recorded series, event and setting that a page names is there", async () => {
  const all = PAGES.map(textOf).join("\n");
  const namesIn = (pattern: RegExp): readonly string[] => [
    ...new Set([...all.matchAll(pattern)].map(([, name = ""]) => name)),
  ];
  const documents = await render({ files: [join(CHART, "ci/production-values.yaml")] });
  const { groups } = one(documents, "PrometheusRule").spec;
  const recorded: readonly string[] = groups[0].rules.map(({ record }: Manifest) => record);
  const series = namesIn(/`(sell_sink:[\w:]+)`/g);
  expect(series.length).toBeGreaterThan(0);
  expect(series.filter((name) => !recorded.includes(name))).toEqual([]);

  const named = namesIn(/"event":"([a-z-]+)"/g);
  expect(named.length).toBeGreaterThan(2);
  expect(named.filter((event) => !events.includes(`${event.includes("-") ? `"${event}"` : event}:`))).toEqual([]);

  const schema = JSON.parse(textOf(join(CHART, "values.schema.json")));
  const settings = namesIn(/`((?:config|monitoring|autoscaling|resources)\.[\w.]+)`/g);
  expect(settings.length).toBeGreaterThan(5);
  expect(settings.filter((path) => !isSetting(schema, path.split(".")))).toEqual([]);
});

/** What has no properties of its own takes any, as Kubernetes has them. */
const isSetting = (schema: Manifest, [name, ...rest]: readonly string[]): boolean => {
  if (name === undefined || schema.properties === undefined) return true;
  const inner = schema.properties[name];
  return inner !== undefined && isSetting(inner, rest);
};

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
