/**
 * What one window's worth of changes comes to: the connector gathers changes of one record only while they wait in memory
 * together, so the plan does the same, and needs no more memory. Pure.
 */
import type { Entity, Lane, Mutation } from "../domain/mutation.ts";
import type { Verb } from "../domain/receipt.ts";
import type { EntityId, Remembered } from "../domain/stages.ts";
import { decide } from "../window/decide.ts";
import { entryId } from "../window/entry.ts";
import { judge } from "../window/guard.ts";

export interface Counts {
  /** After compaction: one for each record of Sell in each window. */
  readonly writes: number;
  /** Needing no write: what Sell holds already, what is older than that, and what there is no record for. */
  readonly unneeded: number;
  /** The store knows no id: Sell may know better. */
  readonly creations: number;
  readonly updates: number;
  readonly deletions: number;
  readonly calls: number;
}

export const NO_COUNTS: Counts = { writes: 0, unneeded: 0, creations: 0, updates: 0, deletions: 0, calls: 0 };

export const sumOfCounts = (a: Counts, b: Counts): Counts => ({
  writes: a.writes + b.writes,
  unneeded: a.unneeded + b.unneeded,
  creations: a.creations + b.creations,
  updates: a.updates + b.updates,
  deletions: a.deletions + b.deletions,
  calls: a.calls + b.calls,
});

export interface Memory {
  /** Of an entry id; null: nothing is remembered. */
  of(id: string): Remembered | null;
  /** It would have been created by an earlier window of this plan. */
  isNew(id: string): boolean;
}

/** The last change of each record, in the order of their first. */
export const lastOfEach = (mutations: readonly Mutation[]): ReadonlyMap<string, Mutation> =>
  new Map(mutations.map((mutation) => [entryId(mutation.entity, mutation.key), mutation]));

/** What must be recalled to plan them: the records and those they refer to. */
export const idsOf = (mutations: Iterable<Mutation>): readonly EntityId[] => {
  const ids = new Map<string, EntityId>();
  for (const { entity, key, refs } of mutations)
    for (const id of [{ entity, key }, ...refs])
      ids.set(entryId(id.entity, id.key), { entity: id.entity, key: id.key });
  return [...ids.values()];
};

type Fate = "unneeded" | "create" | "update" | "delete";

/** Counts of each lane; `created` gets the ids of what would be new. */
export const planChunk = (
  changes: ReadonlyMap<string, Mutation>,
  memory: Memory,
  perCall: number,
  created: (id: string) => void,
): Readonly<Record<Lane, Counts>> => {
  const lanes: Record<Lane, Counts> = { live: NO_COUNTS, backfill: NO_COUNTS };
  const groups = new Map<string, { readonly lane: Lane; readonly size: number; writes: number }>();
  const group = (lane: Lane, entity: Entity, verb: string, size: number, writes = 1): void => {
    const name = `${lane} ${entity} ${verb}`;
    const known = groups.get(name);
    if (known === undefined) groups.set(name, { lane, size, writes });
    else known.writes += writes;
  };
  for (const [id, mutation] of changes) {
    const { lane, entity, onCreate } = mutation;
    const fate = fateOf(mutation, id, memory);
    lanes[lane] = sumOfCounts(lanes[lane], countsOf(fate));
    if (fate === "unneeded") continue;
    const knowsId = memory.of(id)?.id != null || memory.isNew(id);
    if (fate === "create") created(id);
    if (!knowsId && mutation.action !== "upsert") group(lane, entity, "lookup", 1);
    group(lane, entity, verbOf(mutation, knowsId), sizeOf(mutation, perCall), stepsOf(mutation, perCall));
    if (fate === "create" && Object.keys(onCreate).length > 0) group(lane, entity, "complete", perCall);
  }
  for (const { lane, size, writes } of groups.values())
    lanes[lane] = { ...lanes[lane], calls: lanes[lane].calls + Math.ceil(writes / size) };
  return lanes;
};

/** Requests hold one verb; a record that must not be brought back is updated by its id. */
const verbOf = ({ action, onMissing }: Mutation, knowsId: boolean): Verb => {
  switch (action) {
    case "upsert":
      return knowsId && onMissing !== "recreate" ? "update" : "upsert";
    case "create":
      return "upsert";
    case "update":
    case "delete":
      return action;
  }
};

/** The connector's own judgement. References are taken for known: their records come first. */
const fateOf = (mutation: Mutation, id: string, memory: Memory): Fate => {
  const known = memory.of(id);
  if (judge(mutation, known) !== "apply") return "unneeded";
  const parents = new Map(
    mutation.refs.map((ref) => {
      const parent = entryId(ref.entity, ref.key);
      return [parent, memory.of(parent)?.id ?? 0];
    }),
  );
  if (mutation.action === "delete") return known?.deleted === true ? "unneeded" : "delete";
  const isKnown = (known !== null && !known.deleted && known.id !== null) || memory.isNew(id);
  if (mutation.action === "update") return known?.deleted === true ? "unneeded" : "update";
  const decision = decide(mutation, { known, lookedUp: true, parents, trusted: true });
  if (decision.kind === "done") return "unneeded";
  return isKnown ? "update" : "create";
};

const countsOf = (fate: Fate): Counts => ({
  writes: 1,
  unneeded: fate === "unneeded" ? 1 : 0,
  creations: fate === "create" ? 1 : 0,
  updates: fate === "update" ? 1 : 0,
  deletions: fate === "delete" ? 1 : 0,
  calls: 0,
});

/** Records that share a call at best: lines of an order take a call each. */
export const sizeOf = ({ entity }: Mutation, perCall: number): number => (entity === "orders" ? 1 : perCall);

/** Calls of one record, where it does not share them. */
export const stepsOf = ({ entity, fields }: Mutation, perCall: number): number => {
  if (entity === "orders") return 1 + (Array.isArray(fields["lines"]) ? fields["lines"].length : 0);
  // Without a bulk endpoint a product is looked up by its sku first.
  return entity === "products" && perCall === 1 ? 2 : 1;
};
