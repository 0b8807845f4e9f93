import { expect, test } from "vitest";
import type { Committed } from "../../../src/demo/ledger.ts";
import { measurePenalty, measureTraffic } from "../../../src/demo/measure.ts";
import type { AppliedItem, LoggedRequest, Summary } from "../../../src/sandbox/index.ts";

const aChange = (change: Partial<Committed>): Committed => ({
  table: "customers",
  op: "u",
  before: null,
  after: { id: 1 },
  revision: 1,
  alters: true,
  committedMs: 0,
  ...change,
});

const anItem = (item: Partial<AppliedItem>): AppliedItem => ({
  resource: "accounts",
  key: "C-1",
  id: 11,
  result: "updated",
  code: null,
  hash: "h",
  revision: "1",
  atMs: 0,
  ...item,
});

const aCall = (call: Partial<LoggedRequest>): LoggedRequest => ({
  ...{ id: 1, atMs: 0, wallMs: 0, method: "POST", path: "/api/v2/bulk/accounts", query: "", token: "", instance: "" },
  ...{ items: 1, status: 200, refused: false, hintMs: null, reply: "sent", endMs: 0, applied: [] },
  ...call,
});

const summary = { duplicates: 0, busiest: { windowMs: 6_000, arrived: 1, granted: 1 } } as Summary;
const measure = (committed: readonly Committed[], items: readonly AppliedItem[]) =>
  measureTraffic(committed, [aCall({ applied: [...items] })], summary, "bulk");

test("a change ends with the first write that carries it or a newer one, not with an older one behind its commit", () => {
  const { latency } = measure(
    [aChange({ revision: 2, committedMs: 100 })],
    [anItem({ revision: "1", atMs: 150 }), anItem({ revision: "3", atMs: 400 }), anItem({ revision: "4", atMs: 900 })],
  );
  expect(latency).toEqual({ measured: 1, p50Ms: 300, p99Ms: 300 });
});

test("a delete ends with the delete in Sell, or with the account's last words, which carry no revision", () => {
  const { latency } = measure(
    [aChange({ op: "d", revision: 5, before: { id: 1 }, after: null, committedMs: 100 })],
    [anItem({ revision: "5", atMs: 200 }), anItem({ revision: null, atMs: 350 })],
  );
  expect(latency.p50Ms).toBe(250);
});

test("p50 and p99 are the nearest ranks", () => {
  const changes = Array.from({ length: 100 }, (_, i) => aChange({ after: { id: i }, committedMs: 0 }));
  const items = changes.map((_, i) => anItem({ key: `C-${i}`, atMs: i + 1 }));
  expect(measure(changes, items).latency).toEqual({ measured: 100, p50Ms: 50, p99Ms: 99 });
});

test("changes are either no-ops, overtaken or written", () => {
  const changes = [aChange({}), aChange({ revision: 2 }), aChange({ revision: 2, alters: false })];
  expect(measure(changes, [anItem({ revision: "2" })])).toMatchObject({
    changes: 3,
    noOps: 1,
    overtaken: 1,
    writes: 1,
  });
});

test("a write of an older version behind a newer one is a step backward", () => {
  const steps = (revisions: readonly (string | null)[]): number =>
    measure(
      [],
      revisions.map((revision, atMs) => anItem({ revision, atMs })),
    ).backward;
  expect(steps(["1", "2", "2", "9", "10", null])).toBe(0);
  expect(steps(["2", "1"])).toBe(1);
  expect(steps(["2", null, "3"])).toBe(1);
});

test("a failed item writes nothing", () => {
  expect(measure([aChange({})], [anItem({ result: "failed" })])).toMatchObject({ writes: 0, latency: { measured: 0 } });
});

test("calls inside an announced wait are counted from the refusal's end, and the first acceptance from the wait's", () => {
  const log = [
    aCall({ atMs: 990, endMs: 1_010 }), // in flight when the wait began
    aCall({ status: 429, atMs: 980, endMs: 1_000 }),
    aCall({ atMs: 1_009, endMs: 1_020 }), // of another replica, which could not know yet
    aCall({ atMs: 5_000, endMs: 5_010, applied: [anItem({ atMs: 5_005 })] }),
    aCall({ atMs: 21_150, endMs: 21_200, applied: [anItem({ atMs: 21_180 })] }),
  ];
  expect(measurePenalty(log)).toEqual({
    announcedMs: 20_000,
    callsInside: 1,
    onTheWay: 1,
    firstAcceptanceAfterMs: 180,
  });
  expect(measurePenalty([aCall({})])).toBeNull();
});
