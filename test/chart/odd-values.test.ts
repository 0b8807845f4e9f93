/** Values that are legal and unusual: names that look like numbers, labels twice, text that templates or shells would take apart. */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { CHART, type Manifest, manifestsOf, one, render } from "./render.ts";

const MINIMAL = [join(CHART, "ci/minimal-values.yaml")];
const PRODUCTION = [join(CHART, "ci/production-values.yaml")];
const podTemplate = (documents: readonly Manifest[]): Manifest => one(documents, "Deployment").spec.template;

const textsThatAreNone = (value: unknown, path: string): readonly string[] => {
  if (typeof value !== "object" || value === null) {
    return typeof value !== "string" && /\.(name|key|path|image|\w*Name|instance|app\S*)$/.test(path) ? [path] : [];
  }
  return Object.entries(value).flatMap(([name, child]) => textsThatAreNone(child, `${path}.${name}`));
};

test.for(["1234", "true", "1e3", "null", "0x1f"])(
  "a release called %s has texts for names and labels",
  async (release) => {
    const values = {
      fullnameOverride: release,
      existingSecret: release,
      priorityClassName: release,
      imagePullSecrets: [release],
      image: { repository: release },
      credentials: { "sell.token": { key: "yes" } },
    };
    const documents = await render({ files: MINIMAL, values, release });
    for (const document of documents) expect(textsThatAreNone(document, document.kind)).toEqual([]);
  },
);

test("a label given twice is there once: ours, then the more particular one", async () => {
  const values = {
    commonLabels: { team: "crm", "app.kubernetes.io/part-of": "sales" },
    podLabels: { team: "sink", "app.kubernetes.io/name": "another", "app.kubernetes.io/component": "another" },
    monitoring: { podMonitor: { enabled: true, labels: { team: "watch", release: "p" } } },
  };
  const documents = await render({ files: MINIMAL, values });
  const pod = podTemplate(documents).metadata.labels;
  expect(pod).toMatchObject({ team: "sink", "app.kubernetes.io/part-of": "sales" });
  expect(pod).toMatchObject(one(documents, "Deployment").spec.selector.matchLabels);
  expect(one(documents, "PodMonitor").metadata.labels).toMatchObject({ team: "watch", release: "p" });
  expect(one(documents, "ConfigMap").metadata.labels).toMatchObject({ team: "crm" });
});

test("a new version of the chart alone replaces no pod", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sell-sink-next-"));
  try {
    await cp(CHART, folder, { recursive: true });
    const about = await readFile(join(CHART, "Chart.yaml"), "utf8");
    await writeFile(join(folder, "Chart.yaml"), about.replace(/^version: .*/m, "version: 9.9.9"));
    const [now, next] = [await render({ files: PRODUCTION }), await render({ files: PRODUCTION, chart: folder })];
    expect(podTemplate(next)).toEqual(podTemplate(now));
    expect(one(next, "Deployment").metadata.labels["helm.sh/chart"]).toBe("sell-sink-9.9.9");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("null takes a job away that a file before has given", async () => {
  const files = [join(CHART, "ci/everything-values.yaml")];
  const jobs = (documents: readonly Manifest[]) => documents.filter(({ kind }) => kind === "CronJob").length;
  const [all, less] = [await render({ files }), await render({ files, values: { jobs: { adopt: null } } })];
  expect(jobs(less)).toBe(jobs(all) - 1);
});

test("what selects the pods of a release never changes, or no release could be upgraded", async () => {
  expect(one(await render({ files: PRODUCTION }), "Deployment").spec.selector).toEqual({
    matchLabels: {
      "app.kubernetes.io/name": "sell-sink",
      "app.kubernetes.io/instance": "x",
      "app.kubernetes.io/component": "connector",
    },
  });
});

test("text in the configuration and in a Secret arrives letter by letter", async () => {
  const text = "a'\"\\$$\n{{ .Values.x }}${id} %s # é \t: [x] \u{1f600} {{`b`}}";
  const route = { topic: "t", format: "json", entity: "accounts", key: "id", fields: { name: { template: text } } };
  const values = {
    config: { kafka: { groupId: "a {{b}}" }, routes: [route] },
    existingSecret: "",
    secrets: { create: true, values: { "sell.token": text } },
    monitoring: { rules: { enabled: true } },
  };
  const documents = await render({ files: MINIMAL, values });
  const { kafka, routes } = parse(one(documents, "ConfigMap").data["config.yaml"]);
  expect(routes[0].fields.name.template).toBe(text);
  expect(kafka.groupId).toBe("a {{b}}");
  expect(one(documents, "Secret").stringData["sell.token"]).toBe(text);
  expect(JSON.stringify(one(documents, "PrometheusRule"))).toContain('consumergroup=\\"a {{b}}\\"');
});

test("user and group left to OpenShift, also from a parent chart, where Helm passes no null on", async () => {
  const podSecurityContext = { runAsUser: "", runAsGroup: "", fsGroup: "" };
  const { spec } = podTemplate(await render({ files: MINIMAL, values: { podSecurityContext } }));
  expect(spec.securityContext).toEqual({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
  expect(spec.volumes.find(({ name }: Manifest) => name === "secrets").projected.defaultMode).toBe(0o444);
});

test("Node's options are the user's when he gives them, and no variable is there twice", async () => {
  const extraEnv = [{ name: "NODE_OPTIONS", value: "--max-old-space-size=150" }];
  const values = { resources: { limits: { memory: "512Mi" } }, extraEnv };
  expect(podTemplate(await render({ files: MINIMAL, values })).spec.containers[0].env).toEqual(extraEnv);
});

test("large numbers are written as Kubernetes and KEDA take them, never as 1e+06", async () => {
  const LARGE = 2_000_000;
  const job = { args: ["plan"], backoffLimit: LARGE, ttlSecondsAfterFinished: LARGE, activeDeadlineSeconds: LARGE };
  const values = {
    minReadySeconds: LARGE,
    revisionHistoryLimit: LARGE,
    terminationGracePeriodSeconds: 2 * LARGE,
    preStopSleepSeconds: LARGE,
    tmp: { sizeLimit: LARGE },
    strategy: { maxSurge: LARGE, maxUnavailable: LARGE },
    pdb: { maxUnavailable: LARGE },
    podSecurityContext: { runAsUser: 1_000_680_000 },
    autoscaling: { lagThreshold: LARGE, pollingInterval: LARGE, fallbackFailures: LARGE },
    jobs: { plan: job },
  };
  const files = [join(CHART, "ci/keda-values.yaml")];
  const scaled = await manifestsOf({ files, values });
  const still = await manifestsOf({ files: PRODUCTION, values: { replicas: LARGE } });
  expect(`${scaled}${still}`.match(/.*\de\+\d.*/g)).toBeNull();
});
