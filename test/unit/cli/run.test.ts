/** `sell-sink run` as a process: signals, exit codes, and what it prints. Nothing listens where it wants to connect to. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "sell-sink-run-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CLOSED = "127.0.0.1:1";

const aConfig = (adminPort: number): string => {
  const file = join(folder, "config.yaml");
  writeFileSync(
    file,
    `kafka: { brokers: ["${CLOSED}"], groupId: g }
redis: { url: "redis://${CLOSED}" }
sell: { token: canary-token, baseUrl: "http://${CLOSED}" }
deadLetter: { topic: dead }
admin: { port: ${adminPort}, host: 127.0.0.1 }
routes:
  - { topic: t, format: debezium-json, entity: accounts, key: id, fields: { name: n, owner_id: { value: 7 } } }
`,
  );
  return file;
};

const start = (...args: string[]) => {
  const child = spawn(process.execPath, ["src/main.ts", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => void (printed += chunk));
  const lines = createInterface({ input: child.stdout });
  const exited = once(child, "close").then(([code]) => ({ code, printed }));
  return { child, exited, firstLine: once(lines, "line").then(([line]) => JSON.parse(line)) };
};

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s while Kafka is away ends it with 0, and no line holds the token",
  async (signal) => {
    const { child, exited, firstLine } = start("run", "--config", aConfig(0));
    expect(await firstLine).toMatchObject({ level: "warn", event: "kafka-unreachable", brokers: CLOSED });
    child.kill(signal);
    const { code, printed } = await exited;
    expect(code).toBe(0);
    expect(printed).not.toContain("canary-token");
  },
  30_000,
);

test("a taken admin port is one sentence and exit 2", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const { exited } = start("run", "--config", aConfig(port));
  expect(await exited).toEqual({
    code: 2,
    printed: `error: The admin address 127.0.0.1:${port} is not free: another process listens there; set admin.port.\n`,
  });
  other.close();
}, 30_000);
