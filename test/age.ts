/**
 * `npm run test:age`: no package of the lock file is younger than a week, since most poisoned releases are found within days.
 * npm itself asks the registry for the day of each release, while it installs them into a scratch folder.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const LEAST_DAYS = 7;

const ROOT = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "sell-sink-age-"));
try {
  for (const name of ["package.json", "package-lock.json", ".npmrc"]) cpSync(join(ROOT, name), join(folder, name));
  const flags = ["--ignore-scripts", `--min-release-age=${LEAST_DAYS}`, "--no-audit"];
  execFileSync("npm", ["ci", ...flags], { cwd: folder, stdio: "inherit" });
  process.stdout.write(`no package is younger than ${LEAST_DAYS} days\n`);
} catch {
  process.exitCode = 1; // npm has said which one
} finally {
  rmSync(folder, { recursive: true, force: true });
}
