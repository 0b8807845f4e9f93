/** Counters that must be there before anything was counted: the first increase of a new series is invisible to `rate`. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createMetrics, createRegistry } from "../../../src/telemetry/metrics.ts";

const scrape = async (): Promise<readonly string[]> => {
  const registry = createRegistry("erp", "1");
  createMetrics(registry);
  return (await registry.metrics()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
};

const valuesOf = async (metric: string, label: string): Promise<readonly string[]> =>
  (await scrape())
    .filter((line) => line.startsWith(`sell_sink_${metric}{`))
    .map((line) => new RegExp(`${label}="([^"]*)"`).exec(line)?.[1] ?? "");

test("every reason for a dead letter that the README tells exists at 0", async () => {
  const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
  const [, section = ""] = readme.split("\n### Dead letters\n");
  const table = section.split("\n### ")[0]?.matchAll(/^\| (`[^|]*) \|/gm) ?? [];
  const told = [...table].flatMap(([, cell = ""]) => [...cell.matchAll(/`([a-z-]+)`/g)].map(([, reason]) => reason));
  expect(told.length).toBeGreaterThan(15);
  expect(await valuesOf("records_dead_lettered_total", "reason")).toEqual(expect.arrayContaining(told));
});

test("what alerts count exists at 0", async () => {
  expect(await valuesOf("requests_total", "code")).toEqual(expect.arrayContaining(["200", "401", "403", "429"]));
  expect(await valuesOf("throttled_responses_total", "quota")).toEqual(["sell"]);
  expect(await valuesOf("rebalances_total", "consumergroup")).toEqual(["erp"]);
});

test("what is counted by entity, lane or topic exists at 0", async () => {
  const entities = ["accounts", "contacts", "leads", "products", "deals", "orders"];
  expect(await valuesOf("record_isolations_total", "entity")).toEqual(entities);
  expect(await valuesOf("records_parked_total", "entity")).toEqual(entities);
  expect(await valuesOf("quota_wait_seconds_count", "lane")).toEqual(["live", "backfill"]);
});

test("every series names its consumer group, and only counters end in _total", async () => {
  const lines = await scrape();
  expect(lines.filter((line) => !line.includes('consumergroup="erp"'))).toEqual([]);
  expect(lines.filter((line) => /^sell_sink_nodejs_active_\w+_total/.test(line))).toEqual([]);
});
