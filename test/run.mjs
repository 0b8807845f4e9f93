/**
 * `npm test`: every check, on a fresh clone too. Installs the packages if need be, looks at the code as it stands, runs the
 * unit tests and those in a browser, then those that talk to real services. Further arguments go to vitest. The last line is
 * "N passed, N failed".
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { endWithNpm, findNode, installPackages, run } from "../src/cli/bootstrap.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const VITEST = join(ROOT, "node_modules", "vitest", "vitest.mjs");

/** Runs one vitest project; what it counted, and its exit code. */
const runProject = async (project, args) => {
  const folder = mkdtempSync(join(tmpdir(), "sell-sink-test-"));
  try {
    const report = join(folder, "report.json");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const flags = ["run", "--project", project, "--passWithNoTests", ...reporters];
    const code = await run(findNode(), [VITEST, ...flags, ...args], { cwd: ROOT });
    return { code, ...count(report, code, project) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const count = (report, code, project) => {
  const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, testResults = [] } = read(report);
  if (numPendingTests > 0) process.stdout.write(`${numPendingTests} skipped\n`);
  // A file that broke before its first test has no test to count.
  const broken = testResults.filter(({ status, assertionResults }) => status === "failed" && !assertionResults.length);
  // In CI nobody reads that a service was not tried, so there it counts as failed.
  const hidden = project !== "unit" && process.env["CI"] ? numPendingTests : 0;
  const failed = numFailedTests + broken.length + hidden;
  return { passed: numPassedTests, failed: code !== 0 && failed === 0 ? 1 : failed };
};

const read = (report) => {
  try {
    return JSON.parse(readFileSync(report, "utf8"));
  } catch {
    return {}; // vitest ended before it wrote one, and its exit code says so
  }
};

const together = async (...projects) => summed(await Promise.all(projects));

const inTurn = async (projects, args) => {
  const results = [];
  for (const project of projects) results.push(await runProject(project, args));
  return summed(results);
};

const summed = (results) => {
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  const code = Math.max(...results.map((result) => result.code));
  return { code, passed: sum("passed"), failed: sum("failed") };
};

const INTERRUPTED = [129, 130, 143];

/** Format, lint, types, unused code and generated files: counted as one test. */
const runStatic = async () => {
  const npm = process.env["npm_execpath"];
  const [command, ...first] = npm ? [process.execPath, npm] : ["npm"];
  const code = await run(command, [...first, "run", "--silent", "static"], { cwd: ROOT });
  return { code, passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 };
};

const main = async (args) => {
  if ((await installPackages()) !== 0) return end(0, 1);
  // With arguments somebody looks for one test, not for the state of the whole.
  const steps = args.length === 0 ? [runStatic] : [];
  // The chart's tests mostly wait for a pod, the unit tests for nothing: together they take the time of one.
  steps.push(
    () => together(inTurn(["unit", "browser"], args), runProject("chart", args)),
    () => runProject("integration", args),
  );
  let passed = 0;
  let failed = 0;
  for (const step of steps) {
    const result = await step();
    passed += result.passed;
    failed += result.failed;
    if (INTERRUPTED.includes(result.code)) break;
  }
  return end(passed, failed);
};

const end = (passed, failed) => {
  if (passed + failed === 0) process.stdout.write("No test ran.\n");
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed === 0 && passed > 0 ? 0 : 1;
};

endWithNpm();
process.exitCode = await main(process.argv.slice(2));
