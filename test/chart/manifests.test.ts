/** What the manifests say, value by value. */
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { quotaConfig } from "../../src/gate/config.ts";
import { permitsPerSecond, quotaOf } from "../../src/gate/quota.ts";
import { CANARIES, leaksIn } from "../support/canaries.ts";
import { runCli } from "../support/run-cli.ts";
import { parseConfigText } from "./parse-config.ts";
import { CHART, CI_VALUES, helm, type Manifest, notesOf, one, render } from "./render.ts";

const values = (name: string): readonly string[] => [join(CHART, `ci/${name}-values.yaml`)];
const podOf = (documents: readonly Manifest[]): Manifest => one(documents, "Deployment").spec.template.spec;
const containerOf = (documents: readonly Manifest[]): Manifest => podOf(documents).containers[0];
const configTextOf = (documents: readonly Manifest[]): string =>
  documents.find(({ kind, data }) => kind === "ConfigMap" && data?.["config.yaml"])?.data["config.yaml"];
const configOf = (documents: readonly Manifest[]): Manifest => parse(configTextOf(documents));

const pick = (of: Manifest, names: readonly string[]): object =>
  Object.fromEntries(names.map((name) => [name, of[name]]));

const OLDEST = "1.27.0";
const NEWEST = "1.36.0";

test.for(CI_VALUES.flatMap((file) => [OLDEST, NEWEST].map((version) => [file, version] as const)))(
  "%s on Kubernetes %s: names fit, selectors find the pods, nothing names a namespace or selects by version",
  async ([file, kubeVersion]) => {
    const documents = await render({ files: [file], kubeVersion });
    for (const document of documents) {
      expect(document.metadata.name.length).toBeLessThanOrEqual(document.kind === "CronJob" ? 52 : 63);
      expect(document.metadata).not.toHaveProperty("namespace");
    }
    const labels = one(documents, "Deployment").spec.template.metadata.labels;
    for (const { kind, spec } of documents) {
      const selector = kind === "Service" ? spec.selector : (spec?.selector ?? spec?.podSelector)?.matchLabels;
      if (selector === undefined) continue;
      expect(labels).toMatchObject(selector);
      expect(Object.keys(selector)).not.toContain("helm.sh/chart");
      expect(Object.keys(selector)).not.toContain("app.kubernetes.io/version");
    }
    const names = documents.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
  },
);

test("a cluster that is too old is refused", async () => {
  await expect(render({ files: values("minimal"), kubeVersion: "1.26.0" })).rejects.toThrow(/1\.27/);
});

test("a job's pods are none of the Deployment's, the budget's or the monitor's", async () => {
  const documents = await render({ files: values("everything") });
  const job = one(documents, "CronJob", "-resync").spec.jobTemplate.spec.template.metadata.labels;
  for (const kind of ["Deployment", "PodDisruptionBudget", "ServiceMonitor"]) {
    expect(job).not.toMatchObject(one(documents, kind).spec.selector.matchLabels);
  }
  expect(job).toMatchObject(one(documents, "NetworkPolicy").spec.podSelector.matchLabels);
});

test("a rollout replaces one pod at a time and never adds one; Recreate says so", async () => {
  const { spec } = one(await render({ files: values("production") }), "Deployment");
  expect(spec).toMatchObject({ replicas: 2, minReadySeconds: 15 });
  expect(spec.strategy).toEqual({ type: "RollingUpdate", rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } });
  expect(one(await render({ files: values("openshift") }), "Deployment").spec.strategy).toEqual({ type: "Recreate" });
});

test("under autoscaling nobody else sets the replicas", async () => {
  expect(one(await render({ files: values("keda") }), "Deployment").spec).not.toHaveProperty("replicas");
});

test("an image is named by tag, by registry, by digest; the global registry wins", async () => {
  const image = async (file: string, more: object = {}): Promise<string> =>
    containerOf(await render({ files: values(file), values: more })).image;
  expect(await image("minimal")).toBe(`sell-sink:${parse(readFileSync(join(CHART, "Chart.yaml"), "utf8")).appVersion}`);
  expect(await image("production")).toBe(`registry.example.com/crm/sell-sink@sha256:${"1".repeat(64)}`);
  expect(await image("everything")).toBe("mirror.example.com/sell-sink:1.2.3");
  const pod = podOf(await render({ files: values("everything") }));
  expect(pod.imagePullSecrets).toEqual([{ name: "mirror" }, { name: "other" }]);
});

test("every credential is a reference in the configuration, and its key is mounted or set where that points", async () => {
  const documents = await render({ files: values("production") });
  const { kafka, redis, sell } = configOf(documents);
  expect(sell.token).toBe("file:/run/secrets/sell-sink/sell.token");
  expect(kafka.sasl).toEqual({
    mechanism: "scram-sha-512",
    username: "${KAFKA_SASL_USERNAME}",
    password: "file:/run/secrets/sell-sink/kafka.sasl.password",
  });
  expect(kafka.tls).toEqual({ caFile: "/run/secrets/sell-sink/kafka.tls.caFile" });
  expect(redis.password).toBe("file:/run/secrets/sell-sink/redis.password");

  const { projected } = podOf(documents).volumes.find(({ name }: Manifest) => name === "secrets");
  expect(projected.sources).toContainEqual({
    secret: { name: "zendesk-sell", items: [{ key: "token", path: "sell.token" }] },
  });
  expect(projected.sources).toContainEqual({
    secret: { name: "sell-sink", items: [{ key: "redis.password", path: "redis.password" }] },
  });
  expect(containerOf(documents).env).toContainEqual({
    name: "KAFKA_SASL_USERNAME",
    valueFrom: { secretKeyRef: { name: "kafka-user", key: "username" } },
  });
  const mounts = containerOf(documents).volumeMounts;
  expect(mounts).toContainEqual({ name: "secrets", mountPath: "/run/secrets/sell-sink", readOnly: true });
  expect(mounts.filter((mount: object) => "subPath" in mount)).toEqual([]);
});

test("secrets as environment variables leave only certificates as files", async () => {
  const documents = await render({ files: values("everything") });
  expect(configOf(documents).sell.token).toBe("${SELL_TOKEN}");
  expect(configOf(documents).redis.url).toBe("${REDIS_URL}");
  const { projected } = podOf(documents).volumes.find(({ name }: Manifest) => name === "secrets");
  expect(projected.sources).toHaveLength(1);
});

test("no manifest but the Secret holds a secret, and the notes hold none", async () => {
  const canaries = {
    "sell.token": CANARIES["sell.token"],
    "redis.url": `redis://u:${CANARIES["redis.url"]}@redis:6379`,
  };
  const rendering = { files: values("everything"), values: { secrets: { values: canaries } } };
  const documents = await render(rendering);
  expect(leaksIn(JSON.stringify(one(documents, "Secret")))).toEqual(["sell.token", "redis.url"]);
  for (const document of documents.filter(({ kind }) => kind !== "Secret")) {
    expect(leaksIn(JSON.stringify(document))).toEqual([]);
  }
  expect(leaksIn(await notesOf(rendering))).toEqual([]);
});

test("a changed configuration or a changed Secret of ours rolls the pods, and nothing else does", async () => {
  const checksums = async (more: object): Promise<Manifest> =>
    one(await render({ files: values("everything"), values: more }), "Deployment").spec.template.metadata.annotations;
  const before = await checksums({});
  const other = await checksums({ config: { batch: { lingerMs: 2000 } } });
  const rotated = await checksums({ secrets: { values: { "sell.token": "another" } } });
  const scaled = await checksums({ replicas: 2 });
  expect(other["checksum/config"]).not.toBe(before["checksum/config"]);
  expect(other["checksum/secrets"]).toBe(before["checksum/secrets"]);
  expect(rotated["checksum/secrets"]).not.toBe(before["checksum/secrets"]);
  expect(scaled).toEqual(before);
});

test("Node's heap follows the memory limit, and only a limit", async () => {
  const heap = { name: "NODE_OPTIONS", value: "--max-old-space-size-percentage=60" };
  expect(containerOf(await render({ files: values("production") })).env).toContainEqual(heap);
  const extraEnv = [{ name: "COUNTRY", value: "DE" }];
  expect(containerOf(await render({ files: values("minimal"), values: { extraEnv } })).env).toEqual(extraEnv);
});

test("probes look at the three endpoints, and a start may take five minutes", async () => {
  const { startupProbe, readinessProbe, livenessProbe } = containerOf(await render({ files: values("production") }));
  const paths = [startupProbe, readinessProbe, livenessProbe].map(({ httpGet }) => httpGet.path);
  expect(paths).toEqual(["/startupz", "/readyz", "/livez"]);
  expect(startupProbe.failureThreshold * startupProbe.periodSeconds).toBe(300);
});

test("the network policy opens the ports that the configuration names, and no other", async () => {
  const portsOf = async (file: string): Promise<Manifest> =>
    one(await render({ files: values(file) }), "NetworkPolicy").spec.egress.map(({ ports }: Manifest) =>
      ports.map(({ port }: Manifest) => port),
    );
  expect(await portsOf("production")).toEqual([
    [53, 53],
    [443, 6380, 8081, 9093],
  ]);
  expect(await portsOf("everything")).toEqual([[53, 53], [3128, 6379, 8443, 9092], [8443]]);
});

test("the network policy knows every server that the configuration can name, and the usual port of one that a Secret names", async () => {
  const config = {
    kafka: {
      brokers: ["[::1]:9192"],
      sasl: {
        mechanism: "oauthbearer",
        tokenUrl: "https://id.example.com:9443/token",
        clientId: "c",
        clientSecret: "${S}",
      },
    },
    redis: { sentinels: { hosts: ["sentinel:26379"], name: "mymaster" } },
    schemaRegistry: {
      oauth: { tokenUrl: "http://id.example.com/token", clientId: "c", clientSecret: "${S}", logicalCluster: "l" },
    },
    sell: { proxy: "http://proxy:3129" },
  };
  const more = { config, credentials: { "schemaRegistry.url": {} } };
  const [, named] = one(await render({ files: values("minimal"), values: more }), "NetworkPolicy").spec.egress;
  const ports: readonly number[] = named.ports.map(({ port }: Manifest) => port);
  expect(ports.toSorted((a, b) => a - b)).toEqual([80, 443, 3129, 6379, 8081, 9192, 9443, 26_379]);
  const cluster = { config: { redis: { cluster: { nodes: ["a:7000", "b:7001"] } } } };
  const [, those] = one(await render({ files: values("minimal"), values: cluster }), "NetworkPolicy").spec.egress;
  expect(those.ports.map(({ port }: Manifest) => port)).toEqual([443, 7000, 7001, 9092]);
});

test("one replica has no disruption budget", async () => {
  const kinds = async (file: string) => (await render({ files: values(file) })).map(({ kind }) => kind);
  expect(await kinds("minimal")).not.toContain("PodDisruptionBudget");
  expect(await kinds("production")).toContain("PodDisruptionBudget");
});

test("a job runs a command with the configuration and the secrets of the connector, by hand unless it has a schedule", async () => {
  const documents = await render({ files: values("everything") });
  const { suspend, jobTemplate } = one(documents, "CronJob", "-resync").spec;
  const [container] = jobTemplate.spec.template.spec.containers;
  expect(suspend).toBe(true);
  expect(container.args).toEqual([
    "resync",
    "--topic",
    "erp.sales.customers",
    "--config",
    "/etc/sell-sink/config.yaml",
  ]);
  expect(container.volumeMounts).toEqual(containerOf(documents).volumeMounts);
  expect(container.env).toEqual(containerOf(documents).env);
  expect(container).not.toHaveProperty("livenessProbe");
  expect(one(documents, "CronJob", "-nightly").spec).toMatchObject({ suspend: false, schedule: "0 5 * * *" });
});

test("a job's pod is the connector's but for its command, its resources and what only a server needs", async () => {
  for (const file of ["everything", "production"]) {
    const jobs = { other: { args: ["plan"] } };
    const documents = await render({ files: values(file), values: { jobs } });
    const job = one(documents, "CronJob", "-other").spec.jobTemplate.spec.template.spec;
    const pod = podOf(documents);
    const same = [
      "imagePullSecrets",
      "securityContext",
      "serviceAccountName",
      "automountServiceAccountToken",
      "volumes",
    ];
    expect(pick(job, same)).toEqual(pick(pod, same));
    const ofContainer = ["image", "imagePullPolicy", "env", "envFrom", "securityContext", "volumeMounts", "resources"];
    expect(pick(job.containers[0], ofContainer)).toEqual(pick(pod.containers[0], ofContainer));
    expect(job.restartPolicy).toBe("Never");
  }
});

test("what the jobs run are commands and options that there are", async () => {
  const jobs = (await render({ files: values("everything") })).filter(({ kind }) => kind === "CronJob");
  const commands = jobs.map(({ spec }) => spec.jobTemplate.spec.template.spec.containers[0].args);
  expect(new Set(commands.map(([command]) => command))).toEqual(new Set(["plan", "resync", "adopt", "dlq"]));
  for (const args of commands) {
    const { code, err } = await runCli(args);
    expect([args, code, err]).toEqual([args, 2, expect.stringContaining("/etc/sell-sink/config.yaml cannot be read")]);
  }
});

test("pods are spread over hosts and zones unless said otherwise, and go where they are told", async () => {
  const spread = podOf(await render({ files: values("production") })).topologySpreadConstraints;
  expect(spread.map(({ topologyKey }: Manifest) => topologyKey)).toEqual([
    "kubernetes.io/hostname",
    "topology.kubernetes.io/zone",
  ]);
  expect(podOf(await render({ files: values("openshift") }))).not.toHaveProperty("topologySpreadConstraints");
  expect(podOf(await render({ files: values("everything") }))).toMatchObject({
    priorityClassName: "high",
    nodeSelector: { disk: "ssd" },
    tolerations: [{ key: "crm", operator: "Exists" }],
    topologySpreadConstraints: [{ topologyKey: "rack" }],
  });
});

test("without fsGroup the mounted secrets are readable all the same", async () => {
  const pod = podOf(await render({ files: values("openshift") }));
  expect(pod.securityContext).toEqual({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
  expect(pod.volumes.find(({ name }: Manifest) => name === "secrets").projected.defaultMode).toBe(0o444);
});

test("further manifests go through the template engine", async () => {
  const names = (await render({ files: values("everything") })).map(({ metadata }) => metadata.name);
  expect(names).toEqual(expect.arrayContaining(["x-extra", "x-text"]));
});

test.for(CI_VALUES.filter((file) => !file.includes("openshift")))(
  "%s: the connector takes the configuration that was rendered, numbers and templates unharmed",
  async (file) => {
    expect(parseConfigText(configTextOf(await render({ files: [file] })))).toEqual([]);
  },
);

test("large numbers come through as they are", async () => {
  const { routes, window } = configOf(await render({ files: values("production") }));
  expect(routes[0].fields.owner_id.value).toBe(4_711_123_456);
  expect(window.maxBytes).toBe(33_554_432);
});

test("NOTES does the arithmetic", async () => {
  const notes = await notesOf({ files: values("production") });
  expect(notes).toContain("R      = 5.94 requests/s");
  expect(notes).toContain("R x 20 records a request x 0.98 = 116.4 records/s");
  expect(notes).toContain("ceil(R x 0.8 s / 4 calls at a time), at most 12 partitions = 2");
  const core = await notesOf({ files: values("production"), values: { config: { sell: { dialect: "core" } } } });
  expect(core).toContain("R x 1 records a request");
  const flooded = await notesOf({ files: values("production"), values: { capacity: { arrivalsPerSecond: 200 } } });
  expect(flooded).toContain("WARNING: more arrives than the quota lets through");
});

test.for<[string, object]>([
  ["the default", {}],
  ["a profile of two windows", { profile: "sell-documented" }],
  ["a reserve", { windows: [{ limit: 400, perMs: 60_000 }], reserve: 40 }],
  ["a guard of one's own", { windows: [{ limit: 100, perMs: 1_000 }], guardMs: 500 }],
  ["a short window", { windows: [{ limit: 20, perMs: 200 }] }],
  ["a pause after each call", { windows: [{ limit: 200, perMs: 60_000 }], spacingMs: 5_000 }],
  ["a pause and no limit", { profile: "none", spacingMs: 2_000 }],
  ["no limit", { profile: "none" }],
])("NOTES and the gate agree on what is permitted with %s", async ([, quota]) => {
  const gate = quotaOf(quotaConfig.parse(quota));
  const perSecond = permitsPerSecond(gate, gate.slotMs);
  const said = /R {6}= ([\d.]+)/.exec(await notesOf({ files: values("minimal"), values: { config: { quota } } }));
  expect(Number(said?.[1] ?? 0)).toBeCloseTo(perSecond, 2);
});

let parent = "";

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), "sell-sink-parent-"));
});

afterAll(() => rm(parent, { recursive: true, force: true }));

test("it works inside another chart, whose global values it shares", async () => {
  await mkdir(join(parent, "charts"));
  await writeFile(join(parent, "Chart.yaml"), "apiVersion: v2\nname: parent\nversion: 1.0.0\n");
  await helm(["package", CHART, "-d", join(parent, "charts")]);
  const own = parse(readFileSync(values("minimal")[0] ?? "", "utf8"));
  const documents = await render({
    chart: parent,
    values: { global: { imageRegistry: "mirror.example.com", storageClass: "fast" }, "sell-sink": own },
  });
  expect(containerOf(documents).image).toMatch(/^mirror\.example\.com\/sell-sink:/);
});
