import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Mutation } from "../../../src/domain/mutation.ts";
import type { Remembered } from "../../../src/domain/stages.ts";
import { idsOf, lastOfEach, planChunk, sumOfCounts } from "../../../src/plan/chunk.ts";
import { aMutation } from "../../support/builders.ts";

const remembered = (memory: Partial<Remembered> = {}): Remembered => ({
  ...{ id: 7, deleted: false, version: null, route: "r", fingerprint: null, acceptedAtMs: 0, from: "t[0]@1" },
  ...memory,
});

const planned = (mutations: readonly Mutation[], known: Readonly<Record<string, Remembered>> = {}, perCall = 10) => {
  const created = new Set<string>();
  const memory = { of: (id: string) => known[id] ?? null, isNew: (id: string) => created.has(id) };
  const lanes = planChunk(lastOfEach(mutations), memory, perCall, (id) => created.add(id));
  return { ...sumOfCounts(lanes.live, lanes.backfill), lanes, created: [...created] };
};

const account = (key: number | string, mutation: Partial<Mutation> = {}): Mutation =>
  aMutation({ entity: "accounts", key: String(key), onCreate: {}, refs: [], version: null, ...mutation });

test("changes of one record are one write, records of one verb share calls", () => {
  const mutations = Array.from({ length: 30 }, (_, at) => account(at % 15));
  expect(planned(mutations)).toMatchObject({ writes: 15, creations: 15, calls: 2 });
});

test("what is remembered is updated by id, what was deleted is created again", () => {
  const known = { "accounts/1": remembered(), "accounts/2": remembered({ id: null, deleted: true }) };
  expect(planned([account(1), account(2), account(3)], known)).toMatchObject({ updates: 1, creations: 2, calls: 1 });
});

test("a delete needs the id: it is looked up where nobody remembers it, and not sent where it is gone", () => {
  const known = { "accounts/1": remembered(), "accounts/2": remembered({ id: null, deleted: true }) };
  const gone = [1, 2, 3].map((key) => account(key, { action: "delete" }));
  expect(planned(gone, known)).toMatchObject({ deletions: 2, unneeded: 1, calls: 2 });
});

test("a newer delete of what is gone already needs no call", () => {
  const version = (at: string) => ({ kind: "sequence" as const, parts: [at] });
  const again = account(1, { action: "delete", version: version("5"), route: "r", origin: "streamed" });
  const known = { "accounts/1": remembered({ id: null, deleted: true, version: version("4") }) };
  expect(planned([again], known)).toMatchObject({ unneeded: 1, deletions: 0, calls: 0 });
});

test("fields that only a new record gets take a second write", () => {
  const mutations = [1, 2].map((key) => account(key, { onCreate: { owner_id: 7 } }));
  expect(planned(mutations)).toMatchObject({ creations: 2, calls: 2 });
  expect(planned(mutations, { "accounts/1": remembered(), "accounts/2": remembered() })).toMatchObject({ calls: 1 });
});

test("what is older than what was accepted needs no write", () => {
  const version = (at: string) => ({ kind: "sequence" as const, parts: [at] });
  const old = account(1, { version: version("3"), route: "r", origin: "streamed" });
  expect(planned([old], { "accounts/1": remembered({ version: version("4") }) })).toMatchObject({
    unneeded: 1,
    calls: 0,
  });
});

test("lanes have calls of their own, and the core dialect one a record", () => {
  const mutations = [account(1), account(2), account(3, { lane: "backfill" })];
  const { lanes } = planned(mutations, {}, 1);
  expect([lanes.live.calls, lanes.backfill.calls]).toEqual([2, 1]);
});

describe("orders and products", () => {
  test("take a call for each line, and one more to look a product up", () => {
    const order = account("9", { entity: "orders", fields: { lines: [{}, {}] } });
    expect(planned([order])).toMatchObject({ calls: 3 });
    expect(planned([account("9", { entity: "products" })], {}, 1)).toMatchObject({ calls: 2 });
  });
});

test("parents are recalled with their children, each id once", () => {
  const refs = [{ field: "contact_id", entity: "accounts" as const, key: "7" }];
  const deals = ["1", "2"].map((key) => account(key, { entity: "deals", refs }));
  expect(idsOf(deals).map(({ entity, key }) => `${entity} ${key}`)).toEqual(["deals 1", "accounts 7", "deals 2"]);
});

test("every write is needless, a creation, an update or a deletion, and calls never exceed writes and their steps", () => {
  const mutation = fc.record({
    key: fc.integer({ min: 1, max: 6 }),
    action: fc.constantFrom("upsert", "create", "update", "delete"),
    lane: fc.constantFrom("live", "backfill"),
  });
  const memory = fc.dictionary(
    fc.constantFrom("accounts/1", "accounts/2", "accounts/3"),
    fc.constantFrom(remembered(), remembered({ id: null, deleted: true })),
  );
  fc.assert(
    fc.property(fc.array(mutation), memory, (some, known) => {
      const mutations = some.map(({ key, ...rest }) => account(key, rest));
      const plan = planned(mutations, known);
      expect(plan.writes).toBe(new Set(some.map(({ key }) => key)).size);
      expect(plan.unneeded + plan.creations + plan.updates + plan.deletions).toBe(plan.writes);
      expect(plan.calls).toBeLessThanOrEqual(2 * (plan.writes - plan.unneeded));
    }),
  );
});
