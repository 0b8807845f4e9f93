import { expect, test } from "vitest";
import { letterHeaders, omittedHeader, readLetter } from "../../../src/dead-letter/letter.ts";
import type { Change, Decoded } from "../../../src/domain/change.ts";
import { ConnectorError } from "../../../src/domain/errors.ts";
import type { ProducedRecord, Remembered } from "../../../src/domain/stages.ts";
import type { StoredLetter } from "../../../src/replay/letters.ts";
import { replayLetters, sumOf } from "../../../src/replay/replay.ts";
import { type JudgeDeps, judgeLetters } from "../../../src/replay/states.ts";
import { aMutation, aPosition, aRecord } from "../../support/builders.ts";

const SENDER = { connectorName: "sink", connectorVersion: "1", taskId: "t", configHash: "c" };
const never = new AbortController().signal;
const BURIED_MS = 1_000;

/** The letter of the record that stood at this offset of erp.customers[2]. */
const aLetter = (offset: number, more: { readonly topic?: string; readonly isCut?: boolean } = {}): StoredLetter => {
  const { topic = "erp.customers", isCut = false } = more;
  const record = aRecord({ position: aPosition({ topic, partition: 2, offset: BigInt(offset) }) });
  const errant = { stage: "deliver", reason: "invalid", message: "no" } as const;
  const facts = { attempts: 1, firstAttemptMs: 1, names: null, nowMs: BURIED_MS, replayed: null };
  const headers = [...letterHeaders({ record, errant, ...facts }, SENDER), ...(isCut ? [omittedHeader("value")] : [])];
  const stored = aRecord({ position: aPosition({ topic: "letters" }), headers, ...(isCut && { value: null }) });
  const letter = readLetter(stored);
  if (letter === null) throw new Error("it is a letter");
  return { stored, letter };
};

const CHANGE: Change = {
  ...{ op: "u", key: null, before: null, after: null, version: null, origin: "streamed" },
  ...{ tombstone: false, sourceTsMs: null, txId: null },
};

const acceptedAt = (offset: number): Remembered => ({
  ...{ id: 7, deleted: false, version: null, route: "customers", fingerprint: null },
  ...{ acceptedAtMs: 9_000, from: `erp.customers[2]@${offset}` },
});

const judging = (known: Remembered | null, more: Partial<JudgeDeps> = {}): JudgeDeps => ({
  decoder: { decode: (): Decoded => ({ status: "changes", changes: [CHANGE] }) },
  mapper: { map: (_, record) => ({ status: "mutations", mutations: [aMutation({ key: "C-1", record })] }) },
  store: { recall: async (ids) => ids.map(() => known), remember: async () => {}, close: async () => {} },
  completeSinceMs: 0,
  isRead: (topic) => topic === "erp.customers",
  ...more,
});

const stateOf = async (letter: StoredLetter, deps: JudgeDeps) => (await judgeLetters([letter], deps, never))[0]?.state;

test.each([
  ["open while nothing of its key was accepted", null, "open"],
  ["open while only older ones were", acceptedAt(4), "open"],
  ["healed once it was accepted itself", acceptedAt(5), "healed"],
  ["healed once a newer one was", acceptedAt(6), "healed"],
])("a letter is %s", async (_, known, state) => {
  expect(await stateOf(aLetter(5), judging(known))).toBe(state);
});

test("what is older than the memory is unknown, unless something newer is remembered all the same", async () => {
  const young = { completeSinceMs: BURIED_MS + 1 };
  expect(await stateOf(aLetter(5), judging(acceptedAt(4), young))).toBe("unknown");
  expect(await stateOf(aLetter(5), judging(acceptedAt(6), young))).toBe("healed");
  expect(await stateOf(aLetter(5), judging(null, { store: null, completeSinceMs: Number.POSITIVE_INFINITY }))).toBe(
    "unknown",
  );
});

test("a letter of a topic that no route reads is not to be replayed", async () => {
  expect(await stateOf(aLetter(5, { topic: "gone" }), judging(null))).toBe("unrouted");
});

test("what today's routes cannot read either is open, its keys are not known", async () => {
  const unreadable = (code: string) => ({
    decoder: { decode: () => Promise.reject(new ConnectorError(code, "no", { retriable: true })) },
  });
  expect(await judgeLetters([aLetter(5)], judging(acceptedAt(9), unreadable("SCHEMA_UNUSABLE")), never)).toMatchObject([
    { state: "open", keys: [] },
  ]);
  await expect(judgeLetters([aLetter(5)], judging(null, unreadable("REGISTRY_UNREACHABLE")), never)).rejects.toThrow(
    "no",
  );
});

test("a letter that lost its value is no tombstone", async () => {
  expect(await judgeLetters([aLetter(5, { isCut: true })], judging(acceptedAt(9)), never)).toMatchObject([
    { state: "open", keys: [] },
  ]);
});

test("of the open ones at most so many are sent, oldest first, each into the partition its record stood in", async () => {
  const sent: ProducedRecord[] = [];
  const deps = {
    ...{ topic: "letters.replay", nowMs: () => 5, isDry: false, isDaring: false },
    producer: { send: async (records: readonly ProducedRecord[]) => void sent.push(...records) },
    kafka: { admin: { endOffsets: async () => [] }, read: async function* () {} } as never,
  };
  const letters = await judgeLetters(
    [9, 5, 7].map((offset) => aLetter(offset)),
    judging(null),
    never,
  );
  const counts = await replayLetters(letters, 2, deps, never);
  expect(sent.map((record) => [record.topic, record.partition, readLetter(record)?.origin.offset])).toEqual([
    ["letters.replay", 2, 5n],
    ["letters.replay", 2, 7n],
  ]);
  expect(readLetter(sent[0] ?? { headers: [] })?.replayCount).toBe(1);
  // One whose content is neither here nor in its topic any more cannot be sent.
  const cut = await judgeLetters([aLetter(8, { isCut: true })], judging(null), never);
  expect(sumOf(counts, await replayLetters(cut, 9, deps, never))).toEqual({
    ...{ replayed: 2, healed: 0, unrouted: 0, unknown: 0, lost: ["erp.customers[2]@8"] },
  });
  expect(sent).toHaveLength(2);
});
