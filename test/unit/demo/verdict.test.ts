import { expect, test } from "vitest";
import { report } from "../../../src/demo/report.ts";
import { problemsOf, type Result } from "../../../src/demo/verdict.ts";

const aTraffic = (traffic: Partial<Result["traffic"]> = {}): Result["traffic"] => ({
  ...{ changes: 2_000, inserts: 580, updates: 1_405, deletes: 15, noOps: 148, overtaken: 610, writes: 1_242 },
  ...{ calls: 34, reads: 1, fullCalls: 40, changesPerCall: 58.8, savedCalls: 15.2, duplicates: 0, backward: 0 },
  ...{ throttled: 0, busiestWindow: 20, latency: { measured: 1_852, p50Ms: 1_000, p99Ms: 2_900 } },
  ...traffic,
});

const aResult = (result: Partial<Result> = {}): Result => ({
  options: {
    changes: 2_000,
    replicas: 1,
    dialect: "bulk",
    format: "avro",
    debezium: false,
    penalty: false,
    foreign: false,
  },
  quota: { limit: 20, perMs: 6_000 },
  traffic: aTraffic(),
  penalty: null,
  deadLetters: [{ reason: "unknown-magic-byte", isPoison: true }],
  lag: 0,
  comparison: { equal: 570, differences: [] },
  exitCodes: [0],
  tookMs: 30_000,
  ...result,
});

test("a run that kept every promise has no problems", () => {
  expect(problemsOf(aResult())).toEqual([]);
});

test.each<[string, Partial<Result>, RegExp]>([
  ["a difference", { comparison: { equal: 569, differences: ["Sell lacks deals SO-1."] } }, /^Sell lacks/],
  ["a 429", { traffic: aTraffic({ throttled: 1 }) }, /429 1 times instead of 0/],
  ["a call too many", { traffic: aTraffic({ busiestWindow: 21 }) }, /^21 calls/],
  ["a lag", { lag: 3 }, /^3 records are not committed/],
  ["no dead letter", { deadLetters: [] }, /^The dead-letter topic holds 0/],
  ["another dead letter", { deadLetters: [{ reason: "no-identity", isPoison: false }] }, /exactly the poison record/],
  ["a step backward", { traffic: aTraffic({ backward: 1 }) }, /older version/],
  ["a replica that stopped badly", { exitCodes: [0, 1] }, /^Replica 2 ended with exit code 1/],
])("%s is a problem", (_, result, told) => {
  expect(problemsOf(aResult(result))).toEqual([expect.stringMatching(told)]);
});

test("with --penalty exactly one 429 is right, and no call inside its wait", () => {
  const options = { ...aResult().options, penalty: true };
  const penalty = { announcedMs: 20_000, callsInside: 0, onTheWay: 1, firstAcceptanceAfterMs: 20 };
  expect(problemsOf(aResult({ options, penalty, traffic: aTraffic({ throttled: 1 }) }))).toEqual([]);
  expect(problemsOf(aResult({ options, penalty: null }))).toHaveLength(1);
  const broken = { ...penalty, callsInside: 2 };
  expect(problemsOf(aResult({ options, penalty: broken, traffic: aTraffic({ throttled: 1 }) }))).toEqual([
    "2 calls began inside the announced wait.",
  ]);
});

test("the report ends with the answer, behind every problem", () => {
  const plain = (_: string, text: string): string => text;
  expect(report(aResult(), plain)).toMatch(/What Sell holds equals what the ERP holds: yes \(570 records.*\)\n$/);
  const differences = Array.from({ length: 12 }, (_, i) => `Sell lacks deals SO-${i}.`);
  const text = report(aResult({ comparison: { equal: 558, differences } }), plain);
  expect(text).toContain("  Sell lacks deals SO-9.\n  and 2 more\n");
  expect(text).toMatch(/holds: no\n$/);
});
