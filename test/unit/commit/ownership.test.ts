import { expect, test } from "vitest";
import { Committer } from "../../../src/commit/committer.ts";
import { type Mark, readMark, writeMark } from "../../../src/commit/mark.ts";
import { Ownership, type StartFrom } from "../../../src/commit/ownership.ts";
import { ConnectorError } from "../../../src/domain/errors.ts";
import type { TopicPartition } from "../../../src/domain/record.ts";
import type { CommittedOffset, OffsetCommit } from "../../../src/domain/stages.ts";
import { Process, Time } from "../../sim/time.ts";

const ORDERS: TopicPartition = { topic: "orders", partition: 0 };
const LATE_MAX_MS = 12_000;
const INDEX_LAG_MS = 2_000;
const COMMIT_MS = 100;

/** Sixty records are there; offset 20 is stored, with this mark. */
const left = (mark: Partial<Mark> = {}): string => {
  const whole = {
    state: "clean",
    nonce: "other",
    account: "acme",
    cooldownUntilMs: 0,
    trustedFrom: 0n,
    ...mark,
  } as const;
  return writeMark(whole, 20n, mark.settled ?? []);
};

class Member {
  readonly time = new Time();
  readonly process = new Process("p", this.time);
  readonly opened: string[] = [];
  readonly lost: string[] = [];
  readonly seeks: bigint[] = [];
  readonly refused: string[] = [];
  readonly cooldowns: number[] = [];
  stored: { offset: bigint | null; metadata: string | null };
  failures = 0;
  startFrom: StartFrom = "earliest";
  readonly source = {
    committed: async (): Promise<readonly CommittedOffset[]> => [{ ...ORDERS, ...this.stored }],
    commit: ([offset]: readonly OffsetCommit[]) =>
      this.process.call(COMMIT_MS, () => {
        if (this.failures-- > 0) throw new ConnectorError("COMMIT_REFUSED", "a join is on", { retriable: true });
        if (offset !== undefined) this.stored = offset;
      }),
    endOffsets: async () => [{ ...ORDERS, low: 3n, high: 60n }],
    offsetsAt: async () => [{ ...ORDERS, offset: 33n }],
    seek: (_: TopicPartition, offset: bigint) => this.seeks.push(offset),
    resume: () => {},
  };
  readonly committer = new Committer({
    ...{ source: this.source, clock: this.process.clock, emit: () => {}, nonce: "us", account: "acme" },
    cooldownLeftMs: () => 0,
  });
  readonly ownership = new Ownership({
    ...{ source: this.source, committer: this.committer, clock: this.process.clock, emit: () => {} },
    ...{ random: () => 0.5, nonce: "us", account: "acme", lateApplyMaxMs: LATE_MAX_MS, indexLagMs: INDEX_LAG_MS },
    startFrom: () => this.startFrom,
    replayTopic: null,
    adoptCooldown: async (leftMs) => void this.cooldowns.push(leftMs),
    onLost: (isLost) => this.lost.push(String(isLost(ORDERS))),
    onOpen: ({ epoch }) => this.opened.push(`epoch ${epoch} at ${this.time.nowMs - 1_000_000}`),
    onRefused: ({ code }) => this.refused.push(code),
  });

  constructor(metadata: string | null, offset: bigint | null = 20n) {
    this.stored = { offset, metadata };
  }

  join(change: "gained" | "kept" | "lost" = "gained"): this {
    this.ownership.onAssignment({ lost: [], kept: [], gained: [], [change]: [ORDERS] });
    return this;
  }

  async pass(ms: number): Promise<this> {
    await this.time.run(() => false, this.time.nowMs + ms);
    return this;
  }

  get mark(): Mark | null {
    return readMark(this.stored.metadata, this.stored.offset ?? 0n);
  }

  get partition() {
    const partition = this.ownership.get(ORDERS);
    if (partition === undefined) throw new Error("not owned");
    return partition;
  }
}

test("a partition left clean flows at once, after it is marked open in our name, and skips what was settled", async () => {
  const member = await new Member(left({ settled: [22n, 25n] })).join().pass(COMMIT_MS - 1);
  expect([member.ownership.isFrozen, member.opened]).toEqual([true, []]);
  await member.pass(1);
  expect([member.ownership.isFrozen, member.opened]).toEqual([false, [`epoch 1 at ${COMMIT_MS}`]]);
  expect(member.mark).toMatchObject({ state: "open", nonce: "us", settled: [22n, 25n] });
  expect(member.partition.watermark.track(22n, 0)).toBe(false);
});

test.each([
  ["left open", left({ state: "open" })],
  ["without a mark", null],
])(
  "a partition %s waits until nothing of its last owner can be applied any more, and all is found",
  async (_, metadata) => {
    const member = await new Member(metadata).join().pass(LATE_MAX_MS + INDEX_LAG_MS - 1);
    expect([member.ownership.isFrozen, member.opened]).toEqual([false, []]);
    await member.pass(1);
    expect(member.opened).toEqual([`epoch 1 at ${LATE_MAX_MS + INDEX_LAG_MS}`]);
    expect(member.partition.trustedFrom).toBe(60n);
  },
);

test("what a crash made doubtful stays so over clean hand-overs", async () => {
  const member = await new Member(left({ trustedFrom: 44n })).join().pass(1_000);
  expect(member.partition.trustedFrom).toBe(44n);
  expect(member.mark?.trustedFrom).toBe(44n);
});

test.each([
  ["earliest", 3n, []],
  ["latest", 60n, [60n]],
  [{ timestampMs: 1 }, 33n, [33n]],
] as const)("without a stored offset it starts at %j, at once, and stores that", async (startFrom, offset, seeks) => {
  const member = new Member(null, null);
  member.startFrom = startFrom;
  await member.join().pass(COMMIT_MS);
  expect([member.opened.length, member.stored.offset, member.seeks]).toEqual([1, offset, seeks]);
});

test("a join that begins while the mark is being stored keeps everything frozen", async () => {
  const member = await new Member(left()).join().pass(COMMIT_MS / 2);
  member.ownership.freeze();
  await member.pass(10_000);
  expect([member.ownership.isFrozen, member.opened]).toEqual([true, []]);
  await member.join("kept").pass(COMMIT_MS);
  expect([member.ownership.isFrozen, member.opened.length]).toEqual([false, 1]);
});

test("a refused mark is tried again, and nothing flows before", async () => {
  const member = new Member(left());
  member.failures = 3;
  await member.join().pass(2 * COMMIT_MS);
  expect(member.opened).toEqual([]);
  await member.pass(10_000);
  expect([member.opened.length, member.mark?.nonce]).toEqual([1, "us"]);
});

test("a kept partition that another member had in between starts again where that one left it", async () => {
  const member = await new Member(left()).join().pass(1_000);
  member.partition.receive([{ offset: 20n, timestampMs: 0, key: null, value: null, headers: [] }], 21n);
  member.stored = { offset: 20n, metadata: left({ settled: [21n] }) };
  await member.join("kept").pass(1_000);
  expect([member.lost, member.seeks, member.partition.epoch]).toEqual([["true"], [20n], 2]);
  expect(member.partition.inbox).toEqual([]);
});

test.each([
  ["is gone", null, [0n, 3n]],
  ["was set back", 3n, [3n, 3n]],
])(
  "a kept partition whose offset %s, since its topic was created again, is read again",
  async (_, offset, [sought, start]) => {
    const member = await new Member(left()).join().pass(1_000);
    member.stored = { offset, metadata: null };
    await member.join("kept").pass(COMMIT_MS);
    expect([member.lost, member.seeks, member.partition.watermark.committable]).toEqual([["true"], [sought], start]);
  },
);

test("what retention has taken from below a kept partition changes nothing of what is held", async () => {
  const member = await new Member(left()).join().pass(1_000);
  member.stored = { offset: 25n, metadata: null };
  await member.join("kept").pass(1_000);
  expect([member.lost, member.partition.epoch]).toEqual([[], 1]);
});

test("a partition that was committed beyond the end of its log is read from the first record there is", async () => {
  const member = await new Member(left({ state: "open", settled: [102n] }), 100n).join().pass(COMMIT_MS);
  expect([member.seeks, member.stored.offset]).toEqual([[3n], 3n]);
  expect(member.partition.watermark.track(102n, 0)).toBe(true);
});

test("a kept partition may be committed only once its mark was read again: another member may have had it", async () => {
  const member = await new Member(left()).join().pass(COMMIT_MS);
  member.join("kept");
  member.ownership.freeze(); // the next join begins at once
  expect(member.ownership.confirmed).toEqual([]);
  await member.pass(10_000);
  expect(member.ownership.confirmed).toEqual([]);
  await member.join("kept").pass(COMMIT_MS);
  expect(member.ownership.confirmed).toEqual([member.partition]);
});

test("positions of an earlier assignment are nobody's", async () => {
  const member = await new Member(left()).join().pass(1_000);
  expect(member.ownership.of({ ...ORDERS, offset: 20n, epoch: 1 })).toBe(member.partition);
  await member.join("lost").pass(1);
  expect(member.ownership.of({ ...ORDERS, offset: 20n, epoch: 1 })).toBeUndefined();
  await member.join().pass(1_000);
  expect(member.ownership.of({ ...ORDERS, offset: 20n, epoch: 1 })).toBeUndefined();
});

test("offsets that belong to another account are not touched", async () => {
  const member = await new Member(left({ account: "evil" })).join().pass(60_000);
  expect([member.refused, member.opened, member.mark?.nonce]).toEqual([["ACCOUNT_CHANGED"], [], "other"]);
});

test("the longest cool-down that the owners before knew of is adopted, as time left", async () => {
  const member = new Member(null);
  member.stored.metadata = left({ cooldownUntilMs: member.process.clock.now() + 5_000 });
  await member.join().pass(1_000);
  expect(member.cooldowns).toEqual([5_000]);
});
