/** A key that changed more often than the queue moved went to the end of it each time, and was never sent. */
import { expect, test } from "vitest";
import { Window } from "../../src/window/window.ts";
import { aMutation } from "../support/builders.ts";
import { FakeClock } from "../support/fake-clock.ts";

test("a key that changes while it waits keeps its place in the queue", () => {
  const window = new Window(
    { maxItems: 1, lingerMs: 0, indexLagMs: 0, lateApplyMaxMs: 0, parkTimeoutMs: 1_000 },
    {
      ...{ clock: new FakeClock(), emit: () => {}, settle: () => {}, trusts: () => true },
      ...{ maySendOf: () => true, isStopped: () => false, changed: () => {}, arrived: () => {} },
    },
  );
  const add = (key: string, name: string): void => {
    window.add(aMutation({ key, fields: { name } }));
    window.inform(window.takeFresh(10).entries, new Map());
  };
  add("hot", "first");
  add("other", "once");
  add("hot", "second");
  expect(window.take("live")?.writes).toMatchObject([{ key: "hot", body: { name: "second" } }]);
  expect(window.take("live")?.writes).toMatchObject([{ key: "other" }]);
});
