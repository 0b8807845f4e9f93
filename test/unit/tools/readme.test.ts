import { globSync, readFileSync, statSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { REDIS_COMMANDS } from "../../../src/doctor/rights.ts";
import { createGauges } from "../../../src/telemetry/gauges.ts";
import { createMetrics, createRegistry, PREFIX } from "../../../src/telemetry/metrics.ts";
import { createSubscription } from "../../../src/telemetry/subscription.ts";

const ROOT = new URL("../../../", import.meta.url);
const file = (path: string): string => readFileSync(new URL(path, ROOT), "utf8");
const readme = file("README.md");

const section = (title: string): string => readme.split(`\n### ${title}\n`)[1]?.split("\n### ")[0] ?? "";

test("the README's whole configuration is config/example.yaml", () => {
  const [, shown = ""] = /```yaml\n(kafka:[^]*?)```/.exec(readme) ?? [];
  expect(parse(shown)).toEqual(parse(file("config/example.yaml")));
});

/** Names in the first column of the tables; `nodejs_*` stands for a family. */
const metricsIn = (text: string): readonly string[] =>
  [...text.matchAll(/^\| (.+?) +\|/gm)]
    .flatMap(([, cell = ""]) => [...cell.matchAll(/`([a-z_]+)/g)])
    .map(([, name = ""]) => name);

test("deploy/metrics.md tells the metrics that there are, and the README some of these", () => {
  const registry = createRegistry("erp", "1");
  createMetrics(registry);
  createGauges(registry);
  createSubscription(registry);
  const names = registry.getMetricsAsArray().map(({ name }) => name.slice(PREFIX.length));
  const told = metricsIn(file("deploy/metrics.md"));
  expect(told.length).toBeGreaterThan(20);
  const isOf = (name: string) => (other: string) => (other.endsWith("_") ? name.startsWith(other) : name === other);
  expect(told.filter((other) => !names.some((name) => isOf(name)(other)))).toEqual([]);
  expect(names.filter((name) => !told.some(isOf(name)))).toEqual([]);
  const first = metricsIn(section("Metrics"));
  expect(first.length).toBeGreaterThan(5);
  expect(first.filter((name) => !names.includes(name))).toEqual([]);
});

test("every picture of the README is there, says in words what it shows, and is small enough to load at once", () => {
  const pictures = [...readme.matchAll(/!\[(.*?)\]\((.*?)\)/g)].map(([, alt = "", path = ""]) => ({ alt, path }));
  expect(pictures.map(({ path }) => path).toSorted()).toEqual(
    globSync("deploy/screenshots/*.png", { cwd: ROOT }).toSorted(),
  );
  for (const { alt, path } of pictures) {
    expect(alt.length, path).toBeGreaterThan(60);
    expect(statSync(new URL(path, ROOT)).size, path).toBeLessThan(300_000);
  }
});

test("every test that the README's security section names is there", () => {
  const [, table = ""] = /## 7\. Security\n([^]*?)\n## 8/.exec(readme) ?? [];
  const named = [...table.matchAll(/^\|.*\|([^|]+)\|$/gm)].flatMap(([, cell = ""]) => [
    ...cell.matchAll(/`([\w/-]+)`/g),
  ]);
  expect(named.length).toBeGreaterThan(15);
  const isThere = (name: string): boolean =>
    globSync(`test/{,unit/}${name}{,.int}.test.ts`, { cwd: ROOT }).length === 1;
  expect(named.map(([, name = ""]) => name).filter((name) => !isThere(name))).toEqual([]);
});

test("the README's Redis user may call what the scripts call", () => {
  const scripts = globSync("src/**/*.lua", { cwd: ROOT });
  const called = scripts.flatMap((path) => [...file(path).matchAll(/redis\.call\(["'](\w+)["']/g)]);
  const allowed = new Set([...section("Redis").matchAll(/\+(\w+)/g)].map(([, command]) => command));
  expect(called.length).toBeGreaterThan(10);
  expect(called.map(([, command = ""]) => command.toLowerCase()).filter((command) => !allowed.has(command))).toEqual(
    [],
  );
});

test("doctor tries every command that the README lets the Redis user call", () => {
  const [, granted = ""] = /ACL SETUSER([\s\S]*?)redis-cli ACL/.exec(section("Redis")) ?? []; // at a server
  const allowed = [...granted.matchAll(/\+(\w+)/g)].map(([, command = ""]) => command);
  const tried = [...REDIS_COMMANDS.map(([command]) => command), "eval", "time", "info"];
  // A transaction and a script by its digest need what goes before them.
  expect(tried.toSorted()).toEqual(allowed.filter((name) => !["multi", "exec", "evalsha"].includes(name)).toSorted());
});

test("the README tells every event that is a warning or an error, and no other", () => {
  const [, observations = ""] = file("src/telemetry/observe.ts").split("const OBSERVATIONS: Observations = {");
  const parts = observations.split(/^ {2}"?([a-z-]+)"?: \{/m).slice(1);
  const loud = parts.filter((name, at) => at % 2 === 0 && /\b(warn|error)\b[(;,:\s]/.test(parts[at + 1] ?? ""));
  const told = [...section("Log events that want you").matchAll(/`([a-z]+(?:-[a-z]+)*)`/g)].map(([, name]) => name);
  expect(loud.length).toBeGreaterThan(20);
  expect(told.filter((name) => name !== "event").toSorted()).toEqual(loud.toSorted());
});
