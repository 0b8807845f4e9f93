/** The linter's canary: every house rule must still refuse a piece of code that breaks it. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../../..");

interface Canary {
  readonly file: string;
  readonly code: string;
  /** Null: the code is fine, and the linter must say nothing. */
  readonly rule: string | null;
}

const imports = (from: string): string => `import { x } from "${from}";\nexport const y = x;\n`;
const restricted = "no-restricted-imports";

const CANARIES: Readonly<Record<string, Canary>> = {
  "a floating promise": {
    file: "src/commit/floating.ts",
    code: "const f = async (): Promise<void> => {};\nexport const g = (): void => { f(); };\n",
    rule: "no-floating-promises",
  },
  "a switch that forgets a case": {
    file: "src/commit/switch.ts",
    code: 'export const f = (a: "x" | "y"): number => { switch (a) { case "x": return 1; } return 2; };\n',
    rule: "switch-exhaustiveness-check",
  },
  "any in src": { file: "src/commit/any.ts", code: "export const a: any = 1;\n", rule: "no-explicit-any" },
  "a non-null assertion in src": {
    file: "src/commit/bang.ts",
    code: "export const f = (a: string | null): string => a!;\n",
    rule: "no-non-null-assertion",
  },
  "a stage that imports another stage": {
    file: "src/deliver/gate.ts",
    code: imports("../gate/x.ts"),
    rule: restricted,
  },
  "the source importing another stage": { file: "src/source/map.ts", code: imports("../map/x.ts"), rule: restricted },
  "a stage that imports src/config": {
    file: "src/map/config-import.ts",
    code: imports("../config/x.ts"),
    rule: restricted,
  },
  "a stage that imports kafkajs": { file: "src/commit/kafka.ts", code: imports("kafkajs"), rule: restricted },
  "kafkajs outside every stage": { file: "src/cli/kafka.ts", code: imports("kafkajs"), rule: restricted },
  "a sandbox that imports a stage": {
    file: "src/sandbox/deliver.ts",
    code: imports("../deliver/x.ts"),
    rule: restricted,
  },
  "a sandbox that imports the domain": {
    file: "src/sandbox/domain.ts",
    code: imports("../domain/x.ts"),
    rule: restricted,
  },
  "a domain that imports a stage": { file: "src/domain/gate.ts", code: imports("../gate/x.ts"), rule: restricted },
  "a lib that imports telemetry": {
    file: "src/lib/telemetry.ts",
    code: imports("../telemetry/x.ts"),
    rule: restricted,
  },
  "a config.ts that imports more than zod": {
    file: "src/gate/config.ts",
    code: imports("../lib/x.ts"),
    rule: restricted,
  },
  "timers/promises in src": { file: "src/gate/timers.ts", code: imports("node:timers/promises"), rule: restricted },
  "setTimeout in src": { file: "src/gate/wait.ts", code: "setTimeout(() => {}, 1);\n", rule: "no-restricted-globals" },
  "setInterval in src": { file: "src/cli/wait.ts", code: "setInterval(() => {}, 1);\n", rule: "no-restricted-globals" },
  "Date.now in src": {
    file: "src/gate/now.ts",
    code: "export const a = Date.now();\n",
    rule: "no-restricted-properties",
  },
  "performance.now in src": {
    file: "src/sandbox/now.ts",
    code: "export const a = performance.now();\n",
    rule: "no-restricted-properties",
  },
  "Math.random in src": {
    file: "src/lib/dice.ts",
    code: "export const a = Math.random();\n",
    rule: "no-restricted-properties",
  },
  "AbortSignal.timeout in src": {
    file: "src/deliver/deadline.ts",
    code: "export const a = AbortSignal.timeout(1);\n",
    rule: "no-restricted-properties",
  },
  "an import cycle": {
    file: "src/window/cycle.ts",
    code: 'import { b } from "./cycle-b.ts";\nexport const a = (): number => b();\n',
    rule: "no-cycle",
  },
  "what a stage may import": {
    file: "src/gate/fine.ts",
    code: 'import "./take.ts";\nimport "../domain/x.ts";\nimport "../lib/x.ts";\nimport "../telemetry/x.ts";\n',
    rule: null,
  },
  "kafkajs in src/source": { file: "src/source/kafka.ts", code: imports("kafkajs"), rule: null },
  "the clock itself": { file: "src/lib/clock.ts", code: "export const a = Date.now();\n", rule: null },
};

let folder = "";
let findings: readonly string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sell-sink-lint-"));
  for (const file of [".oxlintrc.json", "tsconfig.json"]) await cp(join(root, file), join(folder, file));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  for (const { file, code } of Object.values(CANARIES)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), code);
  }
  await writeFile(
    join(folder, "src/window/cycle-b.ts"),
    'import { a } from "./cycle.ts";\nexport const b = (): number => a();\n',
  );
  const oxlint = join(root, "node_modules/oxlint/bin/oxlint");
  // It exits with 1, having found what it should: the report is on stdout either way.
  const { stdout } = await run(process.execPath, [oxlint, "--format", "unix", "src"], { cwd: folder }).catch(
    (failure: { stdout: string }) => failure,
  );
  findings = stdout.split("\n");
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

for (const [name, { file, rule }] of Object.entries(CANARIES)) {
  test(rule === null ? `lint accepts ${name}` : `lint refuses ${name} (${rule})`, () => {
    const here = findings.filter((line) => line.includes(`${file}:`));
    if (rule === null) expect(here).toEqual([]);
    else expect(here.join("\n")).toContain(rule);
  });
}
