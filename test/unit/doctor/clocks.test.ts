import { expect, test } from "vitest";
import { clockCheck } from "../../../src/doctor/clocks.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const judged = async (skewMs: number | null, tookMs = 0) => {
  const clock = new FakeClock();
  const ask = async (): Promise<number | null> => {
    const theirs = skewMs === null ? null : clock.now() + tookMs / 2 + skewMs;
    clock.advance(tookMs);
    return theirs;
  };
  const [finding] = await clockCheck("Redis", [], ask, clock).run(new AbortController().signal);
  return finding;
};

test("clocks that agree are in order, however long the answer took", async () => {
  expect(await judged(400)).toMatchObject({
    status: "ok",
    sentence: "The clocks of Redis and this machine agree within 1 s.",
  });
  expect(await judged(0, 14_000)).toMatchObject({ status: "ok" });
});

test.each([
  [60_000, "This machine's clock is 60 s behind that of Redis."],
  [-9_000, "This machine's clock is 9 s ahead of that of Redis."],
])("a skew of %d ms is a warning with its direction", async (skewMs, sentence) => {
  expect(await judged(skewMs)).toMatchObject({ status: "warning", sentence, next: expect.stringContaining("NTP") });
});

test("who does not tell the time is not judged", async () => {
  expect(await judged(null)).toMatchObject({ status: "ok", sentence: "Redis does not tell its time." });
});
