/** KEDA's formula, computed as KEDA and the autoscaler would: a backlog adds replicas, a used-up quota never does. */
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { beforeAll, expect, test } from "vitest";
import { CHART, type Manifest, one, render } from "./render.ts";

let scaled: Manifest;

beforeAll(async () => {
  const files = [join(CHART, "ci/keda-values.yaml")];
  const values = { autoscaling: { maxReplicas: 12, allowBeyondUseful: true } };
  scaled = one(await render({ files, values }), "ScaledObject");
});

interface Seen {
  readonly lag: number;
  readonly sat: number;
  readonly pods: number;
}

/** Desired replicas: the formula's language is, for what it uses here, JavaScript's. */
const desired = ({ lag, sat, pods }: Seen): number => {
  const { formula, target } = scaled.spec.advanced.scalingModifiers;
  expect(formula).toMatch(/^[\w\s.()+*>=&?:]+$/);
  const metric: number = runInNewContext(formula, { lag0: lag / 2, lag1: lag / 2, sat, pods });
  const { minReplicaCount, maxReplicaCount } = scaled.spec;
  return Math.min(maxReplicaCount, Math.max(minReplicaCount, Math.ceil(metric / Number(target))));
};

test("a backlog with quota left adds replicas", () => {
  expect(desired({ lag: 90_000, sat: 0.2, pods: 3 })).toBe(12);
});

test("with the quota used up a backlog keeps the replicas there are", () => {
  expect(desired({ lag: 90_000, sat: 0.99, pods: 3 })).toBe(3);
});

test("with the quota used up a small backlog still takes replicas away", () => {
  expect(desired({ lag: 1_500, sat: 0.99, pods: 3 })).toBe(2);
});

test("without a backlog one replica stays, never none", () => {
  expect(desired({ lag: 0, sat: 0, pods: 3 })).toBe(1);
});

test("each name in the formula is a trigger, and each trigger is used", () => {
  const names: readonly string[] = scaled.spec.triggers.map(({ name }: Manifest) => name);
  const used = new Set(scaled.spec.advanced.scalingModifiers.formula.match(/[a-z]\w*/g));
  expect([...used].toSorted()).toEqual([...names].toSorted());
});

test("a lag that stands still is a lag, and a KEDA that sees nothing leaves everything as it is", () => {
  for (const { type, metadata } of scaled.spec.triggers) {
    if (type === "kafka") expect(metadata.excludePersistentLag).toBe("false");
    else expect(metadata.ignoreNullValues).toBe("false");
  }
  expect(scaled.spec.fallback.behavior).toBe("currentReplicas");
});

test("it takes replicas away slowly, one at a time", () => {
  const { scaleDown } = scaled.spec.advanced.horizontalPodAutoscalerConfig.behavior;
  expect(scaleDown.stabilizationWindowSeconds).toBeGreaterThanOrEqual(600);
  expect(scaleDown.policies).toEqual([{ type: "Pods", value: 1, periodSeconds: 300 }]);
});
