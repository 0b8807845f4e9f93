/** Writes of several steps, entities that Sell refuses as such, and deletions that may not go on. */
import { expect, test } from "vitest";
import type { Outcome } from "../../../src/domain/receipt.ts";
import { aMutation } from "../../support/builders.ts";
import { accepted, WindowDriver } from "../../support/window-driver.ts";

const step = (more: { alone?: boolean; created?: boolean } = {}): Outcome & { status: "progress" } => ({
  ...{ status: "progress", reason: "step", alone: false, created: false },
  ...more,
});

const anAccount = (key: string, name: string) => aMutation({ key, fields: { name } });

test("the next step goes at once and first, or alone, or when searches find what was created", () => {
  const driver = new WindowDriver();
  driver.add(anAccount("1", "a"), anAccount("2", "b"), anAccount("3", "c"));
  const cut = driver.take(1_000);
  const outcomes = [step(), step({ alone: true }), step({ created: true })];
  cut?.entries.forEach((entry, i) => driver.window.outcomes.progressed(entry, outcomes[i] ?? step()));
  driver.add(anAccount("4", "d"));
  const keys = () => driver.take(0)?.writes.map(({ key }) => key);
  expect([keys(), keys()].sort()).toEqual([["1", "4"], ["2"]]);
  driver.clock.advance(1_999);
  expect(keys()).toBeUndefined();
  driver.clock.advance(1);
  expect(keys()).toEqual(["3"]);
});

test("between two steps a newer change takes over, unless the outcome of one is not known", () => {
  const names = (unknown: boolean) => {
    const driver = new WindowDriver();
    driver.add(anAccount("1", "old"));
    const [entry] = driver.take(1_000)?.entries ?? [];
    if (entry === undefined) throw new Error("nothing was cut");
    if (unknown) {
      driver.window.outcomes.unknown([entry], 0);
      driver.take(60_000);
    }
    driver.window.outcomes.progressed(entry, step());
    driver.add(anAccount("1", "new"));
    return driver.take(60_000)?.writes.map(({ body }) => body["name"]);
  };
  expect(names(false)).toEqual(["new"]);
  expect(names(true)).toEqual(["old"]);
});

test("steps are of one series until there is a verdict, or until the record was taken away in between", () => {
  const driver = new WindowDriver({ lingerMs: 0 }).add(anAccount("1", "a"));
  const takeStep = (): number | undefined => {
    const cut = driver.take(10_000);
    cut?.entries.forEach((entry) => driver.window.outcomes.progressed(entry, step()));
    return cut?.writes[0]?.series;
  };
  const series = [takeStep(), takeStep()];
  driver.window.drop(() => true);
  driver.add(anAccount("1", "a"));
  series.push(takeStep());
  driver.answer(driver.take(10_000), accepted(7)).add(anAccount("1", "b"));
  series.push(takeStep());
  expect(series[0]).toBe(series[1]);
  expect(new Set(series).size).toBe(3);
});

test("a hand-over waits until searches find what the last step wrote, and what was accepted so", () => {
  const driver = new WindowDriver();
  driver.add(anAccount("1", "a"), anAccount("2", "b"));
  const [one, two] = driver.take(1_000)?.entries ?? [];
  if (one === undefined || two === undefined) throw new Error("nothing was cut");
  expect(driver.window.indexLagLeftMs()).toBe(0);
  driver.window.outcomes.progressed(one, step());
  expect(driver.window.indexLagLeftMs()).toBe(2_000);
  driver.clock.advance(2_000);
  expect(driver.window.indexLagLeftMs()).toBe(0);
  const outcome = { ...accepted(7), lags: true } as Outcome & { status: "accepted" };
  driver.window.outcomes.accepted(two, outcome, driver.window.outcomes.memoryOf(two, outcome));
  expect(driver.window.indexLagLeftMs()).toBe(2_000);
});

test("an entity that Sell refuses waits with its halves, and others go", () => {
  const driver = new WindowDriver();
  driver.add(aMutation({ entity: "products", key: "P" }), aMutation({ entity: "products", key: "Q" }));
  driver.window.outcomes.split(driver.take(1_000)?.entries ?? [], 0);
  driver.refused.add("products");
  driver.add(anAccount("1", "a"), aMutation({ entity: "products", key: "R" }));
  expect(driver.take(5_000)?.entity).toBe("accounts");
  expect(driver.window.dueInMs("live")).toBe(Number.POSITIVE_INFINITY);
  driver.refused.clear();
  const cuts = [driver.take(0), driver.take(0), driver.take(0)];
  expect(cuts.flatMap((cut) => cut?.writes.map(({ key }) => key))).toEqual(["P", "Q", "R"]);
});
