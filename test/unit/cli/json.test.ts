/** Whoever asks for JSON gets one document on stdout, whatever happens; people read the same on stderr. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { commandsOf, createProgram } from "../../../src/cli/program.ts";
import { runCli } from "../../support/run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "sell-sink-json-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const wrong = join(folder, "wrong.yaml");
writeFileSync(wrong, "kafka: { brokers: [k:1], groupId: g }\nsel: {}\n");

const terminal = {
  ...{ out: () => {}, err: () => {}, hasColors: false, columns: null, env: {} },
  ...{ secrets: new Set<string>(), failures: [] },
};
const program = await createProgram(terminal, () => {});
const jsonCommands = commandsOf(program)
  .filter(({ options }) => options.some(({ long }) => long === "--json"))
  .map((command) => (command.parent === program ? [command.name()] : [command.parent?.name() ?? "", command.name()]));

test.each(jsonCommands)("%s %s tells a misspelt option as one JSON object", async (...path) => {
  const { code, out, err } = await runCli([...path.filter((word) => typeof word === "string"), "--json", "--hlpe"]);
  expect(code).toBe(2);
  expect(JSON.parse(out)).toEqual({
    error: { code: "USAGE", message: expect.stringMatching(/^unknown option '--hlpe'/) },
  });
  expect(err).toMatch(/^error: unknown option '--hlpe'\n/);
});

test("what commander finds is told without its mark and line breaks", async () => {
  const { out } = await runCli(["pase", "--json"]);
  expect(JSON.parse(out)).toEqual({
    error: { code: "USAGE", message: "unknown command 'pase' (Did you mean pause?)" },
  });
});

test("a wrong configuration is told problem by problem, with places", async () => {
  const { code, out } = await runCli(["plan", "-c", wrong, "--json"]);
  expect(code).toBe(2);
  const { error } = JSON.parse(out);
  expect(error).toMatchObject({ code: "CONFIG", message: `${wrong}: ${error.problems.length} problems` });
  expect(error.problems).toContainEqual({
    path: "sel",
    line: 2,
    message: expect.stringContaining("did you mean sell?"),
  });
});

test("a failure is told by its code", async () => {
  const { code, out, err } = await runCli(["quota", "--admin", "http://127.0.0.1:1", "--json"]);
  expect(code).toBe(1);
  const { error } = JSON.parse(out);
  expect(error).toEqual({ code: "UNREACHABLE", message: expect.stringMatching(/^No sell-sink tells/) });
  expect(err).toBe(`error: ${error.message}\n`);
});

test("without --json a failure leaves stdout empty", async () => {
  const { out } = await runCli(["quota", "--admin", "http://127.0.0.1:1"]);
  expect(out).toBe("");
});
