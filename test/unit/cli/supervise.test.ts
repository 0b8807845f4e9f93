import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { stopSignals } from "../../../src/cli/stop-signals.ts";
import { supervise } from "../../../src/cli/supervise.ts";
import { STOP_MAX_MS } from "../../../src/domain/times.ts";
import type { Clock } from "../../../src/lib/clock.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** A clock whose sleepers wake when the test says so. */
const aClock = () => {
  const sleeping: { ms: number; wake: () => void }[] = [];
  const clock: Clock = {
    now: () => 0,
    monotonicMs: () => 0,
    sleep: (ms, signal) =>
      new Promise((wake, reject) => {
        sleeping.push({ ms, wake });
        signal?.addEventListener("abort", () => reject(signal.reason));
      }),
  };
  return { clock, sleeping };
};

const aConnector = (stop?: () => void) => {
  const done = Promise.withResolvers<number>();
  const reasons: string[] = [];
  const connector = {
    done: done.promise,
    async stop(reason: string) {
      reasons.push(reason);
      if (stop === undefined) done.resolve(0);
      else stop();
    },
  };
  return { connector, done, reasons };
};

const aProcess = () => {
  const source = new EventEmitter();
  const exits: number[] = [];
  const clock = new FakeClock();
  return { source, exits, clock, signals: stopSignals(source, (code) => void exits.push(code), clock) };
};

test("the first signal stops the connector in order, with the signal's name, and exits 0", async () => {
  const { source, exits, signals } = aProcess();
  const { connector, reasons } = aConnector();
  const code = supervise(connector, aClock().clock, signals.signal);
  source.emit("SIGTERM", "SIGTERM");
  expect(await code).toBe(0);
  expect(reasons).toEqual(["SIGTERM"]);
  expect(exits).toEqual([]);
});

test("a signal before the watch began still stops it", async () => {
  const { source, signals } = aProcess();
  source.emit("SIGINT", "SIGINT");
  expect(await supervise(aConnector().connector, aClock().clock, signals.signal)).toBe(0);
});

test("the second signal exits at once, the echo of the first does not", () => {
  const { source, exits, clock } = aProcess();
  source.emit("SIGINT", "SIGINT");
  source.emit("SIGINT", "SIGINT");
  expect(exits).toEqual([]);
  clock.advance(301);
  source.emit("SIGTERM", "SIGTERM");
  expect(exits).toEqual([143]);
});

test("a stop that takes longer than 10 s is given up with exit 1", async () => {
  const { source, signals } = aProcess();
  const { clock, sleeping } = aClock();
  const stopping = Promise.withResolvers<void>();
  const { connector } = aConnector(() => stopping.resolve());
  const code = supervise(connector, clock, signals.signal);
  source.emit("SIGTERM", "SIGTERM");
  await stopping.promise;
  expect(sleeping.map(({ ms }) => ms)).toEqual([STOP_MAX_MS]);
  sleeping[0]?.wake();
  expect(await code).toBe(1);
});

test("a connector that ends by itself gives its own exit code", async () => {
  const { connector, done } = aConnector();
  done.resolve(1);
  expect(await supervise(connector, aClock().clock, aProcess().signals.signal)).toBe(1);
});

test("the listeners are gone once the command is over", () => {
  const { source, signals } = aProcess();
  signals[Symbol.dispose]();
  expect(source.eventNames()).toEqual([]);
});
