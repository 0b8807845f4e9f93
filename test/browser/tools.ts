/**
 * The browser the status page is tried in, found once for a run: Chromium from the path, else from Debian's package, which
 * root gets installed. Elsewhere its tests are skipped with a loud line, and fail in CI.
 */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { TestProject } from "vitest/node";
import { withDefaults } from "../../src/demo/services/options.ts";
import { run } from "../../src/demo/services/run.ts";
import { errorText } from "../../src/domain/errors.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Path of Chromium; null: there is none. */
    chromium: string | null;
  }
}

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

const { env, signal, say } = withDefaults({ say: (line) => process.stderr.write(`${line}\n`) });

export default async function setup(project: TestProject): Promise<void> {
  project.provide("chromium", await anyChromium());
}

/** Its path; null: there is none, and that was said. */
export const anyChromium = async (): Promise<string | null> => findChromium() ?? (await installed());

const findChromium = (): string | null => {
  const folders = (env["PATH"] ?? "").split(delimiter);
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find((path) => existsSync(path)) ?? null;
};

const installed = async (): Promise<string | null> => {
  try {
    say("Installing chromium with apt-get, once ...");
    const options = { env: { ...env, DEBIAN_FRONTEND: "noninteractive" } };
    const patience = "-oDPkg::Lock::Timeout=300"; // another apt-get on this machine may be at work
    await run("apt-get", [patience, "-qq", "update"], options, signal);
    await run("apt-get", [patience, "-qq", "-y", "--no-install-recommends", "install", "chromium"], options, signal);
    const found = findChromium();
    if (found === null) throw new Error("Debian's package brought no program of that name.");
    return found;
  } catch (error) {
    if (env["CI"]) throw error;
    say(`SKIPPED: the status page is not tried in a browser. Install chromium for it. ${errorText(error)}`);
    return null;
  }
};
