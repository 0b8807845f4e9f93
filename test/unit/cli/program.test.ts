import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runCli } from "../../support/run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "sell-sink-cli-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CONFIG = `kafka: { brokers: ["kafka:9092"], groupId: g }
redis: { url: "redis://user:redis-pw@redis:6379" }
sell: { token: "\${SELL_TOKEN}" }
deadLetter: { topic: dead }
routes:
  - topic: customers
    format: debezium-json
    entity: accounts
    key: id
    fields: { name: company_name, owner_id: { value: 7 } }
`;

const aFile = (text: string): string => {
  const file = join(folder, "config.yaml");
  writeFileSync(file, text);
  return file;
};

const cli = (...args: readonly string[]) => runCli(args, { SELL_TOKEN: "canary-token" });

test("--help shows every command with examples and the exit codes, without colours", async () => {
  const { code, out } = await cli("--help");
  expect(code).toBe(0);
  for (const name of ["run", "validate", "sandbox", "demo", "Examples:", "Exit codes: 0 done, 1 failed, 2 wrong"]) {
    expect(out).toContain(name);
  }
  expect(out).not.toContain("\u001b");
});

test("--version is the package's version", async () => {
  expect(await cli("--version")).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});

test("a misspelt command is wrong usage and the nearest one is named", async () => {
  const { code, err } = await cli("vaildate");
  expect(code).toBe(2);
  expect(err).toContain("Did you mean validate?");
});

test.each([
  ["run"],
  ["validate"],
  ["sandbox", "--port", "99999"],
  ["validate", "--config"],
  ["validate", "-c", "x", "--odd"],
])("%s %s %s is wrong usage", async (...args) => {
  const { code, err } = await cli(...args.filter((arg) => typeof arg === "string"));
  expect(code).toBe(2);
  expect(err).toMatch(/^error: /);
});

test("validate says that a good configuration is in order", async () => {
  const file = aFile(CONFIG);
  expect(await cli("validate", "--config", file)).toEqual({
    code: 0,
    out: `${file} is in order: customers -> accounts\n`,
    err: "",
  });
});

test.each(["--print", "--json"])("validate %s shows the configuration in force without secrets", async (option) => {
  const { code, out } = await cli("validate", "-c", aFile(CONFIG), option);
  expect(code).toBe(0);
  expect(out).toContain("lingerMs");
  expect(out).toContain("***");
  expect(out).not.toMatch(/canary-token|redis-pw/);
});

test("validate --help tells its exit codes", async () => {
  const { out } = await cli("validate", "--help");
  expect(out).toContain("0 in order (warnings included), 1 a check of --online failed, 2 the configuration is wrong");
});

test("validate --online asks nobody while the configuration is wrong", async () => {
  const { code, out, err } = await cli(
    "validate",
    "--online",
    "--json",
    "-c",
    aFile(CONFIG.replace("groupId", "grupId")),
  );
  expect(code).toBe(2);
  expect(JSON.parse(out)).toMatchObject({ error: { code: "CONFIG" } });
  expect(err).toContain("kafka.grupId");
});

test.each(["validate", "run"])("%s refuses a wrong configuration with exit 2 and every problem", async (command) => {
  const file = aFile(CONFIG.replace("groupId", "grupId").replace("entity: accounts", "entity: account"));
  const { code, err } = await cli(command, "-c", file);
  expect(code).toBe(2);
  expect(err.split("\n")[0]).toBe(`${file}: 3 problems`);
  expect(err).toContain("kafka.grupId (line 1): is not a setting; did you mean groupId?");
  expect(err).toContain("routes[0].entity (line 8)");
  expect(err).not.toMatch(/\n\s+at /);
});
