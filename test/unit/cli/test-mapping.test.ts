import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runCli } from "../../support/run-cli.ts";

const EXAMPLE = new URL("../../../config/example.test.yaml", import.meta.url);
const CONFIG = new URL("../../../config/example.yaml", import.meta.url).pathname;

const folder = mkdtempSync(join(tmpdir(), "sell-sink-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = async (...args: readonly string[]) => {
  return runCli(["test", ...args]);
};

const aFile = (tests: readonly object[], config = CONFIG): string => {
  const file = join(folder, "tests.yaml");
  writeFileSync(file, JSON.stringify({ config, tests }));
  return file;
};

const ROW = { id: 7, company_name: "Nordlicht", contact_email: null, credit_limit: "1" };
const TEST = { name: "t", topic: "erp.sales.customers", row: ROW };

/** With the folder as it is: a further example is tried without a word here. */
const EXAMPLES = globSync("*.yaml", { cwd: dirname(CONFIG) }).filter((name) => !name.endsWith(".test.yaml"));

test.each(EXAMPLES)("%s is in order, and so is what its records become", async (name) => {
  const file = join(dirname(CONFIG), name);
  expect(await runCli(["validate", "--config", file], { SELL_TOKEN: "a-token" })).toMatchObject({ code: 0, err: "" });
  expect(await run(file.replace(/yaml$/, "test.yaml"))).toMatchObject({ code: 0, err: "" });
});

test("the example passes, and each of its tests fails when what it expects is another thing", async () => {
  expect(await run(EXAMPLE.pathname)).toMatchObject({
    code: 0,
    err: "",
    out: expect.stringMatching(/\n5 of 5 passed\n$/),
  });
  const text = readFileSync(EXAMPLE, "utf8").replace("config: example.yaml", `config: ${CONFIG}`);
  const broken = text
    .replace('"1250.50"', '"1250.5"')
    .replace("customer_status: past", "customer_status: none")
    .replace("contact_id: accounts 7", "contact_id: accounts 8")
    .replace("skip: filtered", "skip: no-route")
    .replace("deadLetter: bad-value", "deadLetter: no-identity");
  const file = join(folder, "broken.yaml");
  writeFileSync(file, broken);
  const { code, out } = await run(file);
  expect(code).toBe(1);
  expect(out).toMatch(/\n0 of 5 passed\n$/);
  expect(out).toContain(`        - fields.custom_fields.credit_limit: "1250.5"\n`);
  expect(out).toContain(`        + fields.custom_fields.credit_limit: "1250.50"\n`);
  expect(out).toContain(`        + refs.contact_id: "accounts 7"\n`);
  expect(out).toContain(`        + skip: "filtered"\n`);
});

test("a dead letter that nobody expected comes with its sentence", async () => {
  const row = { ...ROW, credit_limit: "much" };
  const { code, out } = await run(aFile([{ ...TEST, row, expect: [{ entity: "accounts", key: 7 }] }]));
  expect(code).toBe(1);
  expect(out).toContain('field "custom_fields.credit_limit": column "credit_limit" is not decimal(2)');
  expect(out).toContain('        + {"deadLetter":"bad-value"}\n');
});

test("--json is an array of the results and nothing else", async () => {
  const { code, out } = await run(aFile([{ ...TEST, expect: [{ entity: "accounts", key: 8 }] }]), "--json");
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject([
    { passed: false, differences: [{ path: "key", expected: "8", actual: "7" }] },
  ]);
});

test("a whole record may be given, and a tombstone deletes by its key", async () => {
  const record = { key: { id: 7 }, value: null };
  const wanted = { action: "update", entity: "accounts", key: 7, fields: { customer_status: "past" } };
  expect(await run(aFile([{ name: "t", topic: TEST.topic, record, expect: [wanted] }]))).toMatchObject({ code: 0 });
});

test("--config takes another configuration than the file names", async () => {
  const file = aFile([{ ...TEST, expect: [{ entity: "accounts", key: 7 }] }], "no-such.yaml");
  expect((await run(file)).code).toBe(2);
  expect((await run(file, "--config", CONFIG)).code).toBe(0);
});

test.each([
  [[{ name: "t", expect: { skip: "x" } }], "give exactly one of row, deleted, envelope and record"],
  [[{ ...TEST, deleted: ROW, expect: { skip: "x" } }], "give exactly one of row, deleted, envelope and record"],
  [[{ ...TEST, topic: undefined, expect: { skip: "x" } }], '"t" needs a topic'],
  [[{ ...TEST, expect: { skip: "x" }, rows: 1 }], 'Unrecognized key: "rows"'],
  [[], "expected array to have >=1 items"],
])("%j is exit 2 and one sentence", async (tests, sentence) => {
  const { code, out, err } = await run(aFile(tests));
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toMatch(/^error: .+\n$/);
  expect(err).toContain(sentence);
});
