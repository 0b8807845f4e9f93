/** Every manifest against Kubernetes' own types: no unknown field, no wrong type, nothing missing. The compiler is the judge. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CHART, CI_VALUES, type Manifest, one, render } from "./render.ts";

const exec = promisify(execFile);
const PACKAGES = resolve(import.meta.dirname, "../../node_modules");

const MODULES: Readonly<Record<string, string>> = {
  v1: "kubernetes-models/v1",
  "apps/v1": "kubernetes-models/apps/v1",
  "batch/v1": "kubernetes-models/batch/v1",
  "policy/v1": "kubernetes-models/policy/v1",
  "networking.k8s.io/v1": "kubernetes-models/networking.k8s.io/v1",
  "keda.sh/v1alpha1": "@kubernetes-models/keda/keda.sh/v1alpha1",
  "monitoring.coreos.com/v1": "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1",
};

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sell-sink-types-"));
  await symlink(PACKAGES, join(folder, "node_modules"));
  await writeFile(join(folder, "package.json"), '{"type":"module"}');
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the compiler says about the manifests; each literal gets its kind's type, in which nothing unknown may stand. */
const faultsOf = async (documents: readonly Manifest[]): Promise<string> => {
  const code = documents.map((document, index) => {
    const module = MODULES[document.apiVersion];
    if (module === undefined) throw new Error(`no types for ${document.apiVersion} ${document.kind}`);
    return (
      `import type { I${document.kind} as T${index} } from "${module}/${document.kind}";\n` +
      `export const d${index}: T${index} = ${JSON.stringify(document, null, 2)};\n`
    );
  });
  const file = join(folder, "manifests.ts");
  await writeFile(file, code.join(""));
  const flags = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2024", "--module", "nodenext", "--types", ""];
  try {
    await exec(process.execPath, [join(PACKAGES, "typescript/bin/tsc"), ...flags, file], { cwd: folder });
    return "";
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
};

test.for(CI_VALUES)("%s", async (file) => {
  expect(await faultsOf(await render({ files: [file] }))).toBe("");
});

type Plant = (documents: readonly Manifest[]) => void;
const podOf = (documents: readonly Manifest[]): Manifest => one(documents, "Deployment").spec.template.spec;

const FAULTS: Readonly<Record<string, Plant>> = {
  "an unknown field of the pod": (documents) => (podOf(documents).terminationGracePeriod = 60),
  "an unknown field of a container": (documents) => (podOf(documents).containers[0].readynessProbe = {}),
  "text for a number": (documents) => (one(documents, "Deployment").spec.minReadySeconds = "15"),
  "an object for a list": (documents) => (podOf(documents).containers[0].env = { A: "b" }),
  "an unknown field of the budget": (documents) => (one(documents, "PodDisruptionBudget").spec.maxUnavail = 1),
  "a missing field": (documents) => delete one(documents, "Deployment").spec.selector,
  "an unknown field of the monitor": (documents) => (one(documents, "PodMonitor").spec.endpoints = []),
  "a rule without an expression": (documents) => delete one(documents, "PrometheusRule").spec.groups[0].rules[0].expr,
};

test.for(Object.entries(FAULTS))("it finds %s", async ([, plant]) => {
  const documents = await render({ files: [join(CHART, "ci/production-values.yaml")] });
  plant(documents);
  expect(await faultsOf(documents)).toContain("error TS");
});
