/** The demo as a user runs it: a process of its own, with the services of this run. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { expect, inject, onTestFinished, test } from "vitest";
import type { Result } from "../../src/demo/verdict.ts";

const PROGRAM = join(import.meta.dirname, "../../src/cli/sell-sink.mjs");

const startDemo = (...args: readonly string[]) => {
  const services = {
    SELL_SINK_KAFKA: inject("kafka"),
    SELL_SINK_REDIS: inject("redis"),
    SELL_SINK_REGISTRY: inject("registry"),
  };
  const child = spawn(process.execPath, [PROGRAM, "demo", ...args], {
    env: { ...process.env, ...services },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGTERM"));
  return child;
};

const outcomeOf = async (child: ReturnType<typeof startDemo>) => {
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { out, err, code };
};

type Printed = Result & { readonly ok: boolean; readonly problems: readonly string[] };

test("two replicas deliver Avro in bulk: equal, within the quota, in far fewer calls than changes", async () => {
  const { out, err, code } = await outcomeOf(startDemo("--json", "--changes", "200", "--replicas", "2"));
  expect({ err, code }).toEqual({ err: "", code: 0 });
  const result = JSON.parse(out) as Printed;
  expect(result).toMatchObject({ ok: true, problems: [], lag: 0, exitCodes: [0, 0] });
  expect(result).toMatchObject({ traffic: { changes: 200, throttled: 0, duplicates: 0, backward: 0 } });
  expect(result.deadLetters).toEqual([{ reason: "unknown-magic-byte", isPoison: true }]);
  expect(result.traffic.calls).toBeLessThan(100);
  expect(result.traffic.busiestWindow).toBeLessThanOrEqual(result.quota.limit);
});

test("JSON without schemas in the core dialect: equal, one record a call", async () => {
  const args = ["--json", "--changes", "40", "--dialect", "core", "--format", "json"];
  const { out, err, code } = await outcomeOf(startDemo(...args));
  expect({ err, code }).toEqual({ err: "", code: 0 });
  const { ok, deadLetters, traffic } = JSON.parse(out) as Printed;
  expect(ok).toBe(true);
  expect(deadLetters).toEqual([{ reason: "invalid-json", isPoison: true }]);
  expect(traffic.writes).toBeLessThanOrEqual(traffic.calls - traffic.reads);
});

test("changes made by SQL come through a real Debezium: Sell equals the tables", async () => {
  const { out, err, code } = await outcomeOf(startDemo("--json", "--changes", "200", "--debezium", "--format", "json"));
  expect({ err, code }).toEqual({ err: "", code: 0 });
  const result = JSON.parse(out) as Printed;
  expect(result).toMatchObject({ ok: true, problems: [], lag: 0, exitCodes: [0] });
  expect(result).toMatchObject({ traffic: { changes: 200, throttled: 0, duplicates: 0, backward: 0 } });
  expect(result.deadLetters).toEqual([{ reason: "invalid-json", isPoison: true }]);
});

test("an interrupt in the middle ends it and every process it started", async () => {
  const child = startDemo("--changes", "200");
  const outcome = outcomeOf(child);
  await lineWith(child, "✓ The connector");
  const children = await childrenOf(child.pid);
  expect(children.length).toBeGreaterThan(0);
  child.kill("SIGINT");
  expect(await outcome).toMatchObject({ code: 130, err: "Interrupted; nothing is left running.\n" });
  expect(children.filter(isAlive)).toEqual([]);
});

const lineWith = (child: ReturnType<typeof startDemo>, words: string): Promise<void> =>
  new Promise((resolve) => {
    let printed = "";
    child.stdout.on("data", (chunk) => {
      printed += String(chunk);
      if (printed.includes(words)) resolve();
    });
  });

const childrenOf = async (parent: number | undefined): Promise<number[]> => {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid="]);
  const pairs = stdout
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  return pairs.filter(([, ppid]) => ppid === parent).map(([pid = 0]) => pid);
};

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
