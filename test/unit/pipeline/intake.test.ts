import { describe, expect, onTestFinished, test } from "vitest";
import { OwnedPartition } from "../../../src/commit/partition.ts";
import { letterHeaders } from "../../../src/dead-letter/letter.ts";
import { resyncHeaders } from "../../../src/dead-letter/resync-headers.ts";
import type { Change, Decoded } from "../../../src/domain/change.ts";
import { ConnectorError } from "../../../src/domain/errors.ts";
import type { Mutation } from "../../../src/domain/mutation.ts";
import type { ConsumerRecord, RecordHeader } from "../../../src/domain/record.ts";
import { type Deferred, deferred } from "../../../src/lib/deferred.ts";
import { Tasks } from "../../../src/lib/tasks.ts";
import { Intake } from "../../../src/pipeline/intake.ts";
import { Process, Time } from "../../sim/time.ts";
import { aMutation, aPosition, aRecord } from "../../support/builders.ts";

const CHANGE: Change = {
  ...{ op: "u", key: null, before: null, after: null, version: null, origin: "streamed" },
  ...{ tombstone: false, sourceTsMs: null, txId: null },
};
const SKIP: Decoded = { status: "skip", reason: "test" };
const ERRANT: Decoded = { status: "errant", errant: { stage: "decode", reason: "broken", message: "broken" } };
const changes = (count: number): Decoded => ({
  status: "changes",
  changes: Array.from({ length: count }, () => CHANGE),
});

/** What a record decodes to is looked up by its value. */
class Line {
  readonly time = new Time();
  readonly process = new Process("p", this.time);
  readonly read: ConsumerRecord[] = [];
  readonly added: Mutation[] = [];
  readonly settled: bigint[] = [];
  readonly letters: Deferred<void>[] = [];
  readonly events: string[] = [];
  readonly failures: unknown[] = [];
  readonly partition: OwnedPartition;
  isFrozen = false;
  admits = true;
  mayReplay = true;
  remembersSince = 0;
  answers: Record<string, () => Decoded | Promise<Decoded>> = {
    skip: () => SKIP,
    errant: () => ERRANT,
    one: () => changes(1),
    two: () => changes(2),
  };
  readonly intake = new Intake({
    ...{ clock: this.process.clock, random: () => 0.5, tasks: new Tasks((error) => this.failures.push(error)) },
    decoder: {
      decode: (record) => {
        this.read.push(record);
        return this.answers[String(record.value)]?.() ?? SKIP;
      },
    },
    mapper: { map: (_, record) => ({ status: "mutations", mutations: [aMutation({ record })] }) },
    deadLetters: {
      report: (_record, _errant, _attempts, signal) => {
        const letter = deferred();
        this.letters.push(letter);
        signal.addEventListener("abort", () => letter.reject(signal.reason));
        return letter.promise;
      },
    },
    emit: (name) => this.events.push(name),
    add: (mutation) => this.added.push(mutation),
    settle: (record: ConsumerRecord) => {
      this.settled.push(record.position.offset);
      if (this.partition.watermark.settle(record.position.offset)) this.partition.release(record);
    },
    admits: () => this.admits,
    remembersSince: async () => this.remembersSince,
    ...{ replayTopic: "letters.replay", mayReplay: () => this.mayReplay, isRead: (topic) => topic === "orders" },
    isHeld: () => this.isFrozen,
    laneOf: (topic) => (topic === "orders" ? "live" : "backfill"),
    progressed: () => {},
  });

  constructor(topic = "orders") {
    this.partition = new OwnedPartition({ topic, partition: 0 }, 1);
    this.partition.startAt(0n, []);
    this.partition.state = "open";
  }

  async receive(...values: readonly string[]): Promise<this> {
    const from = this.partition.watermark.next;
    this.partition.receive(
      values.map((value, i) => {
        return { offset: from + BigInt(i), timestampMs: 0, key: null, value: Buffer.from(value), headers: [] };
      }),
      from + BigInt(values.length),
    );
    return this.goOn();
  }

  /** A fetch that brought nothing, up to that offset. */
  async receiveNothing(next: bigint): Promise<this> {
    this.partition.receive([], next);
    return this.goOn();
  }

  async goOn(ms = 0): Promise<this> {
    this.intake.prepareSoon(this.partition);
    await this.time.run(() => false, this.time.nowMs + ms);
    await this.time.run(() => false, this.time.nowMs);
    return this;
  }
}

test("an end of the partition that holds no record is worked off, but not past a record that waits", async () => {
  const line = await new Line().receiveNothing(3n);
  expect(line.partition.watermark.committable).toBe(3n);
  await (await line.receive("errant")).receiveNothing(9n);
  expect(line.partition.watermark.committable).toBe(3n);
  line.letters[0]?.resolve();
  await line.goOn();
  expect(line.partition.watermark.committable).toBe(9n);
});

test("what comes while nothing may be prepared is passed in its turn", async () => {
  const line = new Line();
  line.isFrozen = true;
  await (await line.receive("one")).receiveNothing(5n);
  expect(line.partition.watermark.next).toBe(0n);
  line.isFrozen = false;
  await line.goOn();
  expect(line.partition.watermark.next).toBe(5n);
});

test("a skipped record settles at once; a mapped one goes into the window and settles there", async () => {
  const line = await new Line().receive("skip", "one");
  expect([line.settled, line.added.map(({ record }) => record.position.offset)]).toEqual([[0n], [1n]]);
  expect(line.partition.watermark.committable).toBe(1n);
});

test("a record of several changes settles with the last of them", async () => {
  const line = await new Line().receive("two");
  expect(line.added).toHaveLength(2);
  expect(line.partition.watermark.settle(0n)).toBe(false);
  expect(line.partition.watermark.settle(0n)).toBe(true);
});

test("an errant record settles when its dead letter is stored, and nothing of its partition overtakes it", async () => {
  const line = await new Line().receive("errant", "one");
  expect([line.settled, line.added]).toEqual([[], []]);
  line.letters[0]?.resolve();
  await line.goOn();
  expect([line.settled, line.added.length]).toEqual([[0n], 1]);
});

test("a partition that is let go on in the moment in which it stops goes on", async () => {
  const line = new Line();
  let wasHeld = false;
  line.answers.later = async () => changes(1);
  Object.defineProperty(line, "isFrozen", {
    get() {
      if (wasHeld || line.read.length === 0) return false;
      queueMicrotask(() => line.intake.prepareSoon(line.partition));
      wasHeld = true;
      return true;
    },
  });
  await line.receive("later", "one");
  expect([wasHeld, line.added.length]).toEqual([true, 2]);
});

test("a registry that does not answer stalls the partition, and never makes a dead letter", async () => {
  const line = new Line();
  let failures = 3;
  line.answers.asks = async () => {
    if (failures-- > 0) throw new ConnectorError("REGISTRY_UNREACHABLE", "no answer", { retriable: true });
    return changes(1);
  };
  await line.receive("asks", "one");
  expect([line.added, line.events]).toEqual([[], ["record-stalled"]]);
  await line.goOn(60_000);
  expect([line.added.length, line.letters]).toEqual([2, []]);
  expect(line.events).toEqual(["record-stalled", "record-stalled", "record-stalled"]);
});

test("a topic that cannot be read holds its own partition for ever, and leaves it without a word when it is lost", async () => {
  const line = new Line();
  const unheard: unknown[] = [];
  const hear = (reason: unknown) => unheard.push(reason);
  process.on("unhandledRejection", hear);
  onTestFinished(() => void process.off("unhandledRejection", hear));
  line.answers.protobuf = async () => {
    throw new ConnectorError("SCHEMA_OF_OTHER_KIND", "the values are Protobuf", { retriable: true });
  };
  await line.receive("protobuf", "one");
  await line.goOn(3_600_000);
  expect([line.added, line.letters, line.settled]).toEqual([[], [], []]);
  expect(line.partition.watermark.committable).toBe(0n);
  const tries = line.events.length;
  line.partition.lose();
  await line.goOn(60_000);
  await new Promise((resolve) => setImmediate(resolve));
  expect([line.events.length, unheard, line.failures]).toEqual([tries, [], []]);
});

test("frozen by a join it begins nothing more, and goes on afterwards where it was", async () => {
  const line = await new Line().receive("errant", "errant", "one");
  line.isFrozen = true;
  line.letters[0]?.resolve();
  await line.goOn();
  expect([line.settled, line.letters.length, line.partition.inbox.length]).toEqual([[0n], 1, 2]);
  line.isFrozen = false;
  await line.goOn();
  line.letters[1]?.resolve();
  await line.goOn();
  expect([line.settled, line.added.length]).toEqual([[0n, 1n], 1]);
});

test("a record that an earlier owner settled is let go undelivered", async () => {
  const line = new Line();
  line.partition.startAt(0n, [1n]);
  await line.receive("skip", "one", "skip");
  expect([line.added, line.partition.watermark.committable, line.partition.held.records]).toEqual([[], 3n, 0]);
});

test("a partition that is lost while its dead letter is written is simply forgotten", async () => {
  const line = await new Line().receive("errant", "one");
  line.partition.lose();
  await line.goOn();
  expect([line.added, line.failures]).toEqual([[], []]);
});

describe("a record of the replay topic", () => {
  const SENDER = { connectorName: "sink", connectorVersion: "1", taskId: "t", configHash: "c" };
  /** The letter of a record that stood at offset 7 of a topic. */
  const aLetter = (topic: string, partition = 0): readonly RecordHeader[] =>
    letterHeaders(
      {
        record: aRecord({ position: aPosition({ topic, partition, offset: 7n }), timestampMs: 5 }),
        errant: { stage: "deliver", reason: "invalid", message: "no" },
        ...{ attempts: 1, firstAttemptMs: 1, names: null, nowMs: 9, replayed: null },
      },
      SENDER,
    );

  const receive = async (line: Line, headers: readonly RecordHeader[]): Promise<Line> => {
    const from = line.partition.watermark.next;
    const record = { offset: from, timestampMs: 0, key: null, value: Buffer.from("one"), headers };
    line.partition.receive([record], from + 1n);
    return line.goOn();
  };

  test("is read as its own topic's, and goes to the backfill with the place it had", async () => {
    const line = await receive(new Line("letters.replay"), [["own", null], ...aLetter("orders")]);
    expect(line.read).toMatchObject([
      { position: { topic: "orders", offset: 7n }, timestampMs: 5, headers: [["own", null]] },
    ]);
    expect(line.added).toMatchObject([
      { lane: "backfill", replayOf: { kind: "letter", topic: "orders", partition: 0, offset: 7n, sinceMs: 9 } },
    ]);
    expect(line.added[0]?.record.position).toMatchObject({ topic: "letters.replay", offset: 0n });
  });

  test("waits until the partition it stood in is ours and read past it", async () => {
    const line = new Line("letters.replay");
    line.mayReplay = false;
    await receive(line, aLetter("orders"));
    await line.goOn(5_000);
    expect([line.added, line.settled, line.events.includes("record-stalled")]).toEqual([[], [], true]);
    line.mayReplay = true;
    await line.goOn(1_000);
    expect(line.added).toHaveLength(1);
  });

  test("whose topic no route reads any more is skipped; it is still among the dead letters", async () => {
    const line = await receive(new Line("letters.replay"), aLetter("gone"));
    expect([line.added, line.settled, line.letters]).toEqual([[], [0n], []]);
  });

  test("of a resync writes only the keys that it names, and nothing for those it does not give", async () => {
    const record = aRecord({ position: aPosition({ topic: "orders", offset: 7n }), headers: [] });
    const sent = (...keys: readonly string[]) => resyncHeaders(record, { id: "a1", keys }, 9);
    const line = await receive(new Line("letters.replay"), sent("accounts/C-1", "accounts/666"));
    expect(line.added).toMatchObject([{ key: "C-1", lane: "backfill", replayOf: { kind: "resync", sinceMs: 9 } }]);
    const other = await receive(new Line("letters.replay"), sent("accounts/666"));
    expect([other.added, other.settled, other.letters]).toEqual([[], [0n], []]);
  });

  test("of a resync is not written once what was accepted since that began may be forgotten", async () => {
    const line = new Line("letters.replay");
    line.remembersSince = 10;
    const record = aRecord({ position: aPosition({ topic: "orders", offset: 7n }) });
    await receive(line, resyncHeaders(record, { id: "a1", keys: ["accounts/C-1"] }, 9));
    expect([line.added, line.settled, line.events]).toEqual([[], [0n], ["resync-outlived", "record-skipped"]]);
    await receive(line, resyncHeaders(record, { id: "a2", keys: ["accounts/C-1"] }, 10));
    expect(line.added).toHaveLength(1);
    await receive(line, aLetter("orders")); // a dead letter was judged by whoever sent it
    expect(line.added).toHaveLength(2);
  });

  test("is none when it stands in another topic, whatever its headers say", async () => {
    const record = aRecord({ position: aPosition({ topic: "orders", offset: 7n }) });
    const line = await receive(new Line("orders"), resyncHeaders(record, { id: "a1", keys: [] }, 9));
    expect(line.added).toHaveLength(1);
    expect(line.added[0]).toMatchObject({ lane: "live", record: { position: { offset: 0n } } });
    expect(line.added[0]?.replayOf).toBeUndefined();
  });

  test("that is no letter, or one of another partition, becomes a dead letter itself", async () => {
    for (const headers of [[], aLetter("orders", 1)]) {
      const line = await receive(new Line("letters.replay"), headers);
      expect([line.added, line.letters.length]).toEqual([[], 1]);
      line.partition.lose();
    }
  });
});

test("a failure that is not admitted stops its partition where it is, and makes no dead letter", async () => {
  const line = new Line();
  line.admits = false;
  await line.receive("errant", "one");
  await line.goOn(60_000);
  expect([line.letters, line.settled, line.added]).toEqual([[], [], []]);
  line.partition.lose();
});

test("a record that a person takes away while it waits for its schema lets the next one go, and comes to nothing when it is read after all", async () => {
  const line = new Line();
  const schema = deferred();
  line.answers.asks = () => schema.promise.then(() => changes(1));
  await line.receive("asks", "one");
  expect([line.intake.release(line.partition, 1n), line.intake.release(line.partition, 7n)]).toEqual([null, null]);
  expect(line.intake.release(line.partition, 0n)?.position.offset).toBe(0n);
  expect(line.intake.release(line.partition, 0n), "once").toBeNull();
  schema.resolve();
  await line.goOn();
  expect([line.added.map(({ record }) => record.position.offset), line.settled, line.letters]).toEqual([[1n], [], []]);
});

test("a record whose dead letter is being written is not taken away", async () => {
  const line = await new Line().receive("errant");
  expect(line.intake.release(line.partition, 0n)).toBeNull();
});
