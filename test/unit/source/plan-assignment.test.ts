import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PartitionsByTopic } from "../../../src/source/ownership.ts";
import { type Member, planAssignment } from "../../../src/source/plan-assignment.ts";

type Plan = ReadonlyMap<string, PartitionsByTopic>;

/** Topics with 0 to 24 partitions each. */
const partitions = fc
  .array(fc.nat(24), { minLength: 1, maxLength: 4 })
  .map((counts): PartitionsByTopic => Object.fromEntries(counts.map((count, i) => [`topic-${i}`, range(count)])));

/** Members of one application: all read all topics; their claims may be anything. */
const scene = partitions.chain((topics) =>
  fc.record({
    topics: fc.constant(topics),
    members: fc
      .array(fc.dictionary(fc.constantFrom(...Object.keys(topics)), fc.array(fc.nat(30))), {
        minLength: 1,
        maxLength: 7,
      })
      .map((claims) => claims.map((own, i) => member(`m${i}`, Object.keys(topics), own))),
  }),
);

describe("the assignment plan", () => {
  it("gives every partition of every topic to exactly one member", () => {
    fc.assert(
      fc.property(scene, ({ topics, members }) => {
        expect(rows(planAssignment(members, topics)).sort()).toEqual(allRows(topics).sort());
      }),
    );
  });

  it("gives partition p of all topics to one member", () => {
    fc.assert(
      fc.property(scene, ({ topics, members }) => {
        const owners = new Map<number, Set<string>>();
        for (const [memberId, assignment] of planAssignment(members, topics)) {
          for (const number of Object.values(assignment).flat()) {
            owners.set(number, (owners.get(number) ?? new Set()).add(memberId));
          }
        }
        for (const ids of owners.values()) expect(ids.size).toBe(1);
      }),
    );
  });

  it("keeps loads within one number of each other, weighed by topics", () => {
    fc.assert(
      fc.property(scene, ({ topics, members }) => {
        const loads = [...planAssignment(members, topics).values()].map((assignment) => rowsOf(assignment).length);
        expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(Object.keys(topics).length);
      }),
    );
  });

  it("moves nothing when nothing changed", () => {
    fc.assert(
      fc.property(scene, ({ topics, members }) => {
        const plan = planAssignment(members, topics);
        expect(planAssignment(afterwards(members, plan), topics)).toEqual(plan);
      }),
    );
  });

  it("depends on members and claims, not on the order the group lists them in", () => {
    fc.assert(
      fc.property(scene, ({ topics, members }) => {
        expect(planAssignment([...members].reverse(), topics)).toEqual(planAssignment(members, topics));
      }),
    );
  });

  it("moves only to the newcomer when a member joins, and no more than its share", () => {
    fc.assert(
      fc.property(fc.nat(30), fc.integer({ min: 1, max: 6 }), (count, size) => {
        const topics = { orders: range(count), customers: range(count) };
        const before = settled(size, topics);
        const after = planAssignment([...before, member("newcomer", Object.keys(topics), {})], topics);
        const moved = before.flatMap(({ memberId, claims }) => missing(claims, after.get(memberId) ?? {}));
        expect(rowsOf(after.get("newcomer") ?? {}).sort()).toEqual(moved.sort());
        expect(moved.length).toBeLessThanOrEqual(2 * Math.ceil(count / (size + 1)));
      }),
    );
  });

  it("takes nothing from those who stay when a member leaves", () => {
    fc.assert(
      fc.property(fc.nat(30), fc.integer({ min: 2, max: 6 }), (count, size) => {
        const topics = { orders: range(count), customers: range(count) };
        const [, ...stay] = settled(size, topics);
        const after = planAssignment(stay, topics);
        for (const { memberId, claims } of stay) expect(missing(claims, after.get(memberId) ?? {})).toEqual([]);
      }),
    );
  });

  it("weighs numbers: 12 and 5 partitions on three members give 6, 6 and 5", () => {
    const loads = [...planAssignment(fresh(3, TWELVE_AND_FIVE), TWELVE_AND_FIVE).values()].map(
      (own) => rowsOf(own).length,
    );
    expect(loads.sort()).toEqual([5, 6, 6]);
  });

  it("gives a topic only to members that subscribe it, while a rollout changes the topics", () => {
    const members = [member("old", ["a"], { a: [0, 1] }), member("new", ["a", "b"], {})];
    const plan = planAssignment(members, { a: [0, 1], b: [0, 1] });
    expect(plan.get("old")?.b).toBeUndefined();
    expect(plan.get("new")?.b).toEqual([0, 1]);
    expect(rows(plan)).toHaveLength(4);
  });
});

const TWELVE_AND_FIVE = { customers: range(12), orders: range(5) };

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

function member(memberId: string, topics: readonly string[], claims: PartitionsByTopic): Member {
  return { memberId, topics, claims };
}

const fresh = (size: number, topics: PartitionsByTopic): Member[] =>
  range(size).map((i) => member(`m${i}`, Object.keys(topics), {}));

const afterwards = (members: readonly Member[], plan: Plan): Member[] =>
  members.map((one) => ({ ...one, claims: plan.get(one.memberId) ?? {} }));

const settled = (size: number, topics: PartitionsByTopic): Member[] =>
  afterwards(fresh(size, topics), planAssignment(fresh(size, topics), topics));

const rowsOf = (assignment: PartitionsByTopic): string[] =>
  Object.entries(assignment).flatMap(([topic, numbers]) => numbers.map((number) => `${topic}[${number}]`));

const allRows = rowsOf;
const rows = (plan: Plan): string[] => [...plan.values()].flatMap(rowsOf);

const missing = (before: PartitionsByTopic, after: PartitionsByTopic): string[] => {
  const now = new Set(rowsOf(after));
  return rowsOf(before).filter((row) => !now.has(row));
};
