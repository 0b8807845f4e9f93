/** What the Dockerfile puts into `/app`, made in a scratch folder by its own commands. */
import { execFile } from "node:child_process";
import { cp, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { instructions, ROOT } from "./dockerfile.ts";

const exec = promisify(execFile);

export const makeImageRoot = async (app: string): Promise<void> => {
  await mkdir(app, { recursive: true });
  const [manifests = [], ...copied] = instructions("COPY")
    .filter((copy) => !copy.startsWith("--"))
    .map((copy) => copy.split(/\s+/));
  const ofFirstStage = manifests.slice(0, -1);
  for (const name of ofFirstStage) await cp(join(ROOT, name), join(app, name));
  const { stdout: registry } = await exec("npm", ["config", "get", "registry"], { cwd: ROOT });
  const args = { NPM_REGISTRY: registry.trim(), NODE: "/nodejs/bin/node" };
  for (const command of instructions("RUN")) {
    // The mount is the builder's cache; here npm has its own.
    const script = command.replace(/--mount=\S+\s+/, "");
    await exec("sh", ["-euc", script], {
      cwd: app,
      env: { ...process.env, ...args, npm_config_prefer_offline: "true" },
    });
  }
  for (const name of ofFirstStage) await rm(join(app, name));
  for (const words of copied) {
    const target = words.at(-1) ?? "";
    for (const name of words.slice(0, -1)) {
      await cp(join(ROOT, name), join(app, target, target === "./" ? name : ""), { recursive: true });
    }
  }
};
