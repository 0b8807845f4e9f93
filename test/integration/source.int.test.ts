/** The Kafka source against a real broker: everything here leans on what kafkajs and the broker do, not on what they promise. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { partitionName, type TopicPartition } from "../../src/domain/record.ts";
import type {
  ProducedRecord,
  RecordProducer,
  RecordSource,
  SourceHandlers,
  SourceRecord,
} from "../../src/domain/stages.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { kafkaConfig } from "../../src/source/config.ts";
import { connectKafka, type KafkaConnection } from "../../src/source/connect-kafka.ts";
import { CompressionTypes, Kafka, logLevel } from "../../src/source/kafkajs.ts";

const run = `source-${process.pid}-${Date.now().toString(36)}`;
const closers: (() => Promise<unknown>)[] = [];
let kafka: KafkaConnection;
let producer: RecordProducer;
let names = 0;

beforeAll(async () => {
  kafka = await connect("tests");
  producer = await kafka.producer();
});
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});
afterAll(async () => {
  await producer.close();
  await kafka.close();
});

it("connects by any broker of the list, also when the first is down", async () => {
  const said: string[] = [];
  const brokers = ["127.0.0.1:1", inject("kafka")];
  const connected = await connect("second", run, (name) => void said.push(name), brokers);
  closers.push(() => connected.close());
  expect(said).toEqual([]);
  expect(await connected.admin.brokers()).toHaveLength(1);
});

describe("records", () => {
  it("arrive as they were written: tombstones, empty values, null headers, repeated names in order", async () => {
    const topic = await aTopic(1);
    const headers = [
      ["b", Buffer.from("1")],
      ["10", Buffer.from("digits")],
      ["a", null],
      ["b", Buffer.alloc(0)],
      ["__proto__", Buffer.from("x")],
      ["2", Buffer.from("é")],
    ] as const;
    await producer.send([
      { topic, key: Buffer.from("k"), value: Buffer.from("v"), headers, timestampMs: 1_700_000_000_123 },
      { topic, key: Buffer.from("k"), value: null, headers: [] },
      { topic, key: null, value: Buffer.alloc(0), headers: [] },
    ]);
    const member = await aMember({ topics: [topic] });
    await member.until(() => member.records.length === 3);
    expect(member.records).toEqual([
      { offset: 0n, timestampMs: 1_700_000_000_123, key: Buffer.from("k"), value: Buffer.from("v"), headers },
      expect.objectContaining({ offset: 1n, value: null, headers: [] }),
      expect.objectContaining({ offset: 2n, key: null, value: Buffer.alloc(0) }),
    ]);
  });

  it.each(["GZIP", "Snappy", "LZ4", "ZSTD"] as const)(
    "packed with %s, here or by the broker, are unpacked",
    async (codec) => {
      const ours = await aTopic(1);
      const theirs = await aTopic(1, { "compression.type": codec.toLowerCase() });
      const values = Array.from({ length: 300 }, (_, i) => `record ${i} `.repeat(1 + (i % 50)));
      await raw(async (client) => {
        const packer = client.producer();
        await packer.connect();
        await packer.send({
          topic: ours,
          compression: CompressionTypes[codec],
          messages: values.map((value) => ({ value })),
        });
        await packer.disconnect();
      });
      await producer.send(values.map((value) => aRecord(theirs, { value: Buffer.from(value) })));
      const member = await aMember({ topics: [ours, theirs] });
      await member.until(() => member.records.length === 600);
      for (const topic of [ours, theirs]) {
        expect(member.recordsOf(topic).map(({ value }) => String(value))).toEqual(values);
      }
    },
  );

  it("own their bytes: nothing of the fetch response stays alive", async () => {
    const topic = await aTopic(1);
    await producer.send(Array.from({ length: 50 }, () => aRecord(topic, { value: Buffer.alloc(10_000, 7) })));
    const member = await aMember({ topics: [topic] });
    await member.until(() => member.records.length === 50);
    for (const { value } of member.records) expect(value?.buffer.byteLength).toBeLessThanOrEqual(10_000);
  });
});

describe("hand-off", () => {
  it("stops at a pause, stays a member, and goes on after resume without a gap", async () => {
    const topic = await aTopic(1);
    const member = await aMember({ topics: [topic] });
    await member.until(() => member.assignments.length === 1);
    member.source.pause({ topic, partition: 0 });
    await producer.send([aRecord(topic)]);
    await member.until(() => member.heartbeatsSeen(2));
    expect(member.records).toEqual([]);
    member.source.resume({ topic, partition: 0 });
    await producer.send([aRecord(topic)]);
    await member.until(() => member.records.length === 2);
    expect(member.offsets()).toEqual([0n, 1n]);
    expect(member.assignments).toHaveLength(1);
  });

  it("reads on from where it was told to", async () => {
    const topic = await aTopic(1);
    await producer.send(records(topic, 10));
    const member = await aMember({
      topics: [topic],
      onAssignment: (source) => source.seek({ topic, partition: 0 }, 7n),
    });
    await member.until(() => member.records.length === 3);
    expect(member.offsets()).toEqual([7n, 8n, 9n]);
  });

  it("ignores pauses and seeks of partitions that are not its own, and before it is a member", async () => {
    const topic = await aTopic(1);
    const source = kafka.source([topic]);
    source.pause({ topic, partition: 0 });
    source.seek({ topic, partition: 0 }, 1n);
    const member = await aMember({ topics: [topic] });
    await member.until(() => member.assignments.length === 1);
    member.source.pause({ topic: "elsewhere", partition: 5 });
  });

  it("tells when the broker no longer has the committed offset, and reads on from the oldest record", async () => {
    const topic = await aTopic(1);
    const group = aName("group");
    await producer.send(records(topic, 10));
    const first = await aMember({ topics: [topic], group });
    await first.until(() => first.records.length === 10);
    await first.source.commit([{ topic, partition: 0, offset: 2n, metadata: "mark" }]);
    await first.source.stop();
    await raw(async (client) => {
      const admin = client.admin();
      await admin.connect();
      await admin.fetchTopicOffsets(topic); // deleteTopicRecords does not load the metadata it needs
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: "6" }] });
      await admin.disconnect();
    });
    const second = await aMember({ topics: [topic], group });
    await second.until(() => second.records.length === 4);
    expect(second.offsets()).toEqual([6n, 7n, 8n, 9n]);
    expect(second.said("offset-out-of-range")).toEqual([
      { partition: `${topic}[0]`, expected: "the committed offset", got: "6" },
    ]);
    // kafkajs stored -2 over the mark: still a partition that was committed once.
    expect(await second.source.committed([{ topic, partition: 0 }])).toEqual([
      { topic, partition: 0, offset: 6n, metadata: null },
    ]);
  });
});

describe("commits", () => {
  it("are stored with their metadata and read back, also what was never committed", async () => {
    const topic = await aTopic(2);
    await producer.send(records(topic, 3));
    const member = await aMember({ topics: [topic] });
    await member.until(() => member.records.length === 3);
    await member.source.commit([{ topic, partition: 0, offset: 3n, metadata: "clean" }]);
    const committed = await member.source.committed([
      { topic, partition: 0 },
      { topic, partition: 1 },
    ]);
    expect([...committed].sort((a, b) => a.partition - b.partition)).toEqual([
      { topic, partition: 0, offset: 3n, metadata: "clean" },
      { topic, partition: 1, offset: null, metadata: null },
    ]);
    expect(member.said("committed")).toHaveLength(1);
  });

  it("are refused while they would vanish: in the first join, and after stop", async () => {
    const topic = await aTopic(1);
    const commit = [{ topic, partition: 0, offset: 1n, metadata: "" }];
    const early: Promise<unknown>[] = [];
    const member = await aMember({
      topics: [topic],
      onAssignment: (source) => void early.push(source.commit(commit).catch((error: unknown) => error)),
    });
    await member.until(() => member.assignments.length === 1);
    expect(await early[0]).toMatchObject({ code: "COMMIT_REFUSED", retriable: true });
    await member.source.stop();
    await expect(member.source.commit(commit)).rejects.toMatchObject({ code: "COMMIT_REFUSED" });
  });

  it("are refused for partitions of another member, which the broker would accept", async () => {
    const topic = await aTopic(2);
    const [one, other] = await aPair([topic]);
    const foreign = other.owned()[0] as TopicPartition;
    await expect(one.source.commit([{ ...foreign, offset: 0n, metadata: "" }])).rejects.toThrow(
      `${partitionName(foreign)} belongs to another member`,
    );
  });
});

describe("the group", () => {
  it("runs the barrier before each join, and a commit made in it is stored", async () => {
    const topic = await aTopic(2);
    const group = aName("group");
    await producer.send(records(topic, 4));
    const log: string[] = [];
    const first = await aMember({
      topics: [topic],
      group,
      beforeRejoin: async (source) => {
        log.push("barrier");
        if (log.length === 3) await source.commit([{ topic, partition: 0, offset: 4n, metadata: "clean" }]);
      },
      onAssignment: () => void log.push("assigned"),
    });
    await first.until(() => first.records.length === 4);
    const second = await aMember({ topics: [topic], group });
    await second.until(() => second.owned().length === 1);
    await first.until(() => first.owned().length === 1);
    await second.source.stop();
    await first.until(() => first.owned().length === 2);
    // The guard of the patch: kafkajs asked for the coordinator once before each join, and at no other time.
    expect(log).toEqual(["barrier", "assigned", "barrier", "assigned", "barrier", "assigned"]);
    expect(first.deaths).toEqual([]); // a barrier that rejects is one
    expect(await first.source.committed([{ topic, partition: 0 }])).toMatchObject([{ offset: 4n, metadata: "clean" }]);
  });

  it("keeps numbers of all topics together and moves few partitions when members come and go", async () => {
    const customers = await aTopic(6);
    const orders = await aTopic(3);
    const topics = [customers, orders];
    const group = aName("group");
    const first = await aMember({ topics, group });
    await first.until(() => first.owned().length === 9);
    const second = await aMember({ topics, group });
    await second.until(() => second.owned().length > 0);
    await first.until(() => first.owned().length < 9);
    for (const member of [first, second]) {
      for (const { topic, partition } of member.owned()) {
        if (topic === orders) expect(member.owned()).toContainEqual({ topic: customers, partition });
      }
    }
    const third = await aMember({ topics, group });
    await third.until(() => third.owned().length > 0);
    await first.until(() => first.assignments.length === 3);
    await second.until(() => second.assignments.length === 2);
    // Moved only to the newcomers, and back without touching what stayed.
    for (const member of [first, second]) expect(member.assignments.at(-1)?.gained).toEqual([]);
    const kept = first.owned();
    await third.source.stop();
    await second.source.stop();
    await first.until(() => first.owned().length === 9);
    expect(first.assignments.flatMap(({ lost }) => lost)).not.toContainEqual(kept[0]);
    expect(first.assignments.at(-1)?.lost).toEqual([]);
  });

  it("fetches records again that were not committed before a rejoin", async () => {
    const topic = await aTopic(2);
    await producer.send(records(topic, 5));
    const [one, other] = await aPair([topic], (member) => member.records.length === 5);
    const reader = [one, other].find((member) => member.owned().some(({ partition }) => partition === 0)) as Member;
    await reader.until(() => reader.offsets().filter((offset) => offset === 0n).length >= (reader === one ? 2 : 1));
    expect(reader.offsets().slice(-5)).toEqual([0n, 1n, 2n, 3n, 4n]);
  });

  it("has a lease that lasts at most a session, from the join until it stops", async () => {
    const topic = await aTopic(1);
    const member = await aMember({ topics: [topic] });
    await member.until(() => member.assignments.length === 1);
    expect(member.source.leaseLeftMs()).toBeGreaterThan(0);
    expect(member.source.leaseLeftMs()).toBeLessThanOrEqual(SESSION_MS);
    await member.source.stop();
    expect(member.source.leaseLeftMs()).toBeLessThanOrEqual(0);
  });

  it("takes over from a member that was killed", async () => {
    const topic = await aTopic(1);
    const group = aName("group");
    const child = fork(new URL("../support/source-member.ts", import.meta.url), [inject("kafka"), group, topic], {
      stdio: "inherit",
    });
    closers.push(async () => child.kill("SIGKILL"));
    await once(child, "message"); // it has joined
    child.kill("SIGKILL");
    await producer.send(records(topic, 1));
    const heir = await aMember({ topics: [topic], group });
    await heir.until(() => heir.records.length === 1);
  });

  it("leaves in the middle of its first join, so that the others need not wait for its session", async () => {
    const topic = await aTopic(2);
    const group = aName("group");
    const release = Promise.withResolvers<void>();
    let joins = 0;
    const holder = await aMember({
      topics: [topic],
      group,
      beforeRejoin: () => (joins++ ? release.promise : Promise.resolve()),
    });
    await holder.until(() => holder.assignments.length === 1);
    const newcomer = await aMember({ topics: [topic], group });
    await vi.waitFor(async () => expect(await kafka.admin.members(group)).toHaveLength(2), WAIT);
    await newcomer.source.stop();
    expect(await kafka.admin.members(group)).toHaveLength(1);
    release.resolve();
    await holder.until(() => holder.assignments.length === 2);
    expect(holder.owned()).toHaveLength(2);
  });

  it("leaves instead of joining again when it is stopped in a rebalance, after the barrier", async () => {
    const topic = await aTopic(2);
    const group = aName("group");
    const inBarrier = Promise.withResolvers<void>();
    const barriers: number[] = [];
    const leaver = await aMember({
      topics: [topic],
      group,
      beforeRejoin: async (source) => {
        if (barriers.push(1) < 2) return;
        inBarrier.resolve();
        await source.commit([{ topic, partition: 0, offset: 0n, metadata: "clean" }]);
      },
    });
    await leaver.until(() => leaver.assignments.length === 1);
    const heir = await aMember({ topics: [topic], group });
    await inBarrier.promise;
    await leaver.source.stop();
    await heir.until(() => heir.owned().length === 2);
    expect(leaver.assignments).toHaveLength(1);
    expect(leaver.said("kafka-crashed")).toEqual([]);
    expect(leaver.deaths).toEqual([]);
  });

  it("reports death, with the reason, when another application uses the group", async () => {
    const topic = await aTopic(1);
    const group = aName("group");
    await raw(async (client) => {
      const stranger = client.consumer({ groupId: group });
      closers.push(() => stranger.disconnect());
      await stranger.subscribe({ topic });
      await stranger.run({ eachMessage: async () => {} });
    });
    const member = await aMember({ topics: [topic], group });
    await member.until(() => member.deaths.length === 1);
    expect(member.deaths[0]?.message).toMatch(/beyond repair: .*protocol/i);
    expect(member.said("kafka-crashed")).toMatchObject([{ restart: false }]);
    expect(member.source.leaseLeftMs()).toBe(0);
  });

  it("names a topic that does not exist", async () => {
    const source = kafka.source(["no-such-topic"]);
    await expect(source.start(noHandlers)).rejects.toMatchObject({ code: "TOPIC_MISSING", retriable: false });
  });
});

describe("the admin and the producer", () => {
  it("find partitions, ends, and offsets by time", async () => {
    const topic = await aTopic(2);
    await producer.send([aRecord(topic, { timestampMs: 1_000 }), aRecord(topic, { timestampMs: 2_000 })]);
    expect(await kafka.admin.partitionCounts([topic, "no-such-topic"])).toEqual(new Map([[topic, 2]]));
    expect(await kafka.admin.endOffsets([topic])).toContainEqual({ topic, partition: 0, low: 0n, high: 2n });
    const at = await kafka.admin.offsetsAt(topic, 1_500);
    expect([...at].sort((a, b) => a.partition - b.partition).map(({ offset }) => offset)).toEqual([1n, 0n]);
  });

  it("tell a record that is too large from a Kafka that is away", async () => {
    const topic = await aTopic(1, { "max.message.bytes": "1000" });
    await expect(producer.send([aRecord(topic, { value: Buffer.alloc(2_000, 1) })])).rejects.toMatchObject({
      code: "RECORD_TOO_LARGE",
      retriable: false,
    });
  });
});

// --- builders ---------------------------------------------------------------------------------------------------------

const SESSION_MS = 3_000;
const WAIT = { timeout: 20_000, interval: 20 };

type Member = Awaited<ReturnType<typeof aMember>>;

interface MemberOptions {
  readonly topics: readonly string[];
  readonly group?: string;
  readonly beforeRejoin?: (source: RecordSource) => Promise<void>;
  readonly onAssignment?: (source: RecordSource) => void;
}

/** A started member that remembers what it was told. */
async function aMember({ topics, group = aName("group"), beforeRejoin, onAssignment }: MemberOptions) {
  const events: { name: string; fields: object }[] = [];
  const connection = await connect(aName("client"), group, (name, fields) => void events.push({ name, fields }));
  const source = connection.source(topics);
  const assignments: Parameters<SourceHandlers["onAssignment"]>[0][] = [];
  const byTopic = new Map<string, SourceRecord[]>();
  const all: SourceRecord[] = [];
  const deaths: Error[] = [];
  const leases: number[] = [];
  closers.push(async () => {
    await source.stop();
    await connection.close();
  });
  const member = {
    source,
    records: all,
    assignments,
    deaths,
    offsets: () => all.map(({ offset }) => offset),
    recordsOf: (topic: string) => byTopic.get(topic) ?? [],
    owned: (): readonly TopicPartition[] => {
      const last = assignments.at(-1);
      return last ? [...last.kept, ...last.gained] : [];
    },
    said: (name: string) => events.filter((event) => event.name === name).map(({ fields }) => fields),
    /** The lease was renewed that often since this was first asked. */
    heartbeatsSeen(times: number): boolean {
      const left = source.leaseLeftMs();
      if (left > (leases.at(-1) ?? Number.NEGATIVE_INFINITY)) leases.push(left);
      else leases[leases.length - 1] = left;
      return leases.length > times;
    },
    until: (condition: () => boolean) => vi.waitFor(() => expect(condition()).toBe(true), WAIT),
  };
  await source.start({
    onRecords(partition, records) {
      all.push(...records);
      byTopic.set(partition.topic, [...(byTopic.get(partition.topic) ?? []), ...records]);
    },
    onAssignment(assignment) {
      assignments.push(assignment);
      onAssignment?.(source);
    },
    beforeRejoin: async () => beforeRejoin?.(source),
    onDeath: (error) => void deaths.push(error),
  });
  return member;
}

/** Two members of one group, each with its share; the second comes when the first is ready. */
async function aPair(topics: readonly string[], ready: (first: Member) => boolean = () => true) {
  const group = aName("group");
  const first = await aMember({ topics, group });
  await first.until(() => first.assignments.length === 1 && ready(first));
  const second = await aMember({ topics, group });
  await second.until(() => second.owned().length > 0);
  await first.until(() => first.assignments.length > 1);
  return [first, second] as const;
}

const noHandlers: SourceHandlers = {
  onRecords() {},
  onAssignment() {},
  beforeRejoin: async () => {},
  onDeath() {},
};

function connect(
  clientId: string,
  groupId = run,
  emit: (name: string, fields: object) => void = () => {},
  brokers: readonly string[] = [inject("kafka")],
) {
  const config = kafkaConfig.parse({
    brokers,
    clientId,
    groupId,
    sessionTimeoutMs: SESSION_MS,
    heartbeatIntervalMs: 200,
    maxWaitMs: 100,
  });
  return connectKafka(config, { clock: systemClock, random: Math.random, emit }, AbortSignal.timeout(60_000));
}

/** kafkajs itself, for what the connector never does. */
async function raw(use: (client: InstanceType<typeof Kafka>) => Promise<void>): Promise<void> {
  await use(new Kafka({ brokers: [inject("kafka")], clientId: "raw", logLevel: logLevel.NOTHING }));
}

async function aTopic(partitions: number, settings: Record<string, string> = {}): Promise<string> {
  const topic = aName("topic");
  await kafka.admin.createTopics([{ topic, partitions, settings }]);
  return topic;
}

function aName(kind: string): string {
  return `${run}-${kind}-${++names}`;
}

function aRecord(topic: string, over: Partial<ProducedRecord> = {}): ProducedRecord {
  return { topic, partition: 0, key: Buffer.from("k"), value: Buffer.from("v"), headers: [], ...over };
}

function records(topic: string, count: number): ProducedRecord[] {
  return Array.from({ length: count }, () => aRecord(topic));
}
