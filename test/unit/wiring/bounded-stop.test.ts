import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { boundedStop } from "../../../src/wiring/bounded-stop.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const ended = (stop: () => Promise<void>) => {
  const clock = new FakeClock();
  let isOver = false;
  const over = boundedStop(stop, clock).then(() => {
    isOver = true;
  });
  return { clock, over, isOver: () => isOver };
};

test("a stop that ends, well or not, is waited for and leaves no timer behind", async () => {
  for (const stop of [async () => {}, () => Promise.reject(new Error("Kafka is away"))]) {
    const { clock, over } = ended(stop);
    await over;
    expect(clock.sleeping).toBe(0);
  }
});

test("a part that hangs is waited for 10 s and no longer", async () => {
  const { clock, over, isOver } = ended(() => new Promise(() => {}));
  clock.advance(9_999);
  await setImmediate();
  expect(isOver()).toBe(false);
  clock.advance(1);
  await over;
});
