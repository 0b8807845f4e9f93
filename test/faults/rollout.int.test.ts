/** What a rollout costs the group, by the strategy of the chart's Deployment: rebalances, as the members themselves live them. */
import { expect, test } from "vitest";
import type { Replica } from "../support/replica.ts";
import { until } from "../support/until.ts";
import { World } from "../support/world.ts";

const PODS = ["a", "b", "c"];
const PARTITIONS = 6;
const TOPICS = 2;

const joins = (replica: Replica): number => replica.said("joined").length;

/** Rebalances while `act` runs: the most joins of one member, old or new. */
const rebalancesOf = async (old: readonly Replica[], act: () => Promise<readonly Replica[]>): Promise<number> => {
  const before = old.map(joins);
  const fresh = await act();
  return Math.max(...old.map((replica, index) => joins(replica) - (before[index] ?? 0)), ...fresh.map(joins));
};

/** The group has come to rest: each partition has one owner again. */
const settled = async (replicas: readonly Replica[]): Promise<void> => {
  await until(async () => {
    const owned = await Promise.all(replicas.map((replica) => replica.metric("sell_sink_assigned")));
    return owned.every((count) => count > 0) && owned.reduce((sum, count) => sum + count, 0) === TOPICS * PARTITIONS;
  }, "each partition has an owner");
};

type Strategy = (world: World, pods: readonly Replica[]) => Promise<number>;

/** A pod that ends counts as gone for the Deployment, so its successor starts at once. */
const withoutSurge: Strategy = async (world, pods) => {
  let [sum, living] = [0, [...pods]];
  for (const pod of pods) {
    sum += await rebalancesOf(living, async () => {
      const [next] = await Promise.all([world.start(`${pod.name}2`), pod.stop()]);
      living = [...living.filter((other) => other !== pod), next];
      await settled(living);
      return [next];
    });
  }
  return sum;
};

const withSurge: Strategy = async (world, pods) => {
  let [sum, living] = [0, [...pods]];
  for (const pod of pods) {
    sum += await rebalancesOf(living, async () => {
      const next = await world.start(`${pod.name}2`);
      await settled([...living, next]);
      await pod.stop();
      living = [...living.filter((other) => other !== pod), next];
      await settled(living);
      return [next];
    });
  }
  return sum;
};

const recreate: Strategy = (world, pods) =>
  rebalancesOf(pods, async () => {
    await Promise.all(pods.map((pod) => pod.stop()));
    const next = await world.startAll(pods.map(({ name }) => `${name}2`));
    await settled(next);
    return next;
  });

test.for<[string, Strategy, number]>([
  ["RollingUpdate without surge", withoutSurge, 2 * PODS.length],
  ["RollingUpdate with a surge of one", withSurge, 2 * PODS.length],
  ["Recreate", recreate, PODS.length],
])("%s of three replicas", async ([name, rollOut, most]) => {
  await using world = await World.create({ partitions: PARTITIONS });
  const pods = await world.startAll(PODS);
  await settled(pods);
  const rebalances = await rollOut(world, pods);
  process.stderr.write(`${name}: ${rebalances} rebalances\n`);
  expect(rebalances).toBeLessThanOrEqual(most);
});
