/** What holds for every command, now and later: help with examples and exit codes, --json, and a way out of a mistake. */
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { commandsOf, createProgram } from "../../../src/cli/program.ts";
import { runCli } from "../../support/run-cli.ts";

const terminal = {
  out: () => {},
  err: () => {},
  hasColors: false,
  columns: null,
  env: {},
  failures: [],
  secrets: new Set<string>(),
};
const program = await createProgram(terminal, () => {});

const pathOf = (command: Command): readonly string[] =>
  command.parent === null ? [] : [...pathOf(command.parent), command.name()];

const all = commandsOf(program).map((command) => [pathOf(command).join(" "), command] as const);
const leaves = all.filter(([, command]) => command.commands.length === 0);

/** Its whole output is JSON lines, so that it needs no option for them. */
const SPEAKS_JSON = new Set(["run"]);

test("there are commands, and commands below commands", () => {
  expect(all.length).toBeGreaterThan(12);
  expect(all.length).toBeGreaterThan(leaves.length);
});

const optionsIn = (line: string): readonly string[] => line.match(/(?<=\s)--?[a-z][a-z-]*/g) ?? [];

describe.each(all)("%s", (path, command) => {
  const words = path.split(" ");

  test("has a help with examples of itself and with exit codes, without colours", async () => {
    const { code, out, err } = await runCli([...words, "--help"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const [, examples = ""] = /\nExamples:\n((?: {2}.*\n)+)/.exec(out) ?? [];
    expect(examples).toContain(`sell-sink ${path}`);
    expect(out).toMatch(/\nExit codes: 0 .+, 1 .+, 2 .+\.\n+$/);
    expect(out).not.toContain("\u001b");
  });

  test("its examples use options that there are", async () => {
    const { out } = await runCli([...words, "--help"]);
    const known = new Set(
      commandsOf(program).flatMap(({ options }) => options.flatMap(({ long, short }) => [long, short])),
    );
    const lines = out.split("\n").filter((line) => line.startsWith("  ") && line.includes(`sell-sink ${words[0]}`));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      const own = /sell-sink [^|]*/.exec(line)?.[0] ?? "";
      for (const option of optionsIn(own)) expect([line, known.has(option)]).toEqual([line, true]);
    }
  });

  test("a misspelt option is exit 2: the nearest one where there is one, an example, and where the help is", async () => {
    const [option] = command.options.filter(({ long }) => long !== undefined && long.length > 5);
    const misspelt = option?.long === undefined ? "--hlep" : `${option.long.slice(0, -1)}x`;
    const { code, out, err } = await runCli([...words, misspelt]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/^error: unknown option '.+'\n/);
    if (option !== undefined) expect(err).toContain("\n(Did you mean --");
    expect(err).toContain(`\nexample: sell-sink ${path}`);
    expect(err).toContain(`(sell-sink ${path} --help shows what there is)\n`);
    expect(err).not.toContain("\u001b");
  });
});

describe.each(leaves)("%s", (path, command) => {
  test("has --json, or speaks nothing else", () => {
    const hasJson = command.options.some(({ long }) => long === "--json");
    expect(hasJson).toBe(!SPEAKS_JSON.has(path));
  });
});

const needy = leaves.filter(([, { options }]) => options.some(({ mandatory }) => mandatory));

test.each(needy)("%s without what it needs is exit 2, with an example", async (path) => {
  const { code, out, err } = await runCli(path.split(" "));
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toMatch(/^error: required option '.+' not specified\n/);
  expect(err).toContain(`\nexample: `);
  expect(err).toContain(`(sell-sink ${path} --help shows what there is)\n`);
});

test("a misspelt option is told rather than that the one it was meant for is missing", async () => {
  const { code, err } = await runCli(["plan", "--confg", "config.yaml"]);
  expect(code).toBe(2);
  expect(err).toContain(
    "error: unknown option '--confg'\n(Did you mean --config?)\nexample: sell-sink plan -c config.yaml\n",
  );
});

test.each(all.filter(([path]) => !path.includes(" ")))("a misspelt %s is exit 2", async (name) => {
  const misspelt = `${name.slice(0, 1)}${name.slice(2, 3)}${name.slice(1, 2)}${name.slice(3)}x`;
  const { code, out, err } = await runCli([misspelt]);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain(`error: unknown command '${misspelt}'`);
});

test("a command that is nearly one comes with the example of the one that was meant", async () => {
  const { code, err } = await runCli(["vaildate"]);
  expect(code).toBe(2);
  expect(err.split("\n").slice(0, 3)).toEqual([
    "error: unknown command 'vaildate'",
    "(Did you mean validate?)",
    "example: sell-sink validate -c config.yaml",
  ]);
});

test("every command stands in the examples of the program", async () => {
  const { out } = await runCli(["--help"]);
  for (const { name } of program.commands.map((command) => ({ name: command.name() })))
    expect(out).toMatch(new RegExp(`\\n {2}sell-sink ${name}\\b`));
});
