/** `sell-sink test`: unit tests of mappings, from YAML files. */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { pathText } from "../config/problem.ts";
import type { Config } from "../config/spec.ts";
import { errorText, usageError } from "../domain/errors.ts";
import { compileRoutes } from "../map/mapper.ts";
import type { Difference } from "../preview/differences.ts";
import { givenOf, judge, type MappingTest, testFileSchema } from "../preview/mapping-tests.ts";
import { givenOutcomes } from "../preview/outcome.ts";
import { printable } from "../telemetry/text.ts";
import { formatsOf, topicsOf } from "../wiring/topic-formats.ts";
import { readConfig } from "./config-file.ts";
import { withExamples } from "./examples.ts";
import { EXIT } from "./exit.ts";
import type { Register } from "./register.ts";
import { styled, type Terminal } from "./terminal.ts";

interface Options {
  readonly config?: string;
  readonly json?: true;
}

const INTRO = `
A test gives one record, as row, deleted (the row that was), envelope, or record (key, value, headers), and says what
shall become of it: mutations, { skip: reason } or { deadLetter: reason }.

  config: example.yaml
  tests:
    - name: an e-mail address is written in lower case
      topic: erp.sales.customers
      row: { id: 7, company_name: Nordlicht, contact_email: INFO@Nordlicht.example, credit_limit: "12.5" }
      expect:
        - { entity: accounts, key: 7, onCreate: { owner_id: 4711 } }
`;

export const testCommand: Register = (program, terminal, done) => {
  const command = program
    .command("test")
    .description("run the unit tests of mappings; asks no service")
    .argument("<files...>", "test files (YAML)")
    .option("-c, --config <file>", "test this configuration in place of the one that a test file names")
    .option("--json", "print one JSON array of the results")
    .action(async (files: readonly string[], options: Options) => done(await testFiles(files, options, terminal)));
  withExamples(command, {
    intro: INTRO,
    examples: [["sell-sink test config/example.test.yaml"], ["sell-sink test --config staging.yaml tests/*.yaml"]],
    exits: "0 all pass, 1 one does not, 2 wrong usage, test file or configuration",
  });
};

interface Result {
  readonly file: string;
  readonly name: string;
  readonly passed: boolean;
  readonly differences: readonly Difference[];
  /** Why it is a dead letter, when that was not expected. */
  readonly message: string | null;
}

const testFiles = async (files: readonly string[], options: Options, terminal: Terminal): Promise<number> => {
  const results: Result[] = [];
  for (const file of files) {
    const { config: named, tests } = readTests(file);
    const config = readConfig(options.config ?? resolve(dirname(file), named), withoutSecrets(terminal));
    if (config === null) return EXIT.usage;
    results.push(...(await run(file, tests, config)));
  }
  if (options.json) terminal.out(`${JSON.stringify(results, null, 2)}\n`);
  else report(results, terminal);
  return results.every(({ passed }) => passed) ? EXIT.done : EXIT.failed;
};

const readTests = (file: string): z.infer<typeof testFileSchema> => {
  try {
    return testFileSchema.parse(parse(readFileSync(file, "utf8")));
  } catch (error) {
    const why = error instanceof z.ZodError ? problemsIn(error) : errorText(error);
    throw usageError(`${file} is no file of tests: ${why}; sell-sink test --help shows one.`);
  }
};

const problemsIn = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => [pathText(path.map(placeOf)), message].filter(Boolean).join(": ")).join("; ");

const placeOf = (part: PropertyKey): string | number => (typeof part === "number" ? part : String(part));

/** Nobody is logged in to, so that a build without the secrets can test: what is not set has some value. */
const withoutSecrets = (terminal: Terminal): Terminal => ({
  ...terminal,
  env: new Proxy(terminal.env, { get: (env, name) => Reflect.get(env, name) ?? "not-set" }),
});

const run = async (file: string, tests: readonly MappingTest[], config: Config): Promise<readonly Result[]> => {
  const outcome = givenOutcomes(
    formatsOf(config),
    compileRoutes(config.routes, { keyField: config.sell.keyField }),
    null,
  );
  const [only = "", ...more] = topicsOf(config);
  const results: Result[] = [];
  for (const [at, test] of tests.entries()) {
    const { name, topic = more.length === 0 ? only : undefined } = test;
    if (topic === undefined) throw usageError(`${file}: "${name}" needs a topic, since the configuration has several.`);
    const { mapped } = await outcome(givenOf(test), topic, at);
    const found = judge(test, mapped);
    const passed = found.length === 0;
    const message = !passed && mapped.status === "errant" ? mapped.errant.message : null;
    results.push({ file, name, passed, differences: found, message });
  }
  return results;
};

const report = (results: readonly Result[], terminal: Terminal): void => {
  for (const { file, name, passed, differences, message } of results) {
    const verdict = passed ? styled(terminal, "green", "ok    ") : styled(terminal, "red", "failed");
    terminal.out(`${verdict}  ${printable(passed ? name : `${name} (${file})`)}\n`);
    if (message !== null) terminal.out(`        ${printable(message)}\n`);
    for (const difference of differences) terminal.out(differenceText(difference, terminal));
  }
  const failures = results.filter(({ passed }) => !passed).length;
  terminal.out(`${results.length - failures} of ${results.length} passed\n`);
};

const differenceText = ({ path, ...sides }: Difference, terminal: Terminal): string => {
  const line = (style: "green" | "red", mark: string, value: unknown): string =>
    `        ${styled(terminal, style, printable(`${mark} ${path === "" ? "" : `${path}: `}${JSON.stringify(value)}`))}\n`;
  return (
    ("expected" in sides ? line("green", "-", sides.expected) : "") +
    ("actual" in sides ? line("red", "+", sides.actual) : "")
  );
};
