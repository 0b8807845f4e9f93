/** What the chart takes and what it refuses: the schema's closed values, and contradictions in one sentence. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { chartValues } from "../../src/config/chart-values.ts";
import { CHART, CI_VALUES, helm, type Manifest, refusalOf, render } from "./render.ts";

const MINIMAL = [join(CHART, "ci/minimal-values.yaml")];
const KEDA = [join(CHART, "ci/keda-values.yaml")];
const HIDDEN = [join(CHART, "ci/openshift-values.yaml")];
const minimal: Manifest = parse(readFileSync(join(CHART, "ci/minimal-values.yaml"), "utf8"));

test("values.yaml says every default, and nothing that is not declared", () => {
  const written = parse(readFileSync(join(CHART, "values.yaml"), "utf8"));
  expect(written).toEqual(chartValues.parse({ config: {} }));
});

test.for(CI_VALUES)("%s: the linter has nothing to say", async (file) => {
  expect(await helm(["lint", "--strict", CHART, "-f", file])).toContain("0 chart(s) failed");
});

const REFUSED_BY_SCHEMA: Readonly<Record<string, object>> = {
  "an unknown value": { replicaCount: 2 },
  "an unknown value deeper down": { image: { repo: "x" } },
  "a setting of the configuration at the top": { kafka: {} },
  "text for a number": { replicas: "two" },
  "a negative number of replicas": { replicas: -1 },
  "a tag in the place of the digest": { image: { digest: "latest" } },
  "an unknown pull policy": { image: { pullPolicy: "Sometimes" } },
  "an unknown strategy": { strategy: { type: "BlueGreen" } },
  "a credential of no setting": { credentials: { "sell.pasword": {} } },
  "a credential with a value": { credentials: { "sell.token": { value: "abc" } } },
  "secrets as something else": { secretsAs: "volume" },
  "an unknown setting of the configuration": { config: { sell: { tokn: "x" } } },
  "an unknown section of the configuration": { config: { kafak: {} } },
  "a setting out of its bounds": { config: { batch: { maxItems: 1000 } } },
  "a route without a topic": { config: { routes: [{ format: "json", entity: "accounts", key: "id", fields: {} }] } },
  "an unknown format": {
    config: { routes: [{ topic: "t", format: "xml", entity: "accounts", key: "id", fields: { name: "n" } }] },
  },
  "a SASL mechanism that does not exist": { config: { kafka: { sasl: { mechanism: "gssapi" } } } },
  "an interval that is no duration": { monitoring: { podMonitor: { interval: "often" } } },
  "an unknown alert": { monitoring: { rules: { alerts: { lagHigh: { threshold: 1 } } } } },
  "an unknown alert to exclude": { monitoring: { rules: { excludeRules: ["lagHigh"] } } },
  "a severity that nobody handles": { monitoring: { rules: { alerts: { stalled: { severity: "critical" } } } } },
  "a quota share above one": { autoscaling: { quotaSaturation: 1.5 } },
  "no replica at all under KEDA": { autoscaling: { minReplicas: 0 } },
  "a scale-down that follows every wave": { autoscaling: { scaleDownStabilizationSeconds: 30 } },
  "a job without arguments": { jobs: { plan: { command: ["plan"] } } },
  "a job's command as one text": { jobs: { plan: { args: "plan --json" } } },
  "a job that is tried again a negative number of times": { jobs: { plan: { args: ["plan"], backoffLimit: -1 } } },
  "a job with an image of its own": { jobs: { plan: { args: ["plan"], image: "x" } } },
  "a job whose name no object may have": { jobs: { Plan_A: { args: ["plan"] } } },
  "an eviction policy that does not exist": { pdb: { unhealthyPodEvictionPolicy: "Never" } },
  "minAvailable, which blocks drains": { pdb: { minAvailable: 1 } },
  "a name that is too long": { nameOverride: "n".repeat(64) },
  "a name that no object may have": { fullnameOverride: "Sell_Sink" },
  "a Secret's name that no object may have": { existingSecret: "My Secret" },
  "a job whose name leaves no room": { jobs: { ["j".repeat(41)]: { args: ["plan"] } } },
  "a schedule in words": { jobs: { plan: { args: ["plan"], schedule: "every day" } } },
  "a registry with a scheme": { image: { registry: "https://registry.example.com/" } },
  "a repository with a tag": { image: { repository: "sell-sink:1" } },
  "a tag with a blank": { image: { tag: "a b" } },
  "a number as a tag, which would lose its zeros": { image: { tag: 1.1 } },
  "a number of pods in words": { strategy: { maxUnavailable: "a lot" } },
  "less than no pod": { strategy: { maxSurge: -1 } },
  "a size that is none": { tmp: { sizeLimit: "big" } },
  "a Secret's key that none may have": { secrets: { values: { "sell token": "x" } } },
  "a number as an environment variable": { extraEnv: [{ name: "YEAR", value: 2026 }] },
  "environment variables as a map": { extraEnv: { COUNTRY: "DE" } },
};

test.for(Object.entries(REFUSED_BY_SCHEMA))("the schema refuses %s", async ([, values]) => {
  expect(await refusalOf({ files: MINIMAL, values })).toContain("values don't meet the specifications of the schema");
});

const CONTRADICTIONS: Readonly<Record<string, readonly [values: object, sentence: RegExp, files?: readonly string[]]>> =
  {
    "no image": [{ image: { repository: "" } }, /there is no public image. Build and push one/],
    "no configuration": [{ image: { repository: "x" }, existingSecret: "x" }, /config\.routes is empty/, []],
    "two configurations": [{ existingConfigMap: "x" }, /Both config and existingConfigMap/],
    "no Secret": [{ existingSecret: "" }, /credentials\[sell\.token\] names no Secret/],
    "two Secrets": [{ secrets: { create: true } }, /Both secrets\.create and existingSecret/],
    "a Secret without the value": [
      { existingSecret: "", secrets: { create: true } },
      /secrets\.values has no sell\.token/,
    ],
    "a credential for a section that is not there": [
      { credentials: { "redis.password": {} } },
      /config\.redis is not: add that section/,
    ],
    "a secret written into the configuration": [
      { credentials: { "sell.token": null }, config: { sell: { token: "abc" } } },
      /config\.sell\.token holds a secret itself/,
    ],
    "a password written into the configuration": [
      { config: { kafka: { sasl: { mechanism: "plain", username: "u", password: "abc" } } } },
      /config\.kafka\.sasl\.password holds a secret itself/,
    ],
    "a password in an address": [
      { config: { redis: { url: "redis://user:abc@redis:6379" } } },
      /config\.redis\.url holds a secret itself/,
    ],
    "a password of a proxy": [
      { config: { sell: { proxy: "http://u:abc@proxy:3128" } } },
      /config\.sell\.proxy holds a secret itself/,
    ],
    "no token at all": [{ credentials: { "sell.token": null } }, /sell\.token comes from nowhere/],
    "a login without a password": [
      { config: { kafka: { sasl: { mechanism: "plain", username: "u" } } } },
      /kafka\.sasl\.password comes from nowhere/,
    ],
    "a login without a user": [
      { config: { kafka: { sasl: { mechanism: "plain" } } }, credentials: { "kafka.sasl.password": {} } },
      /kafka\.sasl\.username comes from nowhere/,
    ],
    "a Redis that is nowhere": [{ config: { redis: {} } }, /config\.redis names no server/],
    "values for a Secret that is not made": [
      { secrets: { values: { "sell.token": "abc" } } },
      /secrets\.values is given and secrets\.create is off/,
    ],
    "a variable from two places": [
      { secretsAs: "env", extraEnv: [{ name: "SELL_TOKEN", value: "abc" }] },
      /extraEnv sets SELL_TOKEN, and so does a credential/,
    ],
    "a second configuration file": [{ extraArgs: ["--config", "/x"] }, /extraArgs names a --config/],
    "a second configuration file for a job": [
      { jobs: { plan: { args: ["plan", "--config=/x"] } } },
      /jobs\.plan names a --config/,
    ],
    "a connector as a job": [{ jobs: { more: { args: ["run"] } } }, /jobs\.more would run the connector itself/],
    "root that must not be root": [{ podSecurityContext: { runAsUser: 0 } }, /runAsUser 0 is root/],
    "ports that are hidden": [{ networkPolicy: { enabled: true } }, /existingConfigMap hides them/, HIDDEN],
    "a rollout that can replace nothing, in percent": [
      { strategy: { maxSurge: "0%", maxUnavailable: "0%" } },
      /no pod could ever/,
    ],
    "memory that is none": [{ resources: { limits: { memory: "1gb" } } }, /1gb is no amount of memory/],
    "a scrape that outlasts its interval": [
      { monitoring: { podMonitor: { enabled: true, interval: "30s", scrapeTimeout: "1m" } } },
      /podMonitor\.scrapeTimeout 1m is longer than its interval 30s/,
    ],
    "a Service that begins with a digit": [
      { service: { enabled: true }, fullnameOverride: "1-sink" },
      /A Service may not be called 1-sink/,
    ],
    "two quotas": [
      { config: { quota: { profile: "none", windows: [{ limit: 1, perMs: 1000 }] } } },
      /quota\.profile \(none\) and config\.quota\.windows/,
    ],
    "a quota that is all reserve": [
      { config: { quota: { windows: [{ limit: 10, perMs: 1000 }], reserve: 10 } } },
      /reserve 10 leaves nothing of the window of 10 calls/,
    ],
    "a login without a mechanism": [{ credentials: { "kafka.sasl.password": {} } }, /kafka\.sasl\.mechanism is not/],
    "a secret from two places": [
      { config: { sell: { token: "file:/run/mine" } } },
      /config\.sell\.token is written out and credentials\[sell\.token\] names a Secret/,
    ],
    "two replicas without Redis": [{ replicas: 2 }, /2 replicas need config\.redis/],
    "too little time to stop": [{ terminationGracePeriodSeconds: 20, preStopSleepSeconds: 10 }, /set 25 or more/],
    "a rollout that can replace nothing": [{ strategy: { maxSurge: 0, maxUnavailable: 0 } }, /no pod could ever/],
    "a budget that blocks every drain": [{ pdb: { maxUnavailable: 0 } }, /block every drain/],
    "less memory than a full window needs": [
      { resources: { limits: { memory: "256Mi" } } },
      /memory 256Mi is too little: .* Set 320Mi or more/,
    ],
    "an admin port only for itself": [{ config: { admin: { host: "127.0.0.1" } } }, /could not reach the probes/],
    "an admin port that nobody knows": [{ config: { admin: { port: 0 } } }, /probes need a known one/],
    "two monitors": [
      { monitoring: { podMonitor: { enabled: true }, serviceMonitor: { enabled: true } } },
      /every sum would double/,
    ],
    "autoscaling without the quota's use": [
      { autoscaling: { prometheusAddress: "" } },
      /prometheusAddress is empty/,
      KEDA,
    ],
    "more replicas than are useful": [
      { autoscaling: { maxReplicas: 9 } },
      /maxReplicas 9 is more than quota and partitions can use \(3\)/,
      KEDA,
    ],
    "a least number above the most": [
      { autoscaling: { minReplicas: 3, maxReplicas: 2 } },
      /minReplicas 3 is above/,
      KEDA,
    ],
    "KEDA without a login": [{ autoscaling: { authenticationRef: "" } }, /authenticationRef is empty/, KEDA],
    "alerts for a group that is hidden": [
      { monitoring: { rules: { enabled: true } } },
      /monitoring\.rules needs config\.kafka\.groupId/,
      HIDDEN,
    ],
  };

test.for(Object.entries(CONTRADICTIONS))("one sentence refuses %s", async ([, [values, sentence, files = MINIMAL]]) => {
  const refusal = await refusalOf({ files, values });
  expect(refusal).toMatch(sentence);
  expect(refusal).not.toContain("abc");
});

test("the cap is lifted by the one who knows better", async () => {
  const values = { autoscaling: { maxReplicas: 9, allowBeyondUseful: true } };
  await expect(render({ files: KEDA, values })).resolves.not.toHaveLength(0);
});

test("the least values are as small as the example says", () => {
  expect(Object.keys(minimal)).toEqual(["image", "replicas", "existingSecret", "config"]);
});
