/** A resync writes what was accepted once more, and still never overwrites anything newer. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Mutation } from "../../../src/domain/mutation.ts";
import { hasPassed } from "../../../src/window/guard.ts";
import { aMutation, aPosition, aRecord } from "../../support/builders.ts";
import { accepted, missing, WindowDriver } from "../../support/window-driver.ts";

const TOPIC = "erp.customers";

/** The change of customer 1 that stood at this offset, streamed; its name and its version are the offset. */
const live = (offset: number, more: Partial<Mutation> = {}): Mutation =>
  aMutation({
    key: "1",
    fields: { name: `v${offset}` },
    version: { kind: "lsn", parts: ["", String(offset)] },
    origin: "streamed",
    record: aRecord({ position: aPosition({ topic: TOPIC, offset: BigInt(offset) }) }),
    ...more,
  });

const resync = (offset: number, more: Partial<Mutation> = {}): Mutation =>
  live(offset, {
    lane: "backfill",
    record: aRecord({ position: aPosition({ topic: "letters.replay", offset: BigInt(offset) }) }),
    replayOf: { kind: "resync", topic: TOPIC, partition: 0, offset: BigInt(offset), sinceMs: 1 },
    ...more,
  });

const deletion = { action: "delete", fields: {}, isDelete: true } as const;
const snapshot = { origin: "snapshot", version: null } as const;

/** Sell has accepted this change. */
const after = (change: Mutation): WindowDriver => {
  const driver = new WindowDriver({ lingerMs: 0, indexLagMs: 0 }).add(change);
  return driver.answer(driver.take(), change.action === "delete" ? missing : accepted(7, "created"));
};

describe("a resync", () => {
  test.each([
    ["streamed change", {}],
    ["snapshot read", snapshot],
  ])("writes a %s again, although Sell accepted the same fields of the same version", (_, more) => {
    const driver = after(live(5, more)).add(resync(5, more));
    expect(driver.take(0, "live")).toBeNull();
    const cut = driver.take(0, "backfill");
    expect(cut?.writes).toMatchObject([{ id: 7, body: { name: "v5" } }]);
    driver.answer(cut, accepted(7));
    expect([driver.take(), driver.settled.length]).toEqual([null, 2]);
    driver.add(live(6, { fields: { name: "v5" } }));
    expect([driver.take(), driver.events.at(-1)]).toEqual([null, "no-op"]); // what Sell holds is known again
  });

  test.each([
    ["streamed", live(6), resync(5)],
    ["streamed after a snapshot", live(6), resync(5, snapshot)],
    ["from a new snapshot", live(6, snapshot), resync(5)],
    ["a delete", live(6, deletion), resync(5)],
  ])("gives way to a newer change that was accepted meanwhile: %s", (_, newer, older) => {
    const driver = after(newer).add(older);
    expect([driver.take(), driver.take(0, "backfill"), driver.settled.length]).toEqual([null, null, 2]);
  });

  test("is stale against a newer version that stands before it in the topic, as while a source repeats itself", () => {
    const driver = after(live(5)).add(resync(6, { version: { kind: "lsn", parts: ["", "4"] } }));
    expect([driver.take(0, "backfill"), driver.events.at(-1)]).toEqual([null, "stale-skipped"]);
  });

  test("that waits together with a newer change is written by that, even if its fields are those Sell had", () => {
    const driver = after(live(5)).add(resync(5), live(6, { fields: { name: "v5" } }));
    const cut = driver.take(0, "live"); // merging makes it live
    expect(cut?.writes).toMatchObject([{ body: { name: "v5" } }]);
    driver.answer(cut, accepted(7));
    expect(driver.settled).toHaveLength(3);
  });

  test("of a delete asks Sell whether somebody brought the record back, and deletes it again", () => {
    const driver = after(live(5));
    driver.add(live(6, deletion));
    driver.answer(driver.take(), accepted(7, "deleted")).add(resync(6, deletion));
    const lookup = driver.take(60_000, "backfill");
    expect(lookup?.verb).toBe("lookup");
    driver.answer(lookup, accepted(8, "found"));
    expect(driver.take(0, "backfill")).toMatchObject({ verb: "delete", writes: [{ id: 8 }] });
  });

  test("of another partition gives way to what was accepted since it began", () => {
    const known = { id: 7, deleted: false, version: null, route: "customers", fingerprint: null } as const;
    const memory = { ...known, from: `${TOPIC}[1]@3` };
    const replay = { kind: "resync", topic: TOPIC, partition: 0, offset: 5n, sinceMs: 100 } as const;
    expect(hasPassed(replay, { ...memory, acceptedAtMs: 100 })).toBe(false);
    expect(hasPassed(replay, { ...memory, acceptedAtMs: 101 })).toBe(true);
  });
});

test("whenever people edit Sell and however live changes mingle, a resync of the newest leaves the newest, and no key goes back", () => {
  const step = fc.record({
    what: fc.constantFrom("change", "begin", "resync", "edit", "send"),
    isSnapshot: fc.boolean(),
    isDelete: fc.nat(4).map((n) => n === 0),
    sameAsBefore: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const driver = new WindowDriver({ lingerMs: 0, indexLagMs: 0 });
      const erp: Mutation[] = [];
      /** Newest when a resync began, on their way to the owner. */
      const produced: Mutation[] = [];
      const positions: bigint[] = [];
      let sell: unknown = null;
      const sendAll = (): void => {
        for (const lane of ["live", "backfill", "live"] as const)
          for (let cut = driver.take(60_000, lane); cut !== null; cut = driver.take(60_000, lane)) {
            const [entry] = cut.entries;
            if (cut.verb === "lookup") {
              driver.answer(cut, sell === null ? missing : accepted(7, "found"));
              continue;
            }
            const { replayOf, record } = entry?.candidate ?? live(0);
            positions.push((replayOf ?? record.position).offset);
            const wasThere = sell !== null;
            sell = cut.verb === "delete" ? null : cut.writes[0]?.body["name"];
            driver.answer(cut, accepted(7, cut.verb === "delete" ? "deleted" : wasThere ? "updated" : "created"));
          }
      };
      const begin = (): void => {
        const newest = erp.at(-1);
        if (newest !== undefined) produced.push({ ...newest, ...replayed(Number(newest.record.position.offset)) });
      };
      const arrive = (): void => {
        for (const again of produced.splice(0)) driver.add(again);
      };
      for (const { what, isSnapshot, isDelete, sameAsBefore } of steps) {
        if (what === "change") {
          const name = String(sameAsBefore ? (erp.at(-1)?.fields["name"] ?? "v0") : `v${erp.length}`);
          const kind = { ...(isSnapshot ? snapshot : {}), ...(isDelete ? deletion : { fields: { name } }) };
          const change = live(erp.length, kind);
          erp.push(change);
          driver.add(change);
        } else if (what === "begin") begin();
        else if (what === "resync") arrive();
        else if (what === "edit") sell = sell === null ? null : "edited by hand";
        else sendAll();
      }
      sendAll();
      begin();
      arrive();
      sendAll();
      const newest = erp.at(-1);
      expect(sell).toBe(newest === undefined || newest.isDelete ? null : newest.fields["name"]);
      expect(positions).toEqual(positions.toSorted((a, b) => Number(a - b)));
    }),
    { numRuns: 500 },
  );
});

/** What a resync alters of the change that stood at this offset. */
const replayed = (offset: number) => {
  const { lane, record, replayOf } = resync(offset);
  return { lane, record, ...(replayOf && { replayOf }) };
};
