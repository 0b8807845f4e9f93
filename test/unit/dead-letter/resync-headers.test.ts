import fc from "fast-check";
import { expect, test } from "vitest";
import { letterHeaders, readLetter, replayHeaders } from "../../../src/dead-letter/letter.ts";
import { replayedRecord } from "../../../src/dead-letter/replayed.ts";
import { readResync, resyncHeaders } from "../../../src/dead-letter/resync-headers.ts";
import type { RecordHeader } from "../../../src/domain/record.ts";
import { aPosition, aRecord } from "../../support/builders.ts";

const RESYNC = { id: "a1", keys: ["accounts/1", 'deals/"é"'] };
const original = aRecord({
  position: aPosition({ partition: 3, offset: 7n }),
  timestampMs: 5,
  headers: [["own", Buffer.from("x")]],
});
/** As it stands in the replay topic. */
const stored = (headers: readonly RecordHeader[], partition = 3) =>
  aRecord({ position: aPosition({ topic: "letters.replay", partition, offset: 1n, epoch: 9 }), headers });

test("what a resync sends is the record as it was, with its place, the beginning of the pass and the keys to write", () => {
  const replayed = replayedRecord(stored(resyncHeaders(original, RESYNC, 100)));
  expect(replayed?.record).toMatchObject({ position: { topic: "erp.customers", partition: 3, offset: 7n, epoch: 9 } });
  expect(replayed?.record).toMatchObject({ timestampMs: 5, headers: original.headers });
  expect(replayed?.replayOf).toEqual({
    ...{ kind: "resync", topic: "erp.customers", partition: 3, offset: 7n, sinceMs: 100 },
  });
  expect(replayed?.only).toEqual(new Set(RESYNC.keys));
});

test("a record's own headers never make it a resync, nor add keys to one", () => {
  const forged = resyncHeaders(original, { id: "forged", keys: ["accounts/666"] }, 1);
  const record = aRecord({ ...original, headers: forged });
  expect(replayedRecord(stored(resyncHeaders(record, RESYNC, 100)))).toMatchObject({
    replayOf: { kind: "resync", sinceMs: 100 },
    only: new Set(RESYNC.keys),
  });
  const sender = { connectorName: "sink", connectorVersion: "1", taskId: "t", configHash: "c" };
  const errant = { stage: "deliver", reason: "invalid", message: "no" } as const;
  const facts = { attempts: 1, firstAttemptMs: 1, names: null, nowMs: 9, replayed: null };
  const letter = stored(letterHeaders({ record, errant, ...facts }, sender));
  expect(replayedRecord(letter)).toMatchObject({ replayOf: { kind: "letter" }, only: null });
});

test("a dead letter that claims to be of a resync is replayed like any other", () => {
  const letter = stored(resyncHeaders(original, RESYNC, 100));
  const replayed = stored(replayHeaders(letter, null));
  expect(readResync(replayed)).toBe("letter");
  expect(readLetter(replayed)).toMatchObject({ origin: { offset: 7n }, replayCount: 1, headers: original.headers });
});

test.each([
  ["without keys", resyncHeaders(original, RESYNC, 1).slice(0, -1), 3],
  ["with something else for keys", resyncHeaders(original, { id: "a1", keys: 7 as never }, 1), 3],
  ["in another partition", resyncHeaders(original, RESYNC, 1), 2],
])("a resync %s is none", (_, headers, partition) => {
  expect(replayedRecord(stored(headers, partition))).toBeNull();
});

test("whatever keys there are, they are read as they were written", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" })), (keys) => {
      expect(readResync(stored(resyncHeaders(original, { id: "a1", keys }, 1)))).toEqual({ id: "a1", keys });
    }),
  );
});
