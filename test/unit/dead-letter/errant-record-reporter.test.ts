import { expect, test } from "vitest";
import { createErrantRecordReporter } from "../../../src/dead-letter/errant-record-reporter.ts";
import { readLetter } from "../../../src/dead-letter/letter.ts";
import { ConnectorError } from "../../../src/domain/errors.ts";
import type { ConsumerRecord } from "../../../src/domain/record.ts";
import type { ProducedRecord } from "../../../src/domain/stages.ts";
import { Process, Time } from "../../sim/time.ts";
import { aRecord } from "../../support/builders.ts";

const ERRANT = { stage: "map", reason: "bad-value", message: "no" } as const;
const SENDER = { connectorName: "sink", connectorVersion: "1.0.0", taskId: "pod-1", configHash: "abc" };

/** Reports one record to a topic that takes at most so many bytes, and is away at first. */
const bury = async (record: ConsumerRecord, { bytesMax = 10_000, failures = 0, ms = 1_000 } = {}) => {
  const time = new Time();
  const stored: ProducedRecord[] = [];
  const events: string[] = [];
  let failing = failures;
  const send = async ([letter]: readonly ProducedRecord[]): Promise<void> => {
    if (letter === undefined) return;
    if (failing-- > 0) throw new ConnectorError("KAFKA_FAILED", "away", { retriable: true });
    const headers = letter.headers.reduce((sum, [name, value]) => sum + name.length + (value?.length ?? 0), 0);
    if ((letter.key?.length ?? 0) + (letter.value?.length ?? 0) + headers > bytesMax)
      throw new ConnectorError("RECORD_TOO_LARGE", "too large", { retriable: false });
    stored.push(letter);
  };
  const reporter = createErrantRecordReporter("letters", {
    ...{ clock: new Process("p", time).clock, random: () => 0.5, sender: SENDER },
    producer: { send, close: async () => {} },
    emit: (name) => events.push(name),
  });
  let isDone = false;
  void reporter.report(record, ERRANT, { count: 1, firstMs: 1, names: null }, new AbortController().signal).then(() => {
    isDone = true;
  });
  await time.run(() => isDone, time.nowMs + ms);
  return { stored, events, isDone, letter: stored[0] && readLetter(stored[0]) };
};

const big = (bytes: number): Buffer => Buffer.alloc(bytes, "x");

test("key, value and headers go as they came", async () => {
  const record = aRecord({ headers: [["trace", Buffer.from("t")]] });
  const { stored, letter, events } = await bury(record);
  expect(stored).toMatchObject([{ topic: "letters", key: record.key, value: record.value }]);
  expect(letter).toMatchObject({ omitted: "nothing", reason: "bad-value", headers: record.headers });
  expect(events).toEqual(["dead-lettered"]);
});

test("it is dated by now: an old record must not be older than the topic's retention at once", async () => {
  const { stored, letter } = await bury(aRecord({ timestampMs: 5 }));
  expect(stored[0]?.timestampMs).not.toBe(5);
  expect(letter?.recordTimestampMs).toBe(5);
});

test("a value that is too large is left out; with the key and the headers too large nothing but our headers is left", async () => {
  const { stored: cut, letter } = await bury(aRecord({ value: big(20_000), headers: [["own", null]] }));
  expect(cut).toMatchObject([{ key: aRecord().key, value: null }]);
  expect(letter).toMatchObject({ omitted: "value", headers: [["own", null]] });
  const { stored: bare, letter: rest } = await bury(aRecord({ key: big(20_000), headers: [["own", big(20_000)]] }));
  expect(bare).toMatchObject([{ key: null, value: null }]);
  expect(rest).toMatchObject({ omitted: "all", headers: [], origin: { topic: "erp.customers", offset: 0n } });
});

test("a topic that takes not even that is asked again and again, and each time it is said", async () => {
  const { isDone, events } = await bury(aRecord(), { bytesMax: 10, ms: 300_000 });
  expect(isDone).toBe(false);
  expect(events.length).toBeGreaterThan(10);
  expect(new Set(events)).toEqual(new Set(["dead-letter-failed"]));
});

test("a topic that is away is waited for", async () => {
  const { isDone, events, stored } = await bury(aRecord(), { failures: 3, ms: 60_000 });
  expect(isDone).toBe(true);
  expect(stored).toHaveLength(1);
  expect(events).toEqual([...Array.from({ length: 3 }, () => "dead-letter-failed"), "dead-lettered"]);
});
