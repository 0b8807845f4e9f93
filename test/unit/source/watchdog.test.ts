import { describe, expect, it } from "vitest";
import type { Clock } from "../../../src/lib/clock.ts";
import { startWatchdog } from "../../../src/source/watchdog.ts";

describe("the watchdog", () => {
  it("reports a consumer that stays silent, once", async () => {
    const clock = steppingClock();
    let reports = 0;
    const dog = startWatchdog(
      { clock, silenceMs: () => 40_000, brokerAnswers: async () => true, onSilence: () => reports++ },
      new AbortController().signal,
    );
    await clock.step(8);
    await dog.done;
    expect(reports).toBe(1);
    expect(clock.asked).toEqual(Array(8).fill(5_000));
  });

  it("stays quiet as long as there are signs of life", async () => {
    const clock = steppingClock();
    const stop = new AbortController();
    const onSilence = (): void => expect.unreachable();
    const dog = startWatchdog(
      { clock, silenceMs: () => 40_000, brokerAnswers: async () => true, onSilence },
      stop.signal,
    );
    for (let i = 0; i < 30; i++) {
      await clock.step(1);
      if (i % 7 === 0) dog.alive();
    }
    stop.abort();
    await clock.step(1);
    await dog.done;
  });

  it("waits with a broker that is away, and reports a consumer that stays silent when it is back", async () => {
    const clock = steppingClock();
    let reports = 0;
    let answers = false;
    const dog = startWatchdog(
      { clock, silenceMs: () => 40_000, brokerAnswers: async () => answers, onSilence: () => reports++ },
      new AbortController().signal,
    );
    await clock.step(30);
    expect(reports).toBe(0);
    answers = true;
    await clock.step(8);
    await dog.done;
    expect(reports).toBe(1);
  });
});

/** Sleeps end one by one, when the test says so. */
const steppingClock = () => {
  let wake: (() => void) | null = null;
  const asked: number[] = [];
  const clock: Clock = {
    now: () => 0,
    monotonicMs: () => 0,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        asked.push(ms);
        wake = () => (signal?.aborted ? reject(signal.reason) : resolve());
      }),
  };
  const step = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      wake?.();
      await new Promise(setImmediate);
    }
  };
  return { ...clock, asked, step };
};
