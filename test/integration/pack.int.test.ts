/** The published package: packed, installed into an empty folder and started there, as a user would. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import getPort from "get-port";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../support/until.ts";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

let folder = "";
let files: readonly string[] = [];

const sellSink = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  run("npx", ["--no-install", "sell-sink", ...args], { cwd: folder, env: { ...process.env, ...env } });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sell-sink-pack-"));
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", folder], { cwd: root });
  // The scripts of the package print before the JSON does.
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf("[\n"))) as [Packed];
  files = packed.files.map(({ path }) => path);
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true }));
  const quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--loglevel=error"];
  await run("npm", ["install", join(folder, packed.filename), ...quiet], { cwd: folder });
}, 300_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

test("the package holds what runs and what a user reads, and nothing else", () => {
  for (const path of ["dist/main.js", "dist/cli/sell-sink.mjs", "config/example.yaml", "LICENSE", "README.md"]) {
    expect(files).toContain(path);
  }
  expect(files.filter((path) => path.endsWith(".lua")).length).toBeGreaterThan(0);
  expect(files.filter((path) => path.endsWith(".ts") || /^(src|test|\.)/.test(path))).toEqual([]);
});

test("npx sell-sink --help runs", async () => {
  const { stdout, stderr } = await sellSink(["--help"]);
  expect(stdout).toContain("Usage: sell-sink");
  expect(stderr).toBe("");
});

test("it knows its version", async () => {
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  expect((await sellSink(["--version"])).stdout).toBe(`${version}\n`);
});

test("it validates the example that comes along", async () => {
  const example = join(folder, "node_modules/sell-sink/config/example.yaml");
  const { stdout } = await sellSink(["validate", "--config", example], { SELL_TOKEN: "token" });
  expect(stdout).toContain("is in order");
});

test("it serves its status page, with the plotting library of the installed packages, while it waits for Kafka", async () => {
  const [port, nobody] = [await getPort(), await getPort()];
  const config = await readFile(join(root, "config/example.yaml"), "utf8");
  const file = join(folder, "config.yaml");
  await writeFile(file, config.replace("kafka:9092", `127.0.0.1:${nobody}`).replace("port: 8080", `port: ${port}`));
  const stop = new AbortController();
  const { signal } = stop;
  const env = { ...process.env, SELL_TOKEN: "token" };
  const sellSinkMain = join(folder, "node_modules/sell-sink/dist/cli/sell-sink.mjs");
  const running = run(process.execPath, [sellSinkMain, "run", "--config", file], { env, signal }).catch(() => {});
  const read = async (path: string): Promise<string> => (await fetch(`http://127.0.0.1:${port}${path}`)).text();
  try {
    await until(async () => (await read("/").catch(() => "")).startsWith("<!doctype html>"), "the page is served");
    expect(await read("/page/uplot.js")).toContain("uPlot");
    expect(await read("/page/page.mjs")).toContain("/status");
    expect(JSON.parse(await read("/status")).verdict.sentence).toBe("Not delivering: waiting for Kafka.");
  } finally {
    stop.abort();
    await running;
  }
});

test("wrong usage is exit 2 through every launcher in between", async () => {
  await expect(sellSink(["validate"])).rejects.toMatchObject({ code: 2 });
});
