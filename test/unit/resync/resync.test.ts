/** Passes over a topic with little memory, broken off anywhere: each key's newest record goes out, and no other. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readResync } from "../../../src/dead-letter/resync-headers.ts";
import type { Change } from "../../../src/domain/change.ts";
import type { ConsumerRecord } from "../../../src/domain/record.ts";
import type { CommittedOffset, EndOffset, OffsetCommit, ProducedRecord } from "../../../src/domain/stages.ts";
import { silentProgress } from "../../../src/lib/progress.ts";
import { type Checkpoint, loadCheckpoint } from "../../../src/resync/checkpoint.ts";
import { ALL_KEYS, type Fate, NewestTable, type Seen } from "../../../src/resync/newest.ts";
import { type ResyncDeps, resync, type Wanted } from "../../../src/resync/resync.ts";
import { aMutation, aPosition, aRecord } from "../../support/builders.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { guard } from "../../support/until.ts";

const TOPIC = "erp.customers";
const ALL: Wanted = { route: null, keys: null };
const never = new AbortController().signal;

type Kind = "row" | "filtered" | "delete" | "tombstone";
interface Row {
  readonly key: string;
  readonly kind: Kind;
}

/** One row a record; its time is its place, also across partitions. */
const recordOf = (row: Row, partition: number, offset: number, timestampMs: number): ConsumerRecord =>
  aRecord({
    position: aPosition({ topic: TOPIC, partition, offset: BigInt(offset) }),
    ...{ timestampMs, key: Buffer.from(row.key), value: Buffer.from(row.kind), bytes: 100_000 },
  });

const A_CHANGE: Change = {
  ...{ op: "u", key: null, before: null, after: null, version: null, origin: "streamed" },
  ...{ tombstone: false, sourceTsMs: null, txId: null },
};

/** A topic, a replay topic and the offsets of a group, as far as a resync sees them. */
class Broker {
  readonly partitions: ConsumerRecord[][];
  readonly replayed: ProducedRecord[] = [];
  /** Requests that are still answered; then the process is as good as dead, or its records are refused. */
  left = Number.POSITIVE_INFINITY;
  isDead = true;
  keysMax = 3;
  #stored: readonly OffsetCommit[] = [];

  constructor(rows: readonly (readonly [partition: number, row: Row])[]) {
    this.partitions = [[], [], []];
    for (const [at, [partition, row]] of rows.entries()) {
      const records = this.partitions[partition] ?? [];
      records.push(recordOf(row, partition, records.length, at));
    }
  }

  get ends(): readonly EndOffset[] {
    return this.partitions.map(({ length }, partition) => ({ topic: TOPIC, partition, low: 0n, high: BigInt(length) }));
  }

  get start(): Checkpoint {
    const ranges = this.ends;
    return { id: "a1", selection: "s", startedAtMs: 5, ranges, from: 0, to: ALL_KEYS, next: new Map() };
  }

  run(start: Checkpoint = this.start, wanted: Wanted = ALL) {
    const ask = <T>(answer: T): Promise<T> =>
      this.left-- > 0 ? Promise.resolve(answer) : Promise.reject(new Error("killed"));
    const deps: ResyncDeps = {
      groupId: "sink",
      kafka: {
        admin: {
          endOffsets: async () => this.ends,
          commit: async (_group: string, rows: readonly OffsetCommit[]) => {
            this.#stored = this.isDead ? await ask(rows) : rows;
          },
        } as unknown as ResyncDeps["kafka"]["admin"],
        read: (ranges) => this.#read(ranges),
      },
      replay: {
        topic: "letters.replay",
        producer: { send: async (records) => void this.replayed.push(...(await ask(records))) },
      },
      reading: {
        decoder: {
          decode: ({ value }) => {
            const op = String(value) === "row" || String(value) === "filtered" ? "u" : "d";
            return { status: "changes", changes: [{ ...A_CHANGE, op, tombstone: String(value) === "tombstone" }] };
          },
        },
        mapper: {
          map: ({ op }, record) =>
            String(record.value) === "filtered"
              ? { status: "skip", reason: "filtered" }
              : { status: "mutations", mutations: [writeOf(record, op === "d")] },
        },
        // It is told by the record that was decoded last, which is the one it is asked of.
        identitiesOf: () => [{ entity: "accounts", key: this.#reading, route: "customers" }],
        perCall: 10,
      },
      ...{ clock: new FakeClock(), progress: silentProgress, keysMax: this.keysMax },
    };
    return resync(start, wanted, deps, never);
  }

  /** What `--resume` finds. */
  async checkpoint(): Promise<Checkpoint | null> {
    const committed = async (): Promise<readonly CommittedOffset[]> => this.#stored;
    return loadCheckpoint("sink", this.ends, { committed, commit: async () => {} });
  }

  #reading = "";

  async *#read(ranges: readonly EndOffset[]) {
    for (const { partition, low, high } of ranges)
      for (const record of (this.partitions[partition] ?? []).slice(Number(low), Number(high))) {
        this.#reading = String(record.key);
        yield [record];
      }
  }
}

const writeOf = (record: ConsumerRecord, isDelete: boolean) =>
  aMutation({ key: String(record.key), record, isDelete, action: isDelete ? "delete" : "upsert" });

const named = ({ key, partition, value, headers }: ProducedRecord): string => {
  const resynced = readResync({ headers });
  const keys = resynced === null || resynced === "letter" ? "no keys" : resynced.keys.join();
  const at = headers.find(([name]) => name === "__connect.errors.offset")?.[1];
  return `${keys} of ${key} at ${partition}/${at}: ${value}`;
};

/** By the rule in words: the newest record of the key, where a tombstone that only repeats a delete is none; if it is written. */
const expected = (broker: Broker): readonly string[] => {
  const newest = new Map<string, ConsumerRecord>();
  for (const partition of broker.partitions) {
    const here = new Map<string, ConsumerRecord>();
    for (const record of partition) {
      const isRepeat = String(record.value) === "tombstone" && String(here.get(String(record.key))?.value) === "delete";
      if (!isRepeat) here.set(String(record.key), record);
    }
    for (const [key, record] of here)
      if (record.timestampMs > (newest.get(key)?.timestampMs ?? Number.NEGATIVE_INFINITY)) newest.set(key, record);
  }
  return [...newest.values()]
    .filter(({ value }) => String(value) !== "filtered")
    .map(
      ({ key, value, position }) => `accounts/${key} of ${key} at ${position.partition}/${position.offset}: ${value}`,
    );
};

const dies = (error: Error): void => expect(error.message).toBe("killed");

const anyRows = fc.array(
  fc.tuple(
    fc.nat(9).map((n) => `K-${n}`),
    fc.constantFrom<Kind>("row", "row", "row", "filtered", "delete", "tombstone"),
    fc.nat(19), // mostly each key in one partition
  ),
  { maxLength: 40 },
);
const rowsOf = (given: readonly (readonly [string, Kind, number])[]) =>
  given.map(([key, kind, odd]) => [odd === 0 ? 2 : Number(key.slice(2)) % 2, { key, kind }] as const);

describe("the newest record of each key", () => {
  test("goes out once, and no other, however few keys fit into memory", async () => {
    await fc.assert(
      fc.asyncProperty(anyRows, fc.integer({ min: 1, max: 12 }), async (given, keysMax) => {
        const broker = new Broker(rowsOf(given));
        broker.keysMax = keysMax;
        const { tally, sent, records } = await broker.run();
        expect(broker.replayed.map(named).toSorted()).toEqual(expected(broker).toSorted());
        expect([sent, tally.written, records]).toEqual([broker.replayed.length, broker.replayed.length, given.length]);
        expect(tally.keys).toBe(new Set(given.map(([key]) => key)).size);
        expect(await broker.checkpoint()).toMatchObject(given.length > 0 ? { from: ALL_KEYS } : {});
      }),
      { numRuns: 200 },
    );
  });

  test("goes out at least once, and no other, wherever passes are killed and gone on with", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyRows,
        fc.array(fc.tuple(fc.nat(12), fc.boolean()), { maxLength: 6 }),
        async (given, kills) => {
          const broker = new Broker(rowsOf(given));
          const { start } = broker;
          const wanted = expected(broker);
          for (const [left, isDead] of kills) {
            broker.left = left;
            broker.isDead = isDead;
            await broker.run((await broker.checkpoint()) ?? start).catch(dies);
            broker.partitions[0]?.push(recordOf({ key: "K-0", kind: "row" }, 0, broker.partitions[0].length, 1_000)); // later
          }
          broker.left = Number.POSITIVE_INFINITY;
          await broker.run((await broker.checkpoint()) ?? start);
          const names = broker.replayed.map(named);
          expect([...new Set(names)].toSorted()).toEqual(wanted.toSorted());
          const repeating = kills.filter(([, isDead]) => isDead).length; // one that can still say how far it is repeats nothing
          expect(names.length - wanted.length).toBeLessThanOrEqual(repeating * broker.keysMax);
        },
      ),
      { numRuns: 200 },
    );
  });
});

test("only wanted keys are looked at, and those that are not there are named", async () => {
  const broker = new Broker(rowsOf([...Array(10).keys()].map((n) => [`K-${n}`, "row", 1])));
  const { tally, missing } = await broker.run(broker.start, { route: "customers", keys: new Set(["K-3", "K-77"]) });
  expect([broker.replayed.map(({ key }) => String(key)), tally.keys, missing]).toEqual([["K-3"], 1, ["K-77"]]);
  const none = await broker.run(broker.start, { route: "another", keys: null });
  expect([none.tally.keys, none.sent]).toEqual([0, 0]);
});

test("a pass that finds fewer keys than before it was broken off still takes those it had left for later", async () => {
  const broker = new Broker(rowsOf([...Array(10).keys()].map((n) => [`K-${n}`, "row", 1])));
  broker.keysMax = 100;
  const half = 2 ** 31;
  await broker.run({ ...broker.start, from: half }); // keys of the upper half
  const upper = broker.replayed.splice(0).map(named);
  guard(upper.length > 0 && upper.length < 10, "all keys are in one half");
  const rows = broker.ends.map((end) => ({
    ...end,
    offset: end.high,
    metadata: metadataOf("a1", { ...end, to: half }),
  }));
  const start = await loadCheckpoint("sink", broker.ends, { committed: async () => rows, commit: async () => {} });
  await broker.run(start ?? broker.start);
  expect(broker.replayed.map(named)).toEqual(upper);
});

test("what the topic has deleted meanwhile is left out", async () => {
  const broker = new Broker(rowsOf([["K-0", "row", 1]]));
  const { start } = broker;
  broker.partitions[0] = [];
  expect(await broker.run(start)).toMatchObject({ sent: 0, records: 0 });
});

test("a table never holds more than it may, and knows from where on others must take over", () => {
  const fate: Fate = { status: "left-alone", reason: "filtered" };
  const seen: Seen = { partition: 0, offset: 0n, timestampMs: 0, isDelete: false, isTombstone: false, fate };
  const found: string[] = [];
  let passes = 0;
  for (let from = 0; from < ALL_KEYS; passes++) {
    const table = new NewestTable(from, ALL_KEYS, 100);
    for (let n = 0; n < 2_000; n++) {
      table.note(`accounts/${n}`, seen);
      expect(table.newest.size).toBeLessThanOrEqual(100);
    }
    found.push(...table.newest.keys());
    from = table.to;
  }
  expect([found.length, new Set(found).size]).toEqual([2_000, 2_000]);
  expect(passes).toBeLessThanOrEqual(40);
});

test.each([
  ["nothing", [null, null]],
  ["what another program wrote", ["x", '{"id":1}']],
  ["passes that do not belong together", [metadataOf("a1"), metadataOf("b2")]],
])("a group that holds %s tells of no pass", async (_, texts) => {
  const rows = texts.map((metadata, partition) => ({ topic: TOPIC, partition, offset: 1n, metadata }));
  expect(await loadCheckpoint("sink", [], { committed: async () => rows, commit: async () => {} })).toBeNull();
});

function metadataOf(id: string, { low = 0n, high = 9n, to = ALL_KEYS } = {}): string {
  const range = { low: String(low), high: String(high) };
  return JSON.stringify({ id, selection: "s", startedAtMs: 5, ...range, from: 0, to });
}
