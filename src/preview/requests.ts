/**
 * The requests that mutations would become, as far as they can be told without asking anybody: ids that only Sell knows are
 * named instead. The first write of each record; steps that depend on an answer are said in words.
 */
import { bulkCall } from "../deliver/bulk.ts";
import { coreCall } from "../deliver/core.ts";
import { createNotes } from "../deliver/notes.ts";
import { BULK_ITEMS } from "../deliver/plan-call.ts";
import { isRecord, resourceOf, withPriceList } from "../deliver/resources.ts";
import { ENTITIES, type Entity, type Mutation } from "../domain/mutation.ts";
import type { Verb, Write } from "../domain/receipt.ts";
import type { Remembered } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import { decide } from "../window/decide.ts";
import { entryId } from "../window/entry.ts";

export interface ShownRequest {
  readonly method: string;
  readonly path: string;
  /** Null: it has none. */
  readonly body: unknown;
  /** Records it is about. */
  readonly records: number;
  /** What follows from the answer; null: nothing. */
  readonly note: string | null;
}

export interface RequestSettings {
  readonly dialect: "bulk" | "core";
  readonly keyField: string;
  readonly maxItems: number;
}

interface Planned {
  readonly entity: Entity;
  readonly verb: Verb;
  readonly write: Write;
}

/** In the order they could leave in: parents before children, lookups before what needs them. Of one key the last whole image counts. */
export const requestsOf = (
  mutations: readonly Mutation[],
  settings: RequestSettings,
  clock: Clock,
): readonly ShownRequest[] => {
  const ids = new StandIns();
  const planned = lastOfEach(mutations).flatMap((mutation) => plansOf(mutation, ids));
  const requests: ShownRequest[] = [];
  for (const entity of ENTITIES)
    for (const verb of VERBS) {
      const writes = planned.filter((plan) => plan.entity === entity && plan.verb === verb).map(({ write }) => write);
      if (entity === "orders" && verb !== "lookup" && writes.length > 0) requests.push(stepsOf(writes));
      else
        for (const part of parts(writes, sizeOf(verb, settings)))
          requests.push(requestOf(part, entity, verb, settings, ids, clock));
    }
  return requests;
};

const VERBS = ["lookup", "upsert", "update", "delete"] as const;

const sizeOf = (verb: Verb, { dialect, maxItems }: RequestSettings): number =>
  verb === "lookup" || dialect === "core" ? 1 : Math.min(maxItems, BULK_ITEMS);

/** A newer whole image, or a delete, stands for what came before it. */
const lastOfEach = (mutations: readonly Mutation[]): readonly Mutation[] => {
  const kept: Mutation[] = [];
  const closed = new Set<string>();
  for (const mutation of mutations.toReversed()) {
    const id = entryId(mutation.entity, mutation.key);
    if (closed.has(id)) continue;
    kept.push(mutation);
    if (mutation.complete) closed.add(id);
  }
  return kept.toReversed();
};

/** The connector's own decision, with a stand-in for every id it would have remembered. */
const plansOf = (mutation: Mutation, ids: StandIns): readonly Planned[] => {
  const { entity, key, action, refs } = mutation;
  const parents = new Map(refs.map((ref) => [entryId(ref.entity, ref.key), ids.of(ref.entity, ref.key)]));
  const facts = { lookedUp: true, parents, trusted: false };
  const known = action === "update" || action === "delete" ? remembered(ids.of(entity, key)) : null;
  const decision = decide(mutation, { ...facts, known });
  if (decision.kind !== "send") return [];
  const { verb, id, body } = decision.plan;
  const lookup: Planned = { entity, verb: "lookup", write: { entity, key, id: null, body: {} } };
  return [
    ...(action === "upsert" ? [] : [lookup]),
    { entity, verb, write: { entity, key, id, body: withPriceList(body) } },
  ];
};

const remembered = (id: number): Remembered => ({
  ...{ id, deleted: false, version: null, route: null, fingerprint: null },
  ...{ acceptedAtMs: 0, from: "" },
});

const requestOf = (
  writes: readonly Write[],
  entity: Entity,
  verb: Verb,
  { dialect, keyField }: RequestSettings,
  ids: StandIns,
  clock: Clock,
): ShownRequest => {
  const resource = resourceOf(entity);
  const [first] = writes;
  const isBulk = dialect === "bulk" && verb !== "lookup";
  const context = { keyField, skus: createNotes<never>(clock, 1), nowMs: clock.monotonicMs(), openMs: 1 };
  const call =
    isBulk || first === undefined
      ? bulkCall({ entity, verb, writes }, verb === "lookup" ? "upsert" : verb, resource, {
          keyField,
          serial: 1,
          isAsync: false,
        })
      : coreCall(first, verb, resource, context);
  if (!("request" in call)) return { method: "", path: "", body: null, records: 0, note: null };
  const { method, path, body } = call.request;
  return {
    method,
    path: ids.named(path),
    body: body === null ? null : ids.shown(JSON.parse(body)),
    records: writes.length,
    note: noteOf(verb, method),
  };
};

const noteOf = (verb: Verb, method: string): string | null => {
  if (verb === "lookup") return "only as long as the record's id is not remembered";
  return verb === "upsert" && method === "GET" ? "then a POST or PUT, as the answer allows" : null;
};

const stepsOf = (writes: readonly Write[]): ShownRequest => ({
  ...{
    method: "POST",
    path: resourceOf("orders").corePath,
    body: writes.map(({ body }) => body),
    records: writes.length,
  },
  note: "an order is written in steps: the order itself, then its lines one by one, as far as they differ",
});

const parts = <T>(all: readonly T[], size: number): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, part) => all.slice(part * size, (part + 1) * size));

/** Numbers that no record of Sell has, in the place of ids that nobody was asked for; and the words to show for them. */
class StandIns {
  readonly #words = new Map<number, string>();
  readonly #ids = new Map<string, number>();

  of(entity: Entity, key: string): number {
    const name = entryId(entity, key);
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    const id = Number.MIN_SAFE_INTEGER + this.#ids.size;
    this.#ids.set(name, id);
    this.#words.set(id, `<id of ${entity} ${key}>`);
    return id;
  }

  named(path: string): string {
    return path.replace(/-9007\d+/g, (digits) => this.#words.get(Number(digits)) ?? digits);
  }

  /** The body with words instead of stand-ins, and of names that become ids. */
  shown(value: unknown): unknown {
    if (typeof value === "number") return this.#words.get(value) ?? value;
    if (Array.isArray(value)) return value.map((item) => this.shown(item));
    if (!isRecord(value)) return value;
    if ("$owner" in value) return `<id of the user ${value["$owner"]}>`;
    if ("$stage" in value) return `<id of the stage ${value["$stage"]}>`;
    if ("$tags" in value) return this.shown(value["$tags"]);
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, this.shown(inner)]));
  }
}
