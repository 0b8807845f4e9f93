/** The dashboard: whole JSON, no panel over another, every query one that Prometheus can read. */
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { checkRules, hasPromtool } from "./promtool.ts";
import { queriesOf } from "./queries.ts";
import { CHART, type Manifest, one, render } from "./render.ts";

let configMap: Manifest;
let dashboard: Manifest;

beforeAll(async () => {
  configMap = one(await render({ files: [join(CHART, "ci/production-values.yaml")] }), "ConfigMap", "dashboard");
  dashboard = JSON.parse(configMap.data["sell-sink.json"]);
});

test("the sidecar's label is on it", () => {
  expect(configMap.metadata.labels).toMatchObject({ grafana_dashboard: "1" });
});

test("seven rows, no two panels in one place, every panel with a query, a unit and a title", () => {
  const panels: readonly Manifest[] = dashboard.panels;
  expect(panels.filter(({ type }) => type === "row").map(({ title }) => title)).toEqual([
    "Verdict",
    "Flow",
    "Lag",
    "Quota",
    "Sell",
    "Kafka",
    "Pods",
  ]);
  for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  for (const panel of panels.filter(({ type }) => type !== "row")) {
    expect(panel.targets.length).toBeGreaterThan(0);
    expect(panel.title).not.toBe("");
    expect(panel.fieldConfig.defaults.unit).not.toBe("");
  }
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
});

test("one can choose source, namespace, consumer group and topic", () => {
  const names = dashboard.templating.list.map(({ name }: Manifest) => name);
  expect(names.toSorted()).toEqual(["consumergroup", "datasource", "namespace", "topic"]);
});

test("pauses that Sell asked for, and the times at which calls are allowed anew, are marked in every graph", () => {
  const annotations: readonly Manifest[] = dashboard.annotations.list;
  expect(annotations.map(({ name, useValueForTime = false, enable }) => [name, useValueForTime, enable])).toEqual([
    ["Pauses asked for by Sell", false, true],
    ["Quota allows calls anew", true, true],
  ]);
  expect(annotations[1]?.expr).toContain("quota_reset_timestamp_seconds");
});

test.skipIf(!hasPromtool())("Prometheus can read every query", async () => {
  const rules = queriesOf(dashboard).map((expr, index) => ({ record: `panel:q${index}`, expr }));
  expect(rules.length).toBeGreaterThan(40);
  await checkRules({ groups: [{ name: "dashboard", rules }] });
});
