import { expect, test } from "vitest";
import { Committer, partitionSet } from "../../../src/commit/committer.ts";
import { readMark } from "../../../src/commit/mark.ts";
import { OwnedPartition } from "../../../src/commit/partition.ts";
import { ConnectorError } from "../../../src/domain/errors.ts";
import type { OffsetCommit } from "../../../src/domain/stages.ts";
import { type Deferred, deferred } from "../../../src/lib/deferred.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** A broker whose answers the test gives, one by one. */
class Broker {
  readonly asked: (readonly OffsetCommit[])[] = [];
  readonly #answers: Deferred<void>[] = [];
  readonly events: string[] = [];
  readonly clock = new FakeClock();
  cooldownLeftMs = 0;
  readonly committer = new Committer({
    source: {
      commit: (offsets) => {
        this.asked.push(offsets);
        const answer = deferred();
        this.#answers.push(answer);
        return answer.promise;
      },
    },
    ...{ clock: this.clock, nonce: "us", account: "acme" },
    emit: (name) => this.events.push(name),
    cooldownLeftMs: () => this.cooldownLeftMs,
  });

  /** The stored offset and what the mark says, of each commit that left. */
  get stored() {
    return this.asked.map((offsets) =>
      offsets.map(({ offset, metadata }) => [offset, readMark(metadata, offset)?.state]),
    );
  }

  async answer(isRefused = false): Promise<void> {
    const answer = this.#answers.shift();
    if (isRefused) answer?.reject(new ConnectorError("COMMIT_REFUSED", "a join is on", { retriable: true }));
    else answer?.resolve();
    await new Promise(setImmediate);
  }
}

const aPartition = (number: number, settledUpTo: bigint): OwnedPartition => {
  const partition = new OwnedPartition({ topic: "orders", partition: number }, 1);
  partition.state = "open";
  partition.startAt(0n, []);
  settle(partition, settledUpTo);
  return partition;
};

const settle = ({ watermark }: OwnedPartition, upTo: bigint): void => {
  for (let offset = watermark.next; offset < upTo; offset++) {
    watermark.track(offset, 0);
    watermark.settle(offset);
  }
};

test("one commit at a time, each with what is settled when its turn comes", async () => {
  const [broker, partition] = [new Broker(), aPartition(0, 5n)];
  const first = broker.committer.commit([partition], () => true);
  const second = broker.committer.commit([partition], () => false);
  await broker.answer(); // a turn passes, nothing is asked yet
  settle(partition, 8n);
  expect(broker.stored).toEqual([[[5n, "open"]]]);
  await broker.answer();
  expect(broker.stored).toEqual([[[5n, "open"]], [[8n, "clean"]]]);
  await broker.answer();
  expect([await first, await second, partition.stored.offset]).toEqual([true, true, 8n]);
});

test("a partition that was lost before its turn is left out", async () => {
  const [broker, kept, lost] = [new Broker(), aPartition(0, 5n), aPartition(1, 7n)];
  const first = broker.committer.commit([kept], () => true);
  const second = broker.committer.commit([lost], () => true);
  await broker.answer();
  lost.lose();
  await broker.answer();
  expect([await first, await second]).toEqual([true, true]);
  expect(broker.stored).toEqual([[[5n, "open"]]]);
});

test("a refusal claims no progress: the same offsets come again", async () => {
  const [broker, partition] = [new Broker(), aPartition(0, 5n)];
  const refused = broker.committer.commit([partition], () => true);
  await broker.answer();
  await broker.answer(true);
  expect([await refused, partition.moved, broker.events]).toEqual([false, true, ["commit-refused"]]);
  const stored = broker.committer.commit([partition], () => true);
  await broker.answer();
  await broker.answer();
  expect([await stored, partition.moved]).toEqual([true, false]);
});

test("a mark tells the wall-clock end of the cool-down, and from where memory can be trusted", async () => {
  const [broker, partition] = [new Broker(), aPartition(0, 5n)];
  broker.cooldownLeftMs = 60_000;
  partition.trustedFrom = 9n;
  void broker.committer.commit([partition], partitionSet([partition]));
  await broker.answer();
  const [commit] = broker.asked[0] ?? [];
  expect(readMark(commit?.metadata ?? null, 5n)).toMatchObject({
    state: "open",
    cooldownUntilMs: broker.clock.now() + 60_000,
    trustedFrom: 9n,
  });
});

test("refusals in a row are said once, and again after a commit was stored", async () => {
  const [broker, partition] = [new Broker(), aPartition(0, 5n)];
  const commit = async (isRefused: boolean): Promise<void> => {
    const done = broker.committer.commit([partition], () => true);
    await broker.answer();
    await broker.answer(isRefused);
    await done;
  };
  for (const isRefused of [true, true, true]) await commit(isRefused);
  expect(broker.events).toEqual(["commit-refused"]);
  for (const isRefused of [false, true]) await commit(isRefused);
  expect(broker.events).toEqual(["commit-refused", "commit-refused"]);
});
