/** A replayed record takes the place it had then: older than whatever came after it, and dropped once that was accepted. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Mutation } from "../../../src/domain/mutation.ts";
import type { Outcome } from "../../../src/domain/receipt.ts";
import type { Remembered } from "../../../src/domain/stages.ts";
import { hasPassed } from "../../../src/window/guard.ts";
import { aMutation, aPosition, aRecord } from "../../support/builders.ts";
import { accepted, missing, WindowDriver } from "../../support/window-driver.ts";

const TOPIC = "erp.customers";
const rejected: Outcome = { status: "rejected", reason: "invalid", message: "no", httpStatus: 422 };

/** The change of customer 1 that stood at this offset; its name is the offset. */
const live = (offset: number, more: Partial<Mutation> = {}): Mutation =>
  aMutation({
    key: "1",
    fields: { name: `v${offset}` },
    record: aRecord({ position: aPosition({ topic: TOPIC, offset: BigInt(offset) }) }),
    ...more,
  });

const replay = (offset: number, more: Partial<Mutation> = {}): Mutation =>
  live(offset, {
    lane: "backfill",
    record: aRecord({ position: aPosition({ topic: "letters.replay", offset: BigInt(offset) }) }),
    replayOf: { kind: "letter", topic: TOPIC, partition: 0, offset: BigInt(offset), sinceMs: 1 },
    ...more,
  });

const aDriver = (): WindowDriver => new WindowDriver({ lingerMs: 0, indexLagMs: 0 });
const deletion = { action: "delete", fields: {}, isDelete: true } as const;

describe("a replay", () => {
  test("of a key that nothing newer was accepted of is applied, in the backfill lane", () => {
    const driver = aDriver().add(replay(5));
    expect(driver.take(0, "live")).toBeNull();
    const cut = driver.take(0, "backfill");
    expect(cut?.writes[0]?.body).toEqual({ name: "v5" });
    driver.answer(cut, accepted(7));
    expect(driver.settled).toHaveLength(1);
    expect(driver.store.get("accounts/1")?.from).toBe(`${TOPIC}[0]@5`);
  });

  test("is dropped once a newer record was accepted, or itself", () => {
    const driver = aDriver().add(live(5));
    driver.answer(driver.take(), accepted(7)).add(replay(5), replay(4));
    expect([driver.take(0, "backfill"), driver.settled.length]).toEqual([null, 3]);
    driver.add(replay(6));
    expect(driver.take(0, "backfill")?.writes[0]?.body).toEqual({ name: "v6" });
  });

  test("gives way to a newer change that waits, and takes its turn if Sell refuses that one", () => {
    const driver = aDriver().add(live(9), replay(5));
    const newer = driver.take();
    expect(newer?.writes[0]?.body).toEqual({ name: "v9" });
    driver.answer(newer, rejected);
    const older = driver.take(0);
    expect(older?.writes[0]?.body).toEqual({ name: "v5" });
    driver.answer(older, accepted(7));
    expect(driver.settled).toHaveLength(2);
  });

  test("that comes while a newer change is on the wire is done with when that is accepted", () => {
    const driver = aDriver().add(live(9));
    const newer = driver.take();
    driver.add(replay(5)).answer(newer, accepted(7));
    expect([driver.take(0), driver.settled.length]).toEqual([null, 2]);
    expect(driver.store.get("accounts/1")?.from).toBe(`${TOPIC}[0]@9`);
  });

  test("goes before a newer change that does not stand for it, and after an older one", () => {
    const driver = aDriver().add(live(3, { complete: false }), live(9, { complete: false }), replay(5));
    const sent: unknown[] = [];
    for (let cut = driver.take(0); cut !== null; cut = driver.take(0)) {
      sent.push(cut.writes[0]?.body["name"]);
      driver.answer(cut, accepted(7));
    }
    expect(sent).toEqual(["v5", "v9"]); // v5 is whole and stands for v3
  });

  test("of a record from before a delete does not bring it back, even if there was nothing to delete", () => {
    const driver = aDriver().add(live(9, deletion));
    const lookup = driver.take();
    expect(lookup?.verb).toBe("lookup");
    driver.answer(lookup, missing);
    expect(driver.settled).toHaveLength(1);
    driver.add(replay(5));
    expect([driver.take(0), driver.settled.length]).toEqual([null, 2]);
  });

  test("a delete of nothing settles what came before it, so that a refused change after it does not bring that back", () => {
    const version = (offset: number) => ({ kind: "lsn", parts: ["", String(offset)] }) as const;
    const at = (offset: number, more: Partial<Mutation> = {}): Mutation =>
      live(offset, { version: version(offset), origin: "streamed", ...more });
    const driver = aDriver().add(at(5), at(9, deletion));
    const lookup = driver.take();
    driver.add(at(10)).answer(lookup, missing);
    expect(driver.settled).toHaveLength(2);
    driver.answer(driver.take(), rejected);
    expect([driver.take(60_000), driver.settled.length]).toEqual([null, 3]);
  });

  test("a delete of nothing, of a key whose memory is doubtful, takes one lookup", () => {
    const driver = aDriver();
    driver.trusts = () => false;
    driver.add(live(9, deletion)).answer(driver.take(), missing);
    expect([driver.take(60_000), driver.settled.length]).toEqual([null, 1]);
  });

  test("keeps the partition of its record open while it is on the wire", () => {
    const driver = aDriver().add(replay(5));
    driver.take(0, "backfill");
    expect(driver.window.unsettledPartitions().map(({ topic }) => topic)).toEqual(
      expect.arrayContaining([TOPIC, "letters.replay"]),
    );
  });
});

describe("what was accepted of the key", () => {
  const known = (memory: Partial<Remembered>): Remembered => ({
    ...{ id: 7, deleted: false, version: null, route: "customers", fingerprint: null },
    ...{ acceptedAtMs: 100, from: `${TOPIC}[0]@5` },
    ...memory,
  });
  const at = { kind: "letter", topic: TOPIC, partition: 0, offset: 5n, sinceMs: 100 } as const;

  test.each([
    ["nothing", null, false],
    ["the record itself", known({}), true],
    ["the one after it", known({ from: `${TOPIC}[0]@6` }), true],
    ["the one before it", known({ from: `${TOPIC}[0]@4`, acceptedAtMs: 9_000 }), false],
    ["one of another partition, later", known({ from: `${TOPIC}[1]@1`, acceptedAtMs: 101 }), true],
    ["one of another partition, before it was a dead letter", known({ from: `${TOPIC}[1]@9` }), false],
    ["nothing, it was only found", known({ from: "lookup", route: null, acceptedAtMs: 9_000 }), false],
  ])("%s", (_, memory, passed) => {
    expect(hasPassed(at, memory)).toBe(passed);
  });
});

test("however live changes and replays mingle, the newest that Sell takes is what it holds, and never an older one after it", () => {
  const step = fc.record({
    offset: fc.integer({ min: 0, max: 9 }),
    take: fc.boolean(),
    isBad: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 30 }),
      fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }),
      (steps, bad) => {
        const driver = aDriver();
        const accepts: number[] = [];
        const sendAll = (): void => {
          for (const lane of ["live", "backfill"] as const)
            for (let cut = driver.take(0, lane); cut !== null; cut = driver.take(0, lane)) {
              const offset = Number(String(cut.writes[0]?.body["name"]).slice(1));
              const isBad = bad[offset] === true;
              if (!isBad) accepts.push(offset);
              driver.answer(cut, isBad ? rejected : accepted(7));
            }
        };
        let next = 0;
        let added = 0;
        for (const { offset, take } of steps) {
          if (next < 10 && offset >= 5) driver.add(live(next++));
          else if (offset < next) driver.add(replay(offset));
          else continue;
          added += 1;
          if (take) sendAll();
        }
        sendAll();
        expect(accepts).toEqual(accepts.toSorted((a, b) => a - b));
        expect(driver.settled).toHaveLength(added);
        const good = Array.from({ length: next }, (_, i) => i).filter((i) => bad[i] !== true);
        if (good.length > 0) expect(accepts.at(-1)).toBe(good.at(-1));
      },
    ),
    { numRuns: 500 },
  );
});
