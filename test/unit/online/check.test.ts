import { expect, test } from "vitest";
import { type Check, failed, ok, type Result, runChecks, warning } from "../../../src/online/check.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const never = new AbortController().signal;

const aCheck = (name: string, run: Check["run"], ...needs: readonly string[]): Check => ({
  ...{ name, needs, run },
  waitsFor: `the setting of ${name}`,
});

const resultsOf = async (checks: readonly Check[], clock = new FakeClock(), signal = never) => {
  const results: Result[] = [];
  for await (const result of runChecks(checks, clock, signal)) results.push(result);
  return results;
};

test("each finding of each check comes under its name, in order", async () => {
  const both = [ok("It answers."), warning("It is empty.", "fill it")];
  expect(await resultsOf([aCheck("a", async () => both), aCheck("b", async () => [ok("Fine.")], "a")])).toEqual([
    { name: "a", status: "ok", sentence: "It answers.", next: null },
    { name: "a", status: "warning", sentence: "It is empty.", next: "fill it" },
    { name: "b", status: "ok", sentence: "Fine.", next: null },
  ]);
});

test("an error is a finding with its sentence, and what needs that check is left out, also at one remove", async () => {
  const checks = [
    aCheck("a", () => Promise.reject(new Error("It is away."))),
    aCheck("b", async () => [ok("never run")], "a"),
    aCheck("c", async () => [ok("never run")], "b"),
    aCheck("d", async () => [failed("No.", "do something")]),
  ];
  expect(await resultsOf(checks)).toEqual([
    { name: "a", status: "failed", sentence: "It is away.", next: "check the setting of a" },
    { name: "b", status: "warning", sentence: 'Not checked: b, since "a" failed.', next: "put that right first" },
    { name: "c", status: "warning", sentence: 'Not checked: c, since "b" failed.', next: "put that right first" },
    { name: "d", status: "failed", sentence: "No.", next: "do something" },
  ]);
});

test("a check that does not end is given up, and told so", async () => {
  const clock = new FakeClock();
  let cut = false;
  const stuck = aCheck("a", (signal) => {
    signal.addEventListener("abort", () => (cut = true));
    return new Promise(() => {});
  });
  const results = resultsOf([stuck], clock);
  clock.advance(15_000);
  expect(await results).toEqual([
    { name: "a", status: "failed", sentence: 'No answer within 15 s for "a".', next: "check the setting of a" },
  ]);
  expect(cut).toBe(true);
});

test("Ctrl-C ends it", async () => {
  const controller = new AbortController();
  const results = resultsOf([aCheck("a", () => new Promise(() => {}))], new FakeClock(), controller.signal);
  controller.abort("SIGINT");
  await expect(results).rejects.toBe("SIGINT");
});
