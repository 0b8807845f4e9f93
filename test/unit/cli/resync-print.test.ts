import { expect, test } from "vitest";
import { type Pass, passAsJson, passAsText } from "../../../src/cli/resync-print.ts";
import type { Terminal } from "../../../src/cli/terminal.ts";
import { configSchema } from "../../../src/config/spec.ts";
import { ALL_KEYS, NewestTable, type Seen } from "../../../src/resync/newest.ts";
import { Tally } from "../../../src/resync/tally.ts";

const config = configSchema.parse({
  kafka: { brokers: ["kafka:9092"], groupId: "sink" },
  sell: { baseUrl: "https://api.getbase.com", token: "none" },
  quota: { windows: [{ limit: 60, perMs: 60_000 }] },
  deadLetter: { topic: "letters" },
  routes: [{ topic: "t", format: "json", entity: "accounts", key: "id", fields: { name: "name" } }],
});
const PIPE = { hasColors: false, columns: null } as Terminal;

/** Of a key's newest record: an upsert with 9 others in a call, or a delete. */
const seen = (verb: string, isPartial = false): Seen => ({
  ...{ partition: 0, offset: 0n, timestampMs: 0, isDelete: false, isTombstone: false },
  fate: { status: "written", isPartial, calls: { kind: `accounts ${verb}`, size: 10, steps: 1 } },
});

const aPass = (more: Partial<Pass> = {}): Pass => {
  const table = new NewestTable(0, ALL_KEYS);
  for (let n = 0; n < 95; n++) table.note(`accounts/${n}`, seen("upsert", n < 3));
  for (let n = 0; n < 5; n++) table.note(`accounts/D-${n}`, seen("delete"));
  table.note("accounts/F", { ...seen("upsert"), fate: { status: "left-alone", reason: "filtered" } });
  const tally = new Tally();
  tally.add(table);
  return {
    ...{ isResumed: false, isDry: true, config, keptMs: null },
    start: { id: "a1", selection: "s", startedAtMs: 5, ranges: [], from: 0, to: ALL_KEYS, next: new Map() },
    selection: { topic: "t", route: null, keys: null, from: "earliest", fromText: "earliest" },
    result: { tally, records: 1_200, unreadable: 2, sent: 0, missing: ["X", "Y"] },
    ...more,
  };
};

test("all that was counted is told: 10 calls of upserts, one of deletes, and five that ask before", () => {
  expect(passAsText(aPass(), PIPE).split("\n")).toEqual([
    "1,200 records read, 101 keys of t.",
    expect.stringMatching(
      /^100 would be written again by at most 16 calls: 16 s of the whole quota, or 1 % of an hour/,
    ),
    "3 of them end with a partial record: the columns that it leaves out are not repaired.",
    "Left alone, since the routes write nothing for the newest record: filtered 1.",
    "2 records cannot be read, whatever their keys are.",
    "Not found: X, Y.",
    "",
  ]);
  expect(JSON.parse(passAsJson(aPass()))).toEqual({
    ...{ id: "a1", dryRun: true, resumed: false, topic: "t", route: null, records: 1_200, unreadable: 2 },
    ...{ keys: 101, written: 100, partial: 3, leftAlone: { filtered: 1 }, sent: 0, missing: ["X", "Y"] },
    ...{ calls: 16, quotaS: 16 },
  });
});

test("of what was sent it says who writes it; of a pass that went on, nothing of keys that earlier ones had", () => {
  const { result } = aPass();
  const text = passAsText(aPass({ isDry: false, isResumed: true, result: { ...result, sent: 100 } }), PIPE);
  expect(text).toContain("100 records are sent; the running replicas write them.");
  expect(text).not.toContain("Not found");
});

test("a topic that keeps records for less time than the calls take is named", () => {
  const sentence = "letters.replay keeps records for 10 s only (retention.ms)";
  expect(passAsText(aPass({ keptMs: 10_000 }), PIPE)).toContain(sentence);
  expect(passAsText(aPass({ keptMs: 20_000 }), PIPE)).not.toContain("retention.ms");
});
