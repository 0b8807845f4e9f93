import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { type Loaded, loadConfig } from "../../../src/config/load.ts";
import { problemLines } from "../../../src/config/problem.ts";

const folder = mkdtempSync(join(tmpdir(), "sell-sink-config-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ENV = { SELL_TOKEN: "canary-token" };

const aConfig = (overrides: Record<string, unknown> = {}): Record<string, unknown> => ({
  kafka: { brokers: ["kafka:9092"], groupId: "sell-sink" },
  redis: { url: "redis://redis:6379" },
  sell: { token: "${SELL_TOKEN}" },
  deadLetter: { topic: "dead" },
  routes: [aRoute()],
  ...overrides,
});

const aRoute = (overrides: Record<string, unknown> = {}): Record<string, unknown> => ({
  topic: "customers",
  format: "debezium-json",
  entity: "accounts",
  key: "id",
  fields: { name: "company_name", owner_id: { value: 7, write: "onCreate" } },
  ...overrides,
});

const loadText = (text: string, env: Record<string, string> = ENV): Loaded => {
  const file = join(folder, "config.yaml");
  writeFileSync(file, text);
  return loadConfig(file, env);
};

const load = (config: unknown, env?: Record<string, string>): Loaded => loadText(stringify(config), env);

const problemsOf = (loaded: Loaded): string[] => (loaded.status === "refused" ? problemLines(loaded.problems) : []);

test("a small configuration is complete by its defaults", () => {
  const loaded = load(aConfig());
  expect(problemsOf(loaded)).toEqual([]);
  if (loaded.status !== "ok") throw new Error("refused");
  expect(loaded.config).toMatchObject({
    sell: { token: "canary-token", timeoutMs: 6_000, dialect: "auto" },
    batch: { maxItems: 50, lingerMs: 1_000 },
    window: { maxRecords: 20_000, maxBytes: 67_108_864, maxSpan: 20_000 },
    admin: { port: 8080 },
    log: { level: "info" },
  });
});

test("all problems are told at once, each with path, line and next step", () => {
  const text = `kafka: { brokerz: ["kafka:9092"], groupId: g, heartbeatIntervalMs: 9000 }
sell:
  token: \${SELL_TOKEN}
  timeoutMs: 9000
batch: { maxItems: 500 }
adminn: { port: 1 }
redis: { url: "redis://r" }
deadLetter: { topic: dead }
routes:
  - topic: customers
    format: debezium-json
    entity: accounts
    key: id
    fields: { email: { frm: mail } }
`;
  const lines = problemsOf(loadText(text, {}));
  expect(lines).toEqual([
    expect.stringMatching(/^kafka\.brokers \(line 1\): is missing\. Bootstrap brokers/),
    expect.stringMatching(/^kafka\.brokerz \(line 1\): is not a setting; did you mean brokers\?$/),
    expect.stringMatching(/^sell\.token \(line 3\): the environment does not set SELL_TOKEN/),
    expect.stringMatching(/^sell\.timeoutMs \(line 4\): 9000 is too long.* set 6000 or less\.$/),
    expect.stringMatching(/^batch\.maxItems \(line 5\): too big/),
    expect.stringMatching(/^adminn \(line 6\): is not a setting; did you mean admin\?$/),
    expect.stringMatching(/^routes\[0\]\.fields\.email\.from \(line 14\): is missing/),
    expect.stringMatching(/^routes\[0\]\.fields\.email\.frm \(line 14\): is not a setting; did you mean from\?$/),
  ]);
});

test("of several forms the one that was most likely meant is told", () => {
  const fields = { contact_id: { ref: "accounts", keyy: "customer_id" } };
  const lines = problemsOf(load(aConfig({ routes: [aRoute({ entity: "deals", fields })] })));
  expect(lines).toEqual([
    expect.stringMatching(/^routes\[0\]\.fields\.contact_id\.key .*: is missing/),
    expect.stringMatching(/^routes\[0\]\.fields\.contact_id\.keyy .*: is not a setting; did you mean key\?$/),
  ]);
});

test("cross-field rules run although another section is wrong", () => {
  const kafka = { brokers: ["k:1"], groupId: "g", sessionTimeoutMs: 3_000 };
  const quota = { windows: [{ limit: 10, perMs: 1_000 }], reserve: 10 };
  const lines = problemsOf(load(aConfig({ kafka, quota, batch: { maxItems: 0 } })));
  expect(lines).toContainEqual(expect.stringMatching(/^kafka\.sessionTimeoutMs .*: 3000 is too short/));
  expect(lines).toContainEqual(expect.stringMatching(/^quota\.reserve .* leaves 0 calls/));
  expect(lines).toContainEqual(expect.stringMatching(/^batch\.maxItems/));
});

test.each([
  [
    "a heartbeat that does not fit three times",
    { kafka: { brokers: ["k:1"], groupId: "g", heartbeatIntervalMs: 7_000 } },
    "kafka.heartbeatIntervalMs",
  ],
  [
    "a rebalance shorter than a drain",
    { kafka: { brokers: ["k:1"], groupId: "g", rebalanceTimeoutMs: 5_000 } },
    "kafka.rebalanceTimeoutMs",
  ],
  ["a late apply shorter than the time-out", { sell: { token: "t", lateApplyMaxMs: 1_000 } }, "sell.lateApplyMaxMs"],
  [
    "a job that may be worked on for longer than a late apply",
    { sell: { token: "t", asyncJobs: true, jobTimeoutMs: 30_000 } },
    "sell.lateApplyMaxMs",
  ],
  ["an Avro topic without a registry", { routes: [aRoute({ format: "debezium-avro" })] }, "routes[0].format"],
  ["a dead-letter topic that is read", { routes: [aRoute({ topic: "dead" })] }, "routes[0].topic"],
  ["a field that the entity does not have", { routes: [aRoute({ fields: { naem: "x" } })] }, "routes[0].fields.naem"],
  [
    "two routes that disagree about their topic",
    { routes: [aRoute(), aRoute({ entity: "contacts", fields: { last_name: "n" }, startFrom: "latest" })] },
    "routes[1].startFrom",
  ],
])("%s is refused", (_, overrides, path) => {
  expect(problemsOf(load(aConfig(overrides)))).toContainEqual(expect.stringContaining(`${path} (line`));
});

test("without Redis one replica may run, and a warning says so", () => {
  const loaded = load(aConfig({ redis: undefined }));
  expect(loaded.status).toBe("ok");
  expect(problemLines(loaded.warnings)).toContainEqual(expect.stringContaining("only one replica"));
});

test("a template keeps its columns, other texts get the environment", () => {
  const env = { ...ENV, id: "wrong", GROUP: "g1" };
  const [group, template] = ["erp-${GROUP}", "C-${id}"];
  const loaded = load(
    aConfig({ kafka: { brokers: ["k:1"], groupId: group }, routes: [aRoute({ key: { template } })] }),
    env,
  );
  if (loaded.status !== "ok") throw new Error(problemsOf(loaded).join());
  expect(loaded.config.kafka.groupId).toBe("erp-g1");
  expect(loaded.config.routes[0]?.key).toEqual({ template });
});

test("a secret is read from its file, Sell's token stays a reference because its stage reads it again", () => {
  const file = join(folder, "secret");
  writeFileSync(file, "s3cret\n");
  const loaded = load(
    aConfig({ sell: { token: `file:${file}` }, redis: { url: "redis://r", password: `file:${file}` } }),
  );
  if (loaded.status !== "ok") throw new Error(problemsOf(loaded).join());
  expect(loaded.config.redis?.password).toBe("s3cret");
  expect(loaded.config.sell.token).toBe(`file:${file}`);
});

test("a secret file that is missing or empty is a problem that names it", () => {
  const empty = join(folder, "empty");
  writeFileSync(empty, "\n");
  expect(problemsOf(load(aConfig({ sell: { token: `file:${empty}` } })))).toEqual([
    expect.stringMatching(/^sell\.token .*: the file .*empty is empty/),
  ]);
  expect(problemsOf(load(aConfig({ sell: { token: "file:/nowhere/token" } })))).toEqual([
    expect.stringMatching(/^sell\.token .*: the file \/nowhere\/token cannot be read/),
  ]);
});

test("broken YAML, a doubled key, an empty and a missing file each give a sentence", () => {
  expect(problemsOf(loadText("kafka: [1,\nsell: {"))[0]).toMatch(/^\(line \d\): this is not valid YAML/);
  // What the parser makes of the rest of the file is noise.
  expect(problemsOf(loadText("a: 1\nsell: { token: ${SELL_TOKEN}, keyField: id }\nquota: { profile: none }"))).toEqual([
    expect.stringMatching(
      /^\(line 2\): this is not valid YAML: .*; inside \{ \} write "\$\{NAME\}" with its quotes\.$/,
    ),
  ]);
  expect(problemsOf(loadText("kafka: {}\nkafka: {}"))[0]).toMatch(/^\(line 2\): .*unique/);
  expect(problemsOf(loadText(""))).toContainEqual(expect.stringMatching(/^kafka \(line 1\): is missing/));
  expect(problemsOf(loadText("- 1"))[0]).toMatch(/must be object, not array/);
  expect(problemsOf(loadConfig("/nowhere.yaml", {}))[0]).toMatch(/^\/nowhere\.yaml cannot be read .* --config/);
});

test("whatever the file says, loading never throws and no problem holds a secret", () => {
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom("canary-token", "file:/nowhere", null));
  const section = fc.constantFrom("kafka", "sell", "quota", "routes", "redis", "batch", "log", "odd");
  fc.assert(
    fc.property(section, value, (name, junk) => {
      const loaded = load(aConfig({ [name]: junk, sell: { token: "canary-token", timeoutMs: 99_999, unknown: junk } }));
      expect(loaded.status).toBe("refused");
      expect(problemsOf(loaded).join("\n")).not.toContain("canary-token");
    }),
    { numRuns: 60 },
  );
});
