import { expect, test } from "vitest";
import { LATE, within } from "../../../src/lib/within.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const never = new AbortController().signal;

test("what is done in time is its result, and no timer is left", async () => {
  const clock = new FakeClock();
  expect(await within(clock, 100, async () => 7, never)).toBe(7);
  await expect(within(clock, 100, () => Promise.reject(new Error("no")), never)).rejects.toThrow("no");
  expect(clock.sleeping).toBe(0);
});

test("what is late is given up: nobody waits for it, and its later failure hurts nobody", async () => {
  const clock = new FakeClock();
  const work = Promise.withResolvers<number>();
  const result = within(clock, 100, () => work.promise, never);
  clock.advance(100);
  expect(await result).toBe(LATE);
  work.reject(new Error("too late to matter"));
});

test("whoever asked may call it off", async () => {
  const clock = new FakeClock();
  const controller = new AbortController();
  const result = within(clock, 100, () => new Promise(() => {}), controller.signal);
  controller.abort("stop");
  await expect(result).rejects.toBe("stop");
  expect(clock.sleeping).toBe(0);
});
