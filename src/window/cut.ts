/** A batch as it is cut from the window: what goes out, and the entries it stands for. */
import assert from "node:assert";
import type { Lane } from "../domain/mutation.ts";
import type { Batch } from "../domain/receipt.ts";
import type { Entry } from "./entry.ts";

/** Why it left: full, its oldest entry waited long enough, or it is a part of an earlier one. */
export type ClosedBy = "count" | "age" | "retry";

/** The entries, in the order of the writes, stay locked until each outcome was told. */
export interface Cut extends Batch {
  readonly lane: Lane;
  readonly closedBy: ClosedBy;
  readonly entries: readonly Entry[];
}

export const cut = (entries: readonly Entry[], lane: Lane, closedBy: ClosedBy): Cut => {
  const [first] = entries;
  assert.ok(first?.plan, "a batch is never empty");
  const writes = entries.map((entry) => {
    assert.ok(entry.plan, "an entry leaves only with a plan");
    const { entity, key, plan, series } = entry;
    entry.state = "in-flight";
    entry.pinned = entry.standsFor;
    return { entity, key, id: plan.id, body: plan.body, series };
  });
  return { entity: first.entity, verb: first.plan.verb, writes, lane, closedBy, entries };
};
