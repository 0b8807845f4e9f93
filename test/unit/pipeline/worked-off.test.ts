import { expect, test } from "vitest";
import { WorkedOff } from "../../../src/pipeline/worked-off.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const TOPICS = { accounts: ["customers"], contacts: ["people", "customers"] } as const;
const NEVER = new AbortController().signal;

/** What the group has committed of each topic, and where the topic ends: one partition each. */
class Rig {
  readonly clock = new FakeClock();
  readonly committed: Record<string, bigint | null> = { customers: 0n, people: 0n };
  readonly ends: Record<string, bigint> = { customers: 0n, people: 0n };
  readonly asked: string[] = [];
  isAway = false;
  readonly workedOff = new WorkedOff({
    clock: this.clock,
    originsOf: (entity) => (entity === "accounts" || entity === "contacts" ? TOPICS[entity] : []),
    source: {
      endOffsets: async (topics) => {
        this.asked.push(topics.join("+"));
        if (this.isAway) throw new Error("no broker");
        return topics.map((topic) => ({ topic, partition: 0, low: 0n, high: this.ends[topic] ?? 0n }));
      },
      committed: async (partitions) =>
        partitions.map(({ topic }) => ({ topic, partition: 0, offset: this.committed[topic] ?? null, metadata: null })),
    },
  });

  /** Time passes, and what was asked for before is looked at. */
  async after(ms: number): Promise<this> {
    this.clock.advance(ms);
    await this.workedOff.look(NEVER);
    return this;
  }

  accountsSince(sinceMs: number): boolean {
    return this.workedOff.isThrough("accounts", sinceMs);
  }
}

test("nothing is known before somebody has looked, and nobody looks before somebody asks", async () => {
  const rig = await new Rig().after(5_000);
  expect(rig.asked).toEqual([]);
  expect(rig.accountsSince(rig.clock.monotonicMs())).toBe(false);
  await rig.after(0);
  expect([rig.accountsSince(rig.clock.monotonicMs()), rig.asked]).toEqual([true, ["customers"]]);
});

test("an entity that no route writes has no backlog", () => {
  expect(new Rig().workedOff.isThrough("leads", 1)).toBe(true);
});

test("a backlog counts until all is worked off that was there, whatever comes meanwhile", async () => {
  const rig = new Rig();
  rig.ends["customers"] = 100n;
  const since = rig.clock.monotonicMs();
  for (const done of [0n, 40n, 80n]) {
    rig.committed["customers"] = done;
    expect(rig.accountsSince(since)).toBe(false);
    await rig.after(20_000);
  }
  Object.assign(rig.ends, { customers: 200n });
  rig.committed["customers"] = 101n;
  expect(rig.accountsSince(since)).toBe(false);
  await rig.after(20_000);
  expect([rig.accountsSince(since), rig.accountsSince(rig.clock.monotonicMs())]).toEqual([true, false]);
});

test("what does not move waits for something else, perhaps for whoever asks", async () => {
  const rig = new Rig();
  rig.ends["customers"] = 100n;
  const since = rig.clock.monotonicMs();
  const told: boolean[] = [];
  for (let look = 0; look < 8; look++) {
    told.push(rig.accountsSince(since));
    await rig.after(5_000);
  }
  expect([told.slice(0, 7), rig.accountsSince(since)]).toEqual([Array(7).fill(false), true]);
});

test("all topics of an entity count, also where nothing was ever committed", async () => {
  const rig = new Rig();
  rig.ends["people"] = 1n;
  rig.committed["people"] = null;
  const isThrough = (): boolean => rig.workedOff.isThrough("contacts", 0);
  expect(isThrough()).toBe(false);
  await rig.after(5_000);
  expect(isThrough()).toBe(false);
  rig.committed["people"] = 1n;
  await rig.after(5_000);
  expect(isThrough()).toBe(true);
});

test("a broker that does not answer is asked again", async () => {
  const rig = new Rig();
  rig.isAway = true;
  rig.accountsSince(0);
  await rig.after(5_000);
  rig.isAway = false;
  expect(rig.accountsSince(0)).toBe(false);
  await rig.after(5_000);
  expect(rig.accountsSince(0)).toBe(true);
});
