/**
 * `npm run bench:memory`: what a replica holds in memory: without a record, while Sell asks everybody to wait and a million
 * records pile up, and while it works through them inside the customer's quota. Resident memory of the process, as
 * Kubernetes counts it, read once a second; started as in the image.
 * Usage: node test/bench/memory.bench.ts [records, default 1000000] [seconds a phase, default 60]
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import Table from "cli-table3";
import { startServices } from "../../src/demo/services/services.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/index.ts";
import { Erp } from "../support/erp.ts";

const RECORDS = Number(process.argv[2] ?? 1_000_000);
const SECONDS = Number(process.argv[3] ?? 60);
const GOAL_MIB = 128;
const PARTITIONS = 8;
const QUOTA = { limit: 200, perMs: 60_000 } as const;
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
/** As the image starts it. */
const FLAGS = ["--disable-proto=delete", "--max-semi-space-size=4"];

interface Phase {
  readonly title: string;
  readonly medianMiB: number;
  readonly mostMiB: number;
}

await using services = await startServices({ want: ["kafka", "redis"], say: (line) => console.log(line) });
const folder = mkdtempSync(join(tmpdir(), "sell-sink-bench-"));
try {
  await using erp = await Erp.connect(services.kafka);
  await erp.createTopics(["empty", "full", "dead-letters"], PARTITIONS);
  await fill(erp, "full");
  const phases = [
    await phase("no record waits", "empty", () => {}),
    await phase("all wait, since Sell says so", "full", (sandbox) => sandbox.setLimit(1)),
    await phase("worked off inside the quota", "full", () => {}),
  ];
  const table = new Table({ head: ["", "median MiB", "most MiB"] });
  for (const { title, medianMiB, mostMiB } of phases) table.push([title, Math.round(medianMiB), Math.round(mostMiB)]);
  console.log(table.toString());
  console.log(
    `${RECORDS} records of 230 bytes in ${PARTITIONS} partitions, ${SECONDS} s each, ${FLAGS.join(" ")}; goal ${GOAL_MIB} MiB; Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}.`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function fill(erp: Erp, topic: string): Promise<void> {
  for (let from = 0; from < RECORDS; from += 5_000) {
    const rows = Array.from({ length: Math.min(5_000, RECORDS - from) }, (_, i) => {
      const id = from + i;
      const after = { id, name: `Customer ${id} GmbH`, email: `info@customer-${id}.example`, city: "Köln" };
      return { key: { id }, after };
    });
    await erp.write(topic, rows);
  }
}

/** A replica of its own, from its joining on. */
async function phase(title: string, topic: string, arrange: (sandbox: Sandbox) => void): Promise<Phase> {
  const clocks = { clock: systemClock, random: systemRandom };
  const rate = { windows: [{ type: "sliding-log" as const, ...QUOTA }], penaltyMs: 3_600_000 };
  const sandbox = await startSandbox({ rate }, clocks);
  const file = join(folder, `${topic}-${title.length}.json`);
  writeFileSync(file, JSON.stringify(configFor(title, topic, sandbox.url)));
  const replica = spawn(process.execPath, [...FLAGS, MAIN, "run", "--config", file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    await said(replica, "joined");
    arrange(sandbox);
    const seen: number[] = [];
    for (let second = 0; second < SECONDS; second++) {
      await systemClock.sleep(1_000);
      seen.push(residentMiB(replica));
    }
    const settled = seen.slice(Math.floor(SECONDS / 3)).sort((a, b) => a - b);
    return { title, medianMiB: settled[settled.length >> 1] ?? 0, mostMiB: Math.max(...seen) };
  } finally {
    replica.kill("SIGTERM");
    await new Promise((resolve) => replica.once("exit", resolve));
    await sandbox.close();
  }
}

function residentMiB({ pid }: ChildProcess): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;
}

function said({ stdout }: ChildProcess, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (stdout === null) return reject(new Error("the replica has no output"));
    createInterface({ input: stdout })
      .on("line", (line) => line.includes(`"event":"${event}"`) && resolve())
      .once("close", () => reject(new Error(`the replica ended without ${event}`)));
  });
}

function configFor(title: string, topic: string, baseUrl: string) {
  return {
    kafka: { brokers: [services.kafka], groupId: `memory ${title}` },
    redis: { url: services.redis },
    sell: { baseUrl, token: "bench-token-0123456789", indexLagMs: 0 },
    quota: { windows: [QUOTA] },
    deadLetter: { topic: "dead-letters" },
    admin: { port: 0, host: "127.0.0.1" },
    routes: [
      {
        ...{ topic, format: "debezium-json", entity: "accounts", key: "id", onDelete: "ignore" },
        fields: { name: "name", email: "email", "address.city": "city" },
      },
    ],
  };
}
