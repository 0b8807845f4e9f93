/** The main loop as a whole, on the simulation's broker: what a stop, a crash and a full window leave behind. */
import { expect, test } from "vitest";
import { readMark } from "../../../src/commit/mark.ts";
import { Controls } from "../../../src/control/controls.ts";
import { asSkip, pauseField, skipField } from "../../../src/control/notes.ts";
import type { Entity } from "../../../src/domain/mutation.ts";
import type { Batch, Outcome, Receipt } from "../../../src/domain/receipt.ts";
import type { ErrantRecordReporter } from "../../../src/domain/stages.ts";
import { Pipeline } from "../../../src/pipeline/pipeline.ts";
import { Broker } from "../../sim/broker.ts";
import { Dice } from "../../sim/dice.ts";
import { createDecoder, createMapper, type ErpRecord, NOBODY } from "../../sim/erp.ts";
import { NO_FAULTS } from "../../sim/faults.ts";
import { Redis } from "../../sim/redis.ts";
import { SimSource } from "../../sim/source.ts";
import { Process, Time } from "../../sim/time.ts";
import { MemoryBoard } from "../../support/memory-board.ts";

const CUSTOMERS = { topic: "customers", partition: 0 };
const ERRANT = "errant";
const LATE_MAX_MS = 12_000;

class Rig {
  readonly time = new Time();
  readonly dice = new Dice(1);
  readonly broker: Broker;
  readonly redis = new Redis(this.time, this.dice);
  readonly records: ErpRecord[] = [];
  readonly sent: { readonly by: string; readonly atMs: number; readonly batch: Batch }[] = [];
  readonly failures: unknown[] = [];
  /** Offsets of dead letters; each takes a second to be stored. */
  readonly letters: bigint[] = [];
  lettersBegun = 0;
  /** Sell takes everything after so long; Infinity: it never answers. */
  answerMs = 200;
  /** What Sell answers instead to so many writes. */
  refuses: ((writes: number) => Partial<Receipt>) | null = null;
  massFailure = { outOf: 100, moreThan: 100 };
  /** Of parents; the child itself keeps this one from being worked off. */
  origins: readonly string[] = ["customers"];
  /** What people and all processes read and write. */
  readonly board = new MemoryBoard({ now: () => this.time.nowMs });
  #starts = 0;

  constructor(partitions: readonly number[] = [0]) {
    this.broker = new Broker({ customers: partitions }, this.time, () => {});
  }

  write(...keys: readonly string[]): void {
    for (const key of keys) this.#write("accounts", key, null);
  }

  writeOrphan(key: string): void {
    this.#write("deals", key, NOBODY);
  }

  /** To the other partition of the topic. */
  writeBeside(key: string): void {
    this.#write("accounts", key, null, { ...CUSTOMERS, partition: 1 });
  }

  #write(entity: Entity, key: string, parent: string | null, partition = CUSTOMERS): void {
    const index = this.records.length;
    const wish = { entity, key, action: "upsert", fields: { name: `v${index}` } } as const;
    const wishes = [{ ...wish, parent, bad: "no" as const }];
    const offset = this.broker.end(partition);
    const kind = key === ERRANT ? "errant" : "wishes";
    this.records.push({ index, partition, offset, kind, wishes, isBackfill: false });
    const raw = { key: null, value: Buffer.from(String(index)), headers: [] };
    this.broker.append(partition, { ...raw, offset, timestampMs: this.time.nowMs });
  }

  async start(maxRecords = 1_000): Promise<{ readonly pipeline: Pipeline; readonly process: Process }> {
    const process = new Process(`p${++this.#starts}`, this.time);
    const { broker, dice, redis } = this;
    const stages = {
      source: new SimSource({ broker, process, dice, faults: () => NO_FAULTS, fetchMax: 5 }),
      decoder: createDecoder(this.records),
      mapper: createMapper(this.records, false),
      gate: redis.gate(process),
      store: redis.store(process),
      deadLetters: {
        report: ({ position }) => {
          this.lettersBegun += 1;
          return process.call(1_000, () => void this.letters.push(position.offset));
        },
      } satisfies ErrantRecordReporter,
      target: {
        ...{ dialect: "bulk", maxItems: 50, account: "test", open: async () => {}, close: async () => {} },
        send: (batch: Batch, signal: AbortSignal) => this.#send(process, batch, signal),
        credentialChanged: (signal: AbortSignal) =>
          new Promise<void>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
      },
    };
    const options = {
      ...{ nonce: process.name, accountMark: "test", startFrom: () => "earliest" as const },
      ...{ maxItems: 50, lingerMs: 100, maxInFlight: 4, maxRecords, maxBytes: 1_000_000, maxSpan: 1_000 },
      ...{ parkTimeoutMs: 60_000, indexLagMs: 2_000, lateApplyMaxMs: LATE_MAX_MS, timeoutMs: 6_000 },
      ...{ massFailure: this.massFailure, replay: null, originsOf: () => this.origins },
      backfills: new Set<string>(),
    };
    const { clock } = process;
    const onFatal = (error: Error): void => void this.failures.push(error);
    const brake = { deletions: null, creations: null };
    const controls = new Controls({
      routes: [{ name: "customers", topic: "customers", paused: null, brake }],
      ...{ board: this.board, count: null, redis: null, name: process.name, clock, emit: () => {} },
    });
    await controls.open(new AbortController().signal);
    const pipeline = new Pipeline(stages, options, { clock, random: dice.random, emit: () => {}, onFatal, controls });
    await pipeline.start();
    return { pipeline, process };
  }

  #send(process: Process, batch: Batch, signal: AbortSignal): Promise<Receipt> {
    this.sent.push({ by: process.name, atMs: this.time.nowMs, batch });
    const result =
      batch.verb === "lookup" ? ({ result: "missing", id: null } as const) : { result: "updated" as const };
    const outcomes = batch.writes.map((_, i) => ({ status: "accepted", id: i + 1, ...result }) as const);
    const plain = { outcomes, throttle: null, halt: null, httpStatus: 200, names: null, announced: null };
    const answer: Receipt = this.refuses === null ? plain : { ...plain, ...this.refuses(batch.writes.length) };
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      if (Number.isFinite(this.answerMs)) this.time.after(this.answerMs, () => process.deliver(() => resolve(answer)));
    });
  }

  async pass(ms: number): Promise<this> {
    await this.time.run(() => false, this.time.nowMs + ms);
    return this;
  }

  async until(isDone: () => boolean): Promise<number> {
    const fromMs = this.time.nowMs;
    expect(await this.time.run(isDone, fromMs + 600_000)).toBe(true);
    return this.time.nowMs - fromMs;
  }

  async stop(pipeline: Pipeline): Promise<number> {
    let isOver = false;
    void pipeline.stop().then(() => (isOver = true));
    return this.until(() => isOver);
  }

  get stored() {
    const { offset, metadata } = this.broker.stored(CUSTOMERS) ?? { offset: -1n, metadata: null };
    const mark = readMark(metadata, offset);
    return { offset, state: mark?.state, settled: mark?.settled };
  }
}

test("a stop awaits what is on the wire, settles it and hands over clean", async () => {
  const rig = new Rig();
  rig.write("a", "b");
  const { pipeline } = await rig.start();
  await rig.until(() => rig.sent.length > 0);
  const tookMs = await rig.stop(pipeline);
  expect(rig.stored).toEqual({ offset: 2n, state: "clean", settled: [] });
  expect([tookMs < 2_000, rig.failures]).toEqual([true, []]);
});

test("a stop while Sell is silent ends within 10 s, and leaves the partition open", async () => {
  const rig = new Rig();
  rig.answerMs = Number.POSITIVE_INFINITY;
  rig.write("a");
  const { pipeline } = await rig.start();
  await rig.until(() => rig.sent.length > 0);
  expect(await rig.stop(pipeline)).toBeLessThan(10_000);
  expect(rig.stored).toEqual({ offset: 0n, state: "open", settled: [] });
  expect(rig.failures).toEqual([]);
});

test("what settled above a waiting record is not sent again by the next owner", async () => {
  const rig = new Rig();
  rig.answerMs = Number.POSITIVE_INFINITY;
  rig.write("a");
  const { pipeline } = await rig.start();
  await rig.until(() => rig.sent.length > 0);
  rig.answerMs = 200;
  rig.write("b", "c");
  await rig.pass(5_000);
  await rig.stop(pipeline);
  expect(rig.stored).toEqual({ offset: 0n, state: "open", settled: [1n, 2n] });
  const next = await rig.start();
  await rig.until(() => rig.stored.offset === 3n);
  expect(rig.sent.filter(({ by }) => by === "p2").map(({ batch }) => batch.writes.map(({ key }) => key))).toEqual([
    ["a"],
  ]);
  await rig.stop(next.pipeline);
});

test("after a crash the next owner sends nothing until the last request can have no effect any more", async () => {
  const rig = new Rig();
  rig.answerMs = Number.POSITIVE_INFINITY;
  rig.write("a");
  const { process } = await rig.start();
  await rig.until(() => rig.sent.length > 0);
  process.kill();
  rig.answerMs = 200;
  const { pipeline } = await rig.start();
  await rig.until(() => rig.stored.offset === 1n);
  const [first, second] = rig.sent;
  expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(LATE_MAX_MS);
  await rig.stop(pipeline);
});

test("a process that stood still for longer than its session sends nothing of what it still holds", async () => {
  const rig = new Rig();
  const { pipeline, process } = await rig.start();
  await rig.pass(2_000);
  rig.write("a");
  await rig.until(() => pipeline.partitions.some(({ held }) => held.records > 0));
  process.freeze();
  await rig.pass(25_000);
  process.thaw();
  await rig.pass(50);
  expect([(await pipeline.snapshot()).windowRecords, rig.sent]).toEqual([1, []]);
  await rig.until(() => rig.stored.offset === 1n);
  await rig.stop(pipeline);
});

test("a stop awaits the dead letter on its way and begins no other: the next owner writes neither of them twice", async () => {
  const rig = new Rig();
  rig.write(ERRANT, ERRANT);
  const { pipeline } = await rig.start();
  await rig.until(() => rig.lettersBegun > 0);
  await rig.stop(pipeline);
  expect([rig.letters, rig.stored]).toEqual([[0n], { offset: 1n, state: "clean", settled: [] }]);
  const next = await rig.start();
  await rig.until(() => rig.stored.offset === 2n);
  expect(rig.letters).toEqual([0n, 1n]);
  await rig.stop(next.pipeline);
});

test("holds only so many records, and none when all are settled", async () => {
  const rig = new Rig();
  rig.answerMs = Number.POSITIVE_INFINITY;
  rig.write(...Array.from({ length: 100 }, (_, i) => `k${i}`));
  const { pipeline } = await rig.start(20);
  await rig.pass(30_000);
  const { windowRecords } = await pipeline.snapshot();
  expect([windowRecords >= 20, windowRecords < 20 + 5]).toEqual([true, true]); // one fetch beyond
  expect((await pipeline.snapshot()).partitions[0]).toMatchObject({ paused: "window" });
  await rig.stop(pipeline);
});

test("a window that was full fetches on when it has room again", async () => {
  const rig = new Rig();
  rig.write(...Array.from({ length: 100 }, (_, i) => `k${i}`));
  const { pipeline } = await rig.start(20);
  await rig.until(() => rig.stored.offset === 100n);
  expect(await pipeline.snapshot()).toMatchObject({ windowRecords: 0, windowBytes: 0 });
  await rig.stop(pipeline);
  expect(rig.failures).toEqual([]);
});

test("a record that arrives inside an announced pause is read, so that its age is known, and not sent", async () => {
  const rig = new Rig();
  void rig.redis.gate(new Process("before", rig.time)).adopt(3_600_000);
  const { pipeline } = await rig.start();
  await rig.pass(30_000);
  rig.write("a");
  await rig.pass(30_000);
  const [partition] = (await pipeline.snapshot()).partitions;
  expect(partition).toMatchObject({ lag: 1, paused: "quota" });
  expect(partition?.oldestPendingAgeS.live).toBeGreaterThan(29);
  expect(rig.sent).toEqual([]);
  await rig.stop(pipeline);
});

const HOUR_MS = 3_600_000;
const every = (writes: number, outcome: Outcome): readonly Outcome[] => Array.from({ length: writes }, () => outcome);
const busy = (writes: number): readonly Outcome[] => every(writes, { status: "retriable", reason: "test" });

test.each<[string, (writes: number) => Partial<Receipt>]>([
  ["a 429 of an hour", (n) => ({ outcomes: busy(n), throttle: { hintMs: HOUR_MS, source: "body" }, httpStatus: 429 })],
  ["a token that is refused for an hour", (n) => ({ outcomes: busy(n), halt: { kind: "auth", message: "No." } })],
  ["an hour without a connection", (n) => ({ outcomes: busy(n), httpStatus: null })],
  ["an hour of silence", (n) => ({ outcomes: every(n, { status: "unknown", reason: "timeout" }), httpStatus: null })],
])("%s times no child out; only time in which Sell accepts does", async (_, refuses) => {
  const rig = new Rig();
  rig.writeOrphan("c");
  const { pipeline } = await rig.start();
  await rig.pass(10_000);
  rig.refuses = refuses;
  rig.write("a");
  await rig.pass(HOUR_MS - 10_000);
  expect(rig.letters).toEqual([]);
  rig.refuses = null;
  await rig.pass(120_000);
  rig.write("b");
  await rig.pass(100_000); // the time itself, and until it is clear that its topic waits for the child alone
  expect(rig.letters).toEqual([0n]);
  await rig.stop(pipeline);
  expect(rig.failures).toEqual([]);
});

test("when most records of a topic fail, it stands still: no more dead letters, nothing committed past it, and it hands over clean", async () => {
  const rig = new Rig();
  rig.massFailure = { outOf: 10, moreThan: 3 };
  rig.write("a", ...Array.from({ length: 20 }, () => ERRANT), "b");
  const { pipeline } = await rig.start();
  await rig.pass(60_000);
  expect([rig.letters, rig.stored.offset, rig.sent.length]).toEqual([[1n, 2n, 3n], 4n, 1]);
  expect((await pipeline.snapshot()).partitions[0]).toMatchObject({ paused: "failures" });
  await rig.stop(pipeline);
  expect([rig.stored.state, rig.failures]).toEqual(["clean", []]);

  rig.massFailure = { outOf: 100, moreThan: 100 };
  const next = await rig.start();
  await rig.until(() => rig.stored.offset === 22n);
  expect([rig.letters.length, rig.sent.length]).toEqual([20, 2]);
  await rig.stop(next.pipeline);
});

test("what holds up the oldest change is told: a parent that is not there", async () => {
  const rig = new Rig();
  rig.write("a");
  rig.writeOrphan("c");
  const { pipeline } = await rig.start();
  await rig.until(() => rig.sent.length > 0);
  await rig.pass(5_000);
  expect((await pipeline.snapshot()).holdup).toMatchObject({ by: "parent", position: "customers[0]@1" });
  await rig.stop(pipeline);
});

test("a topic that stopped is read as far as its age tells, also where nothing had waited", async () => {
  const rig = new Rig([0, 1]);
  rig.massFailure = { outOf: 10, moreThan: 3 };
  rig.write("a", ...Array.from({ length: 20 }, () => ERRANT));
  const { pipeline } = await rig.start();
  await rig.pass(60_000);
  rig.writeBeside("late");
  await rig.pass(60_000);
  const { partitions } = await pipeline.snapshot();
  const beside = partitions.find(({ partition }) => partition === 1);
  expect(beside).toMatchObject({ lag: 1, paused: "failures" });
  expect(beside?.oldestPendingAgeS.live).toBeGreaterThan(50);
  await rig.stop(pipeline);
});

const PAUSED = { state: "paused", who: "ann", why: "wrong prices" };
const RESUMED = { state: "resumed", who: "ann" };
const keysOf = (rig: Rig): readonly string[] => rig.sent.flatMap(({ batch }) => batch.writes.map(({ key }) => key));

test("a paused topic sends nothing, buries nothing, is read as far as its age tells, hands over clean, and goes on in order", async () => {
  const rig = new Rig();
  rig.write("a");
  const { pipeline } = await rig.start();
  await rig.until(() => rig.stored.offset === 1n);
  await rig.board.put(pauseField("customers"), PAUSED);
  await rig.pass(2_000);
  rig.write("b", ERRANT, "c", ...Array.from({ length: 30 }, (_, i) => `k${i}`), "z");
  await rig.pass(60_000);
  expect([keysOf(rig), rig.letters, rig.stored.offset]).toEqual([["a"], [], 1n]);
  const { partitions, pauses, windowRecords } = await pipeline.snapshot();
  expect([partitions[0]?.paused, windowRecords < 15]).toEqual(["paused", true]);
  expect(partitions[0]?.oldestPendingAgeS.live).toBeGreaterThan(50);
  expect(pauses).toMatchObject([{ route: "customers", who: "ann" }]);
  await rig.stop(pipeline);
  expect(rig.stored).toEqual({ offset: 1n, state: "clean", settled: [] });

  const next = await rig.start();
  await rig.pass(30_000);
  expect(keysOf(rig)).toEqual(["a"]);
  await rig.board.put(pauseField("customers"), RESUMED);
  await rig.until(() => rig.stored.offset === 35n);
  const inOrder = ["a", "b", "c", ...Array.from({ length: 30 }, (_, i) => `k${i}`), "z"];
  expect([rig.letters, keysOf(rig), rig.failures]).toEqual([[2n], inOrder, []]);
  await rig.stop(next.pipeline);
});

test("records that were all read while the topic was paused go when it is lifted, without another one to push them", async () => {
  const rig = new Rig();
  const { pipeline } = await rig.start();
  await rig.board.put(pauseField("customers"), PAUSED);
  await rig.pass(2_000);
  rig.write("a", "b");
  await rig.pass(5_000);
  await rig.board.put(pauseField("customers"), RESUMED);
  expect(await rig.until(() => rig.stored.offset === 2n)).toBeLessThan(5_000);
  await rig.stop(pipeline);
});

test("what was ready when the pause came is taken back, what is on the wire ends, and all goes out once when it is lifted", async () => {
  const rig = new Rig();
  rig.answerMs = 4_000;
  rig.write("a");
  const { pipeline } = await rig.start();
  await rig.until(() => rig.sent.length > 0);
  rig.write("a", "b");
  await rig.board.put(pauseField("customers"), PAUSED);
  await rig.pass(20_000);
  const before = keysOf(rig).length;
  expect(rig.stored.offset).toBeGreaterThan(0n);
  await rig.board.put(pauseField("customers"), RESUMED);
  await rig.until(() => rig.stored.offset === 3n);
  expect([before < 3, keysOf(rig).toSorted()]).toEqual([true, ["a", "a", "b"]]);
  await rig.stop(pipeline);
});

const skip = async (rig: Rig, offset: bigint): Promise<unknown> => {
  const field = skipField({ ...CUSTOMERS, offset });
  await rig.board.put(field, { state: "asked", who: "ann", why: "ticket 7" });
  const told = () => asSkip(rig.board.notes.get(field))?.content;
  await rig.until(() => told()?.state === "told");
  const content = told();
  return content?.state === "told" ? content.answer : null;
};

test("a skipped record that stands still in intake is a dead letter, and what follows goes on", async () => {
  const rig = new Rig();
  rig.massFailure = { outOf: 1, moreThan: 0 };
  rig.write(ERRANT, "b");
  const { pipeline } = await rig.start();
  await rig.pass(5_000);
  expect([rig.stored.offset, rig.letters]).toEqual([0n, []]);
  expect(await skip(rig, 0n)).toBe("done");
  await rig.pass(2_000);
  expect([rig.stored.offset, rig.letters]).toEqual([1n, [0n]]); // its topic stands still, but not at this record
  expect([await skip(rig, 0n), await skip(rig, 7n)]).toEqual(["settled", "ahead"]);
  expect(await skip(rig, 1n)).toBe("done");
  await rig.until(() => rig.stored.offset === 2n);
  await rig.stop(pipeline);
  expect(rig.failures).toEqual([]);
});

test("a record on the wire is not skipped", async () => {
  const rig = new Rig();
  rig.answerMs = Number.POSITIVE_INFINITY;
  rig.write("a");
  const { pipeline } = await rig.start();
  await rig.until(() => rig.sent.length > 0);
  expect(await skip(rig, 0n)).toBe("busy"); // for longer than anybody waits
  expect([rig.letters, rig.stored.offset]).toEqual([[], 0n]);
  await rig.stop(pipeline);
});

test("a pause times no child out: its parent may be in what stands still", async () => {
  const rig = new Rig();
  rig.write("a");
  rig.writeOrphan("c");
  const { pipeline } = await rig.start();
  await rig.until(() => rig.stored.offset === 1n);
  await rig.board.put(pauseField("customers"), PAUSED);
  await rig.pass(HOUR_MS);
  expect(rig.letters).toEqual([]);
  await rig.board.put(pauseField("customers"), RESUMED);
  await rig.until(() => rig.letters.length > 0);
  await rig.stop(pipeline);
});
