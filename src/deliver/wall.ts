/**
 * A firewall in front of Sell answers with a page of its own. Where it dislikes one record, that record alone is in trouble;
 * where it lets nobody pass, no record is. Only requests of one record tell the two apart: so many of them in a row, each of
 * another record, and none in between that Sell itself had a word on.
 */
import type { Entity } from "../domain/mutation.ts";
import { isVerdict, type Outcome, type Write } from "../domain/receipt.ts";
import { BLOCKED } from "./classify.ts";

/** Records that did not pass, one request each: a batch of 50 gives as many after a dozen requests. */
const EVIDENCE = 5;

export class Wall {
  /** Keys that did not pass since the last word of Sell, by entity; at most `EVIDENCE` of each. */
  readonly #stopped = new Map<Entity, Set<string>>();

  /** Call with every receipt, `outcomes` in the order of `writes`. True: nothing of this entity passes, and neither did this. */
  stands(entity: Entity, writes: readonly Write[], outcomes: readonly Outcome[]): boolean {
    if (outcomes.some(isVerdict)) this.#stopped.delete(entity);
    if (!outcomes.some(isBlocked)) return false;
    const keys = this.#stopped.get(entity) ?? new Set();
    this.#stopped.set(entity, keys);
    const [write, ...others] = writes;
    if (write !== undefined && others.length === 0 && keys.size < EVIDENCE) keys.add(write.key);
    return keys.size === EVIDENCE;
  }
}

const isBlocked = (outcome: Outcome): boolean => "reason" in outcome && outcome.reason === BLOCKED;
