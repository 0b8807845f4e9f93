/** The sentence on top of the page, over a table of states. */
import { expect, test } from "vitest";
import { LATE_S, type Situation, type Verdict, verdictOf } from "../../../src/admin/verdict.ts";

const WELL: Situation = {
  ...{ ageS: { live: 0, backfill: 0 }, backlog: 0, drainS: 0, owned: 6 },
  ...{ holdup: null, letters: { count: 0, inS: 600 } },
  ...{ isHalted: false, isMember: true, stoppedTopics: [], pauses: [] },
  gate: { mode: "redis", windows: [{ limit: 200, perMs: 60_000, used: 50 }], cooldownLeftMs: 0 },
  lately: { calls: 10, failed: 0, stalls: 0, unburied: 0 },
};
const PAUSE = { route: "customers", topic: "erp.customers", who: "ann", why: "wrong prices\u0007", sinceMs: 1 };
const LATE = { ageS: { live: 720, backfill: 0 }, backlog: 900, drainS: 90 };
const FULL = { ...WELL.gate, windows: [{ limit: 200, perMs: 60_000, used: 197 }] };
const AT_FAULT = { by: "trouble", position: "erp.a[3]@1041", timestampMs: 1 } as const;
const ORPHAN = { ...AT_FAULT, by: "parent" } as const;
const COOLING = { ...WELL.gate, cooldownLeftMs: 2_400_000 };

interface Row extends Verdict {
  readonly when: string;
  readonly situation: Partial<Situation>;
}

const ROWS: readonly Row[] = [
  {
    when: "nothing waits",
    situation: {},
    ...{ state: "in-time", cause: null, untilS: null },
    sentence: "In time: nothing waits.",
  },
  {
    when: "changes are on their way",
    situation: { ageS: { live: 3, backfill: 0 }, backlog: 12, drainS: 1 },
    ...{ state: "in-time", cause: null, untilS: null },
    sentence: "In time: the oldest change has waited 3 s.",
  },
  {
    when: "the oldest is as old as it may be",
    situation: { ageS: { live: LATE_S, backfill: 0 }, backlog: 12 },
    ...{ state: "in-time", cause: null, untilS: null },
    sentence: "In time: the oldest change has waited 5 min.",
  },
  {
    when: "only a backfill is behind",
    situation: { ageS: { live: 2, backfill: 90_000 }, backlog: 100_000, drainS: 3_600 },
    ...{ state: "in-time", cause: null, untilS: 3_600 },
    sentence: "In time; a backfill is being worked off (100,000 records wait).",
  },
  {
    when: "Sell wants nobody to call and nothing is late yet",
    situation: { gate: COOLING, ageS: { live: 20, backfill: 0 }, backlog: 5, drainS: 2_410 },
    ...{ state: "waiting", cause: "quota", untilS: 2_410 },
    sentence: "In time so far, but the quota is spent and Sell wants nobody to call for another 40 min.",
  },
  {
    when: "nothing waits while Sell wants nobody to call",
    situation: { gate: COOLING },
    ...{ state: "waiting", cause: "quota", untilS: 2_400 },
    sentence: "In time so far, but the quota is spent and Sell wants nobody to call for another 40 min.",
  },
  {
    when: "a wait has made changes late, and how long they take cannot be told",
    situation: { ...LATE, gate: COOLING, drainS: null },
    ...{ state: "late", cause: "quota", untilS: 2_400 },
    sentence:
      "Late: the oldest change has waited 12 min, because the quota is spent and Sell wants nobody to call for another 40 min.",
  },
  {
    when: "more waits than the quota permits",
    situation: { ...LATE, gate: FULL },
    ...{ state: "late", cause: "quota", untilS: 90 },
    sentence:
      "Late: the oldest change has waited 12 min, because the quota is in full use; all is worked off in about 1 min 30 s.",
  },
  {
    when: "the quota never suffices",
    situation: { ...LATE, gate: FULL, drainS: Number.POSITIVE_INFINITY },
    ...{ state: "late", cause: "quota", untilS: null },
    sentence:
      "Late: the oldest change has waited 12 min, because the quota is in full use, and at this pace it does not catch up.",
  },
  {
    when: "the quota is in full use and nothing is late",
    situation: { gate: FULL, ageS: { live: 30, backfill: 0 }, backlog: 40 },
    ...{ state: "in-time", cause: null, untilS: null },
    sentence: "In time: the oldest change has waited 30 s.",
  },
  {
    when: "it catches up after an outage",
    situation: LATE,
    ...{ state: "late", cause: "load", untilS: 90 },
    sentence:
      "Late: the oldest change has waited 12 min, because more came than could be sent; all is worked off in about 1 min 30 s.",
  },
  {
    when: "Sell fails",
    situation: { ...LATE, lately: { calls: 8, failed: 7, stalls: 0, unburied: 0 } },
    ...{ state: "late", cause: "sell", untilS: null },
    sentence:
      "Late: the oldest change has waited 12 min, because Sell does not answer properly (7 of the last 8 calls failed).",
  },
  {
    when: "some calls fail",
    situation: { lately: { calls: 8, failed: 3, stalls: 0, unburied: 0 } },
    ...{ state: "in-time", cause: null, untilS: null },
    sentence: "In time: nothing waits.",
  },
  {
    when: "Kafka is away",
    situation: { isMember: false },
    ...{ state: "waiting", cause: "kafka", untilS: null },
    sentence: "In time so far, but Kafka does not answer, or the consumer group is being formed anew.",
  },
  {
    when: "Redis is away",
    situation: { ...LATE, gate: { ...FULL, mode: "closed" } },
    ...{ state: "late", cause: "redis", untilS: null },
    sentence: "Late: the oldest change has waited 12 min, because Redis is away, and without it nothing is sent.",
  },
  {
    when: "there is no Redis, by configuration",
    situation: { gate: { ...WELL.gate, mode: "local" } },
    ...{ state: "in-time", cause: null, untilS: null },
    sentence: "In time: nothing waits.",
  },
  {
    when: "a schema is missing",
    situation: { lately: { calls: 0, failed: 0, stalls: 2, unburied: 0 } },
    ...{ state: "waiting", cause: "unreadable", untilS: null },
    sentence: "In time so far, but some records cannot be read yet, the log says which schema they want.",
  },
  {
    when: "it has just begun, and the first records are on their way",
    situation: { backlog: 100_000, drainS: 900 },
    ...{ state: "in-time", cause: null, untilS: 900 },
    sentence: "In time so far: 100,000 records are about to be read.",
  },
  {
    when: "it owns nothing",
    situation: { owned: 0 },
    ...{ state: "in-time", cause: null, untilS: null },
    sentence: "Standing by: this replica owns no partition, the others have all of them.",
  },
  {
    when: "a record became a dead letter",
    situation: { letters: { count: 1, inS: 600 } },
    ...{ state: "waiting", cause: "letters", untilS: null },
    sentence: "In time, but a record became a dead letter in the last 10 min.",
  },
  {
    when: "many did, and changes are late for another reason",
    situation: { ...LATE, letters: { count: 1_200, inS: 600 } },
    ...{ state: "late", cause: "load", untilS: 90 },
    sentence:
      "Late: the oldest change has waited 12 min, because more came than could be sent; all is worked off in about 1 min 30 s.",
  },
  {
    when: "many did",
    situation: { letters: { count: 1_200, inS: 300 } },
    ...{ state: "waiting", cause: "letters", untilS: null },
    sentence: "In time, but 1,200 records became dead letters in the last 5 min.",
  },
  {
    when: "dead letters cannot be written",
    situation: { lately: { calls: 5, failed: 0, stalls: 0, unburied: 2 } },
    ...{ state: "waiting", cause: "unburied", untilS: null },
    sentence:
      "In time so far, but Kafka takes no dead letter, the log says why, and commits wait behind those records.",
  },
  {
    when: "Sell fails at one record, which holds what is behind it",
    situation: { ...LATE, holdup: AT_FAULT },
    ...{ state: "late", cause: "record", untilS: null },
    sentence:
      "Late: the oldest change has waited 12 min, because Sell fails at erp.a[3]@1041 alone, which is tried ever more rarely.",
  },
  {
    when: "the oldest change waits for the record it refers to",
    situation: { ...LATE, holdup: ORPHAN },
    ...{ state: "late", cause: "parent", untilS: null },
    sentence:
      "Late: the oldest change has waited 12 min, because erp.a[3]@1041 refers to a record that Sell does not have yet.",
  },
  {
    when: "it does, and the quota is in full use, so that the other may be behind",
    situation: { ...LATE, holdup: ORPHAN, gate: FULL },
    ...{ state: "late", cause: "quota", untilS: 90 },
    sentence:
      "Late: the oldest change has waited 12 min, because the quota is in full use; all is worked off in about 1 min 30 s.",
  },
  {
    when: "a change waits for the record it refers to, and is not late",
    situation: { ageS: { live: 20, backfill: 0 }, backlog: 3, holdup: ORPHAN },
    ...{ state: "in-time", cause: null, untilS: null },
    sentence: "In time: the oldest change has waited 20 s.",
  },
  {
    when: "most records of a topic fail",
    situation: { stoppedTopics: [{ topic: "erp.a", reason: "failures" }] },
    ...{ state: "stopped", cause: "topic", untilS: null },
    sentence: "Standing still: erp.a has stopped because most of its records fail.",
  },
  {
    when: "the brake has stopped one topic of three",
    situation: {
      ...LATE,
      stoppedTopics: [
        { topic: "erp.a\u202e", reason: "brake" },
        { topic: "erp.b", reason: "brake" },
        { topic: "erp.c", reason: "failures" },
      ],
    },
    ...{ state: "stopped", cause: "topic", untilS: null },
    sentence:
      "Standing still: erp.a\\u{202e} has stopped because a route deleted or created too many records, and 2 other topics.",
  },
  {
    when: "a person paused a route while Kafka is away",
    situation: { ...LATE, pauses: [PAUSE], isMember: false },
    ...{ state: "stopped", cause: "pause", untilS: null },
    sentence: 'Standing still: route "customers" is paused by ann (wrong prices\\u{7}).',
  },
  {
    when: "two routes are paused",
    situation: { pauses: [PAUSE, { ...PAUSE, route: "orders" }] },
    ...{ state: "stopped", cause: "pause", untilS: null },
    sentence: 'Standing still: route "customers" is paused by ann (wrong prices\\u{7}), and another route.',
  },
  {
    when: "the credential is refused, whatever else is in the way",
    situation: { ...LATE, isHalted: true, isMember: false, gate: COOLING },
    ...{ state: "stopped", cause: "credential", untilS: null },
    sentence: "Standing still: Sell refuses the credential or a right, the log says which and what to do.",
  },
];

test.each(ROWS)("when $when", ({ situation, when: _, ...verdict }) => {
  expect(verdictOf({ ...WELL, ...situation })).toEqual(verdict);
});

test("before it consumes it says what it waits for", () => {
  expect(verdictOf({ notReady: "waiting for Kafka" })).toEqual({
    ...{ state: "starting", cause: null, untilS: null },
    sentence: "Not delivering: waiting for Kafka.",
  });
});
