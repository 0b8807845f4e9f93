/** `helm template`, as data. */
import { execFile } from "node:child_process";
import { globSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { inject } from "vitest";
import { parseAllDocuments } from "yaml";

const exec = promisify(execFile);

export const CHART = resolve(import.meta.dirname, "../../deploy/helm");

/** The chart's own example values; each must pass everything. */
export const CI_VALUES: readonly string[] = globSync(join(CHART, "ci/*-values.yaml")).toSorted();

// A manifest is looked into from many sides; its types are checked as a whole elsewhere.
// oxlint-disable-next-line typescript/no-explicit-any
export type Manifest = any;

export interface Rendering {
  /** Values below those files. */
  readonly before?: readonly object[];
  /** Values files, below `values`. */
  readonly files?: readonly string[];
  readonly values?: object;
  readonly kubeVersion?: string;
  readonly chart?: string;
  readonly release?: string;
}

/** All documents. Rejects with what helm said. */
export const render = async (rendering: Rendering): Promise<readonly Manifest[]> => {
  // As Kubernetes reads it, which takes `yes` and `on` for true.
  const documents = parseAllDocuments(await manifestsOf(rendering), { version: "1.1" });
  const broken = documents.flatMap(({ errors }) => errors);
  if (broken.length > 0) throw broken[0];
  return documents.map((document) => document.toJS()).filter((value) => value !== null);
};

/** What `helm install` prints after the manifests. */
export const notesOf = async (rendering: Rendering): Promise<string> => {
  const text = await withValues(rendering, (flags) => helm(["install", "x", ...flags, "--dry-run=client"]));
  return text.split("\nNOTES:\n")[1] ?? "";
};

/** The sentence with which the values are refused; fails when they are taken. */
export const refusalOf = async (rendering: Rendering): Promise<string> => {
  try {
    await manifestsOf(rendering);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error(`helm took ${JSON.stringify(rendering)}`);
};

export const helm = async (args: readonly string[]): Promise<string> => {
  try {
    return (await exec(inject("helm"), [...args], { maxBuffer: 64 * 1024 * 1024 })).stdout;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${stderr}${stdout}`, { cause: error });
  }
};

export const one = (documents: readonly Manifest[], kind: string, name = ""): Manifest => {
  const found = documents.filter((document) => document.kind === kind && document.metadata.name.includes(name));
  if (found.length !== 1) throw new Error(`there are ${found.length} of ${kind} ${name}`);
  return found[0];
};

/** The same as text. */
export const manifestsOf = (rendering: Rendering): Promise<string> =>
  withValues(rendering, (flags) => helm(["template", rendering.release ?? "x", ...flags]));

const withValues = async (
  { before = [], files = [], values = {}, kubeVersion, chart = CHART }: Rendering,
  use: (flags: readonly string[]) => Promise<string>,
): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "sell-sink-values-"));
  try {
    const written = async (content: object, name: string): Promise<string> => {
      await writeFile(join(folder, name), JSON.stringify(content));
      return join(folder, name);
    };
    const first = await Promise.all(before.map((content, index) => written(content, `${index}.json`)));
    const paths = [...first, ...files, await written(values, "values.json")];
    const flags = paths.flatMap((path) => ["-f", path]);
    return await use([chart, ...flags, ...(kubeVersion === undefined ? [] : ["--kube-version", kubeVersion])]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
