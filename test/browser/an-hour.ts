/** An hour of a replica, made up for the picture in the README: Sell asks for a wait of twenty minutes, then the backlog goes. */
import type { Entity } from "../../src/domain/mutation.ts";
import { aGateState } from "../support/gate-state.ts";
import { aPartition, aSnapshot, StatusWorld } from "../support/status-world.ts";

const LOOKS = 360;
const COOL_FROM = 216;
const COOL_TO = 336;
const SECONDS = 10;
const CALLS = 33;
const TOPICS = ["erp.sales.customers", "erp.sales.orders"];
const PARTITIONS = 5;

export const anHour = async (): Promise<StatusWorld> => {
  const world = new StatusWorld();
  let [ended, next] = [40_000, 40_000];
  for (let look = 0; look < LOOKS; look++) {
    const arrived = SECONDS * (8 + 3 * Math.sin(look / 25));
    const isCool = look >= COOL_FROM && look < COOL_TO;
    const workedOff = isCool ? 0 : Math.min(ended + arrived - next, 30 * SECONDS);
    ended += arrived;
    next += workedOff;
    deliver(world, workedOff, look);
    const ageS = look < COOL_FROM ? 2 + (look % 3) : (ended - next) / 9;
    await world.looks(stateOf(ended, next, ageS, isCool ? (COOL_TO - look) * SECONDS * 1_000 : 0));
  }
  return world;
};

const deliver = (world: StatusWorld, records: number, look: number): void => {
  const calls = records > 20 * SECONDS ? CALLS : Math.min(CALLS, Math.ceil(records / 12));
  for (let call = 0; call < calls; call++) {
    const items = calls === CALLS ? (call % 11 === 0 ? 38 : 50) : 6 + ((look + call) % 5);
    const reason = items === 50 ? "count" : "age";
    world.emit("batch-closed", { reason, verb: "upsert", items, changes: items + 4 });
    world.call("200");
  }
  for (let record = 0; record < records * 0.8; record++) {
    world.emit("delivered", { topic: "erp.sales.orders", result: "updated", latencyMs: 900 });
  }
  const letter = { topic: "erp.sales.orders", position: "erp.sales.orders[0]@7", message: "" };
  if (look % 50 === 9) world.emit("dead-lettered", { ...letter, reason: "invalid-record" });
  if (look === 60 || look === 340) world.emit("dead-lettered", { ...letter, reason: "unresolved-reference" });
};

const stateOf = (end: number, next: number, ageS: number, cooldownLeftMs: number) => {
  const all = TOPICS.length * PARTITIONS;
  const lag = end - next;
  // Some partitions take more than others.
  const partOf = (records: number, i: number): number =>
    Math.floor((records / all) * (0.5 + ((i * 7) % all) / (all - 1)));
  return aSnapshot({
    gate: aGateState({
      windows: [{ limit: 200, perMs: 60_000, used: cooldownLeftMs > 0 ? 0 : lag > 500 ? 198 : 48 }],
      ...{ permitsPerSecond: 200 / 60, replicas: 2, cooldownLeftMs },
    }),
    parked: new Map<Entity, number>([["deals", 3]]),
    windowRecords: Math.min(20_000, Math.round(lag)),
    partitions: Array.from({ length: all }, (_, i) =>
      aPartition({
        topic: TOPICS[i % TOPICS.length] ?? "",
        partition: Math.floor(i / TOPICS.length),
        endOffset: partOf(end, i),
        lag: partOf(end, i) - partOf(next, i),
        oldestPendingAgeS: { live: ageS * (1 - ((i * 3) % all) / (3 * all)), backfill: 0 },
        paused: cooldownLeftMs > 0 ? "quota" : null,
      }),
    ),
  });
};
