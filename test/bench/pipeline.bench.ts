/**
 * `npm run bench`: what a change costs through the whole pipeline (real Kafka and Redis, JSON without schema, bulk sandbox
 * in another process, no quota), beside a bare consumer of the same records in the same run.
 * Usage: node test/bench/pipeline.bench.ts [changes, default 100000] [rounds, default 3]
 */
import { fork } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import Table from "cli-table3";
import { startServices } from "../../src/demo/services/services.ts";
import { Erp } from "../support/erp.ts";
import type { Figures } from "./pipeline-arm.ts";

const COUNT = Number(process.argv[2] ?? 100_000);
const ROUNDS = Number(process.argv[3] ?? 3);
const ARM = new URL("./pipeline-arm.ts", import.meta.url);
const SANDBOX = new URL("./sandbox-arm.ts", import.meta.url);

const arm = (...args: string[]): Promise<Figures> =>
  new Promise((resolve, reject) => {
    const child = fork(ARM, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    let figures: Figures | null = null;
    child.once("message", (message) => {
      figures = message as Figures;
    });
    child.once("exit", (code) =>
      figures === null ? reject(new Error(`${args[0]} ended with ${code}`)) : resolve(figures),
    );
  });

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

await using services = await startServices({ want: ["kafka", "redis"], say: (line) => console.log(line) });
const sandbox = fork(SANDBOX, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
const sandboxUrl = await new Promise<string>((resolve) => sandbox.once("message", (url) => resolve(String(url))));
const folder = mkdtempSync(join(tmpdir(), "sell-sink-bench-"));
try {
  await using erp = await Erp.connect(services.kafka);
  const topic = "erp.customers";
  await erp.createTopics([topic, "dead-letters"], 4);
  for (let from = 0; from < COUNT; from += 1_000) {
    const rows = Array.from({ length: Math.min(1_000, COUNT - from) }, (_, i) => {
      const id = from + i;
      const after = {
        id,
        name: `Customer ${id} GmbH`,
        email: `info@customer-${id}.example`,
        city: "Köln",
        credit_limit: "1250.00",
      };
      return { key: { id }, after };
    });
    await erp.write(topic, rows);
  }
  const runs: Record<"connector" | "bare", Figures[]> = { connector: [], bare: [] };
  for (let round = 0; round < ROUNDS; round++) {
    const file = join(folder, `round-${round}.json`);
    writeFileSync(file, JSON.stringify(configFor(round, topic, services, sandboxUrl)));
    runs.connector.push(await arm("connector", file, String(COUNT)));
    runs.bare.push(await arm("bare", services.kafka, topic, String(COUNT)));
  }
  const table = new Table({ head: ["", "CPU s per 100,000", "changes/s a core", "changes/s", "peak MiB"] });
  const row = (name: string, figures: readonly Figures[]): number => {
    const cpu = (median(figures.map(({ cpuS }) => cpuS)) * 100_000) / COUNT;
    const rate = COUNT / median(figures.map(({ wallS }) => wallS));
    const peak = median(figures.map(({ peakMiB }) => peakMiB));
    table.push([name, cpu.toFixed(2), Math.round(100_000 / cpu), Math.round(rate), Math.round(peak)]);
    return cpu;
  };
  const ours = row("sell-sink, whole pipeline", runs.connector);
  const floor = row("bare kafkajs consumer", runs.bare);
  console.log(table.toString());
  console.log(`ratio ${(ours / floor).toFixed(1)}; goal 2.5 CPU s per 100,000 (40,000 changes/s a core).`);
  console.log(
    `${COUNT} creations, debezium-json without schema, 4 partitions, Redis gate and store, no quota, median of ${ROUNDS}; Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}.`,
  );
} finally {
  sandbox.kill();
  rmSync(folder, { recursive: true, force: true });
}

function configFor(round: number, topic: string, { kafka, redis }: { kafka: string; redis: string }, baseUrl: string) {
  return {
    kafka: { brokers: [kafka], groupId: `bench-${round}` },
    redis: { url: redis },
    sell: { baseUrl, token: "bench-token-0123456789", indexLagMs: 0 },
    quota: { profile: "none" },
    batch: { lingerMs: 50 },
    deadLetter: { topic: "dead-letters" },
    admin: { port: 0, host: "127.0.0.1" },
    routes: [
      {
        topic,
        format: "debezium-json",
        entity: "accounts",
        key: "id",
        hints: { credit_limit: "text" },
        fields: {
          name: "name",
          email: { from: "email", transform: "lowercase" },
          "address.city": "city",
          "custom_fields.credit_limit": { from: "credit_limit", as: "decimal(2)" },
        },
        onDelete: "ignore",
      },
    ],
  };
}
