import { describe, expect, test } from "vitest";
import type { Mutation } from "../../../src/domain/mutation.ts";
import type { WindowOptions } from "../../../src/window/deps.ts";
import { aMutation, aPosition, aRecord } from "../../support/builders.ts";
import { accepted, missing, WindowDriver } from "../../support/window-driver.ts";

const anAccount = (key: string, more: Partial<Mutation> = {}) =>
  aMutation({ key, fields: { name: `Account ${key}` }, ...more });
const aDeal = (key: string, accountKey: string, more: Partial<Mutation> = {}) =>
  aMutation({
    entity: "deals",
    key,
    fields: { name: `Order ${key}` },
    refs: [{ field: "contact_id", entity: "accounts", key: accountKey }],
    ...more,
  });
const keysOf = (cut: ReturnType<WindowDriver["take"]>) => cut?.writes.map(({ key }) => key) ?? [];
const rejected = { status: "rejected", reason: "invalid", message: "no", httpStatus: 422 } as const;

describe("a batch leaves", () => {
  test("when its oldest change has waited for the linger time", () => {
    const driver = new WindowDriver().add(anAccount("1"));
    driver.clock.advance(400);
    driver.add(anAccount("2"));
    expect(driver.take(599)).toBeNull();
    const cut = driver.take(1);
    expect([cut?.closedBy, keysOf(cut)]).toEqual(["age", ["1", "2"]]);
  });

  test("at once when it is full, oldest first", () => {
    const driver = new WindowDriver({ maxItems: 2 }).add(anAccount("1"), anAccount("2"), anAccount("3"));
    const cut = driver.take();
    expect([cut?.closedBy, keysOf(cut)]).toEqual(["count", ["1", "2"]]);
    expect(driver.take(999)).toBeNull();
    expect(keysOf(driver.take(1))).toEqual(["3"]);
  });

  test("with one entity and one verb, the longest waiting group first", () => {
    const driver = new WindowDriver().add(aMutation({ entity: "leads", key: "L" }));
    driver.clock.advance(1);
    driver.add(anAccount("1"), aMutation({ entity: "leads", key: "M" }));
    expect(keysOf(driver.take(2_000))).toEqual(["L", "M"]);
    expect(keysOf(driver.take(2_000))).toEqual(["1"]);
  });

  test("a live one carries backfill changes along, and a change of both lanes is live", () => {
    const backfill = { lane: "backfill" } as const;
    const driver = new WindowDriver().add(anAccount("1", backfill), anAccount("2", backfill), anAccount("2"));
    expect(keysOf(driver.take(1_000))).toEqual(["2", "1"]);
  });
});

describe("changes of one record", () => {
  test("travel as one, and all settle with the newest", () => {
    const versions = ["a", "b", "c"].map((name) => anAccount("1", { fields: { name } }));
    const driver = new WindowDriver().add(...versions);
    const cut = driver.take(1_000);
    expect(cut?.writes.map(({ body }) => body)).toEqual([{ name: "c" }]);
    expect(driver.answer(cut, accepted(7)).settled).toEqual(versions);
  });

  test("go back to the good version under a rejected one", () => {
    const [good, bad] = [anAccount("1", { fields: { name: "good" } }), anAccount("1", { fields: { name: "bad" } })];
    const driver = new WindowDriver().add(good, bad);
    driver.answer(driver.take(1_000), rejected);
    expect(driver.settled).toEqual([bad]);
    expect(driver.take(1_000)?.writes[0]?.body).toEqual({ name: "good" });
  });

  test("never have two requests on the wire", () => {
    const driver = new WindowDriver().add(anAccount("1"));
    const first = driver.take(1_000);
    driver.add(anAccount("1", { fields: { name: "newer" } }));
    expect(driver.take(60_000)).toBeNull();
    driver.answer(first, accepted(7));
    expect(driver.take(1_000)?.writes[0]?.body).toEqual({ name: "newer" });
  });

  test("wait out Sell's index lag behind a creation", () => {
    const driver = new WindowDriver({ lingerMs: 0 }).add(anAccount("1"));
    driver.answer(driver.take(), accepted(7, "created"));
    driver.add(anAccount("1", { fields: { name: "newer" } }));
    expect(driver.take(1_999)).toBeNull();
    expect(driver.take(1)?.writes[0]?.body).toEqual({ name: "newer" });
  });

  test("that alter nothing mapped travel not at all", () => {
    const driver = new WindowDriver().add(anAccount("1"));
    driver.answer(driver.take(1_000), accepted(7)).add(anAccount("1"));
    expect(driver.take(60_000)).toBeNull();
    expect(driver.settled).toHaveLength(2);
    expect(driver.events).toContain("no-op");
  });

  test("a partial image is never taken for a no-op", () => {
    const driver = new WindowDriver().add(anAccount("1"));
    driver.answer(driver.take(1_000), accepted(7)).add(anAccount("1", { complete: false }));
    expect(driver.take(1_000)).not.toBeNull();
  });
});

describe("an unknown outcome", () => {
  /** Accounts that Sell has, and their next change. */
  const known = (options: Partial<WindowOptions>, ...keys: readonly string[]): WindowDriver => {
    const driver = new WindowDriver({ lingerMs: 0, ...options }).add(...keys.map((key) => anAccount(key)));
    driver.answer(driver.take(), ...keys.map((_, i) => accepted(i + 1)));
    return driver.add(...keys.map((key) => anAccount(key, { fields: { name: "first" } })));
  };

  test("sends the same body again, and a newer one only when nothing late can come", () => {
    const driver = known({}, "1");
    const first = driver.take();
    driver.window.outcomes.unknown(first?.entries ?? [], 2_000);
    driver.add(anAccount("1", { fields: { name: "second" } }));
    expect(driver.take(1_999)).toBeNull();
    const again = driver.take(1);
    expect(again?.writes[0]?.body).toEqual({ name: "first" });
    driver.answer(again, accepted(7));
    expect(driver.take(9_999)).toBeNull(); // 12 s since the unknown attempt
    expect(driver.take(1)?.writes[0]?.body).toEqual({ name: "second" });
  });

  test("of a body that may create is repeated only when the one before is applied, if ever, and found", () => {
    const driver = new WindowDriver({ lingerMs: 0 }).add(anAccount("1"), anAccount("2"));
    const cut = driver.take();
    driver.window.outcomes.unknown(cut?.entries ?? [], 2_000);
    expect(driver.take(13_999)).toBeNull(); // 12 s for the late apply, 2 s for the index
    expect(driver.take(1)?.writes).toEqual(cut?.writes);
  });

  test("keeps its partition from a clean hand-over until nothing late can come", () => {
    const record = aRecord({ position: aPosition({ partition: 3 }) });
    const driver = new WindowDriver({ lingerMs: 0 }).add(anAccount("1", { record }), anAccount("2"));
    const cut = driver.take();
    driver.window.outcomes.unknown(cut?.entries.slice(0, 1) ?? [], 1);
    driver.answer({ ...cut, entries: cut?.entries.slice(1) ?? [] } as typeof cut, accepted(8));
    expect(new Set(driver.window.unsettledPartitions().map(({ partition }) => partition))).toEqual(new Set([3]));
    driver.answer(driver.take(14_000), accepted(7));
    driver.take();
    expect(driver.window.unsettledPartitions()).toEqual([]);
  });

  test("of a whole batch, twice in a row, goes in halves", () => {
    const driver = known({ maxItems: 4 }, "1", "2", "3", "4");
    for (let round = 0; round < 2; round++) driver.window.outcomes.unknown(driver.take(5_000)?.entries ?? [], 2_000);
    expect([keysOf(driver.take(5_000)), keysOf(driver.take())]).toEqual([
      ["1", "2"],
      ["3", "4"],
    ]);
  });
});

test("a refused batch of 50 with one bad record is found in at most 2 log2(50) + 1 further calls", () => {
  const driver = new WindowDriver({ lingerMs: 0 }).add(...Array.from({ length: 50 }, (_, i) => anAccount(String(i))));
  let calls = 0;
  for (let cut = driver.take(5_000); cut !== null; cut = driver.take(5_000), calls++) {
    const isBad = keysOf(cut).includes("17");
    if (isBad && cut.writes.length > 1) driver.window.outcomes.split(cut.entries, 0);
    else driver.answer(cut, ...cut.writes.map(() => (isBad ? rejected : accepted(1))));
  }
  expect(driver.settled).toHaveLength(50);
  expect(calls - 1).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(50)) + 1);
});

describe("a child", () => {
  test("does not run out of time while its parent waits for Sell, or its parent's topic stands still", () => {
    const driver = new WindowDriver({ lingerMs: 0 }).add(anAccount("1"), aDeal("D", "1"));
    driver.stopped.add("erp.customers");
    driver.window.stopsChanged();
    expect(driver.window.outcomes.expireParked(600_000, () => true)).toEqual([]);
  });

  test("of a parent that waits for the child itself does", () => {
    const circular = (key: string, of: string): Mutation =>
      aDeal(key, of, { refs: [{ field: "contact_id", entity: "deals", key: of }] });
    const driver = new WindowDriver({ lingerMs: 0 }).add(circular("D", "E"), circular("E", "D"));
    expect(driver.window.outcomes.expireParked(600_000, () => true)).toHaveLength(2);
  });

  test("leaves with its parent's id as soon as the parent is accepted", () => {
    const driver = new WindowDriver({ lingerMs: 0 }).add(aDeal("D", "1"), anAccount("1"));
    const parent = driver.take();
    expect(keysOf(parent)).toEqual(["1"]);
    driver.answer(parent, accepted(42, "created"));
    expect(driver.take()?.writes).toMatchObject([
      { entity: "deals", key: "D", id: null, body: { name: "Order D", contact_id: 42 } },
    ]);
  });

  test("and its parent of one backlog take no more calls than each kind alone, parents first", () => {
    const keys = Array.from({ length: 100 }, (_, i) => String(i));
    const driver = new WindowDriver().add(...keys.flatMap((key) => [aDeal(`D${key}`, key), anAccount(key)]));
    const calls: unknown[] = [];
    for (let cut = driver.take(5_000); cut !== null; cut = driver.take(5_000)) {
      calls.push([cut.entity, cut.verb, cut.writes.length]);
      driver.answer(cut, ...cut.writes.map(({ key }) => accepted(1_000 + Number.parseInt(key, 10), "created")));
    }
    const [parents, children] = [
      ["accounts", "upsert", 50],
      ["deals", "upsert", 50],
    ];
    expect(calls.toSorted()).toEqual([parents, parents, children, children]);
    expect([calls[0], driver.settled.length]).toEqual([parents, 200]);
  });

  test("of a remembered parent does not wait", () => {
    const driver = new WindowDriver({ lingerMs: 0 }).add(anAccount("1"));
    driver.answer(driver.take(), accepted(42)).add(aDeal("D", "1"));
    expect(driver.take()?.writes[0]?.body).toMatchObject({ contact_id: 42 });
  });

  test("of an unknown parent costs one lookup, however many wait", () => {
    const driver = new WindowDriver().add(aDeal("D", "1"), aDeal("E", "1"), anAccount("2"));
    expect(keysOf(driver.take(1_000))).toEqual(["2"]);
    const lookup = driver.take(5_000);
    expect([lookup?.verb, keysOf(lookup)]).toEqual(["lookup", ["1"]]);
    driver.answer(lookup, accepted(42, "found"));
    expect(keysOf(driver.take(1_000))).toEqual(["D", "E"]);
  });

  test("whose parent Sell does not have waits without stopping others, and leaves when its time is over", () => {
    const driver = new WindowDriver().add(aDeal("D", "1"));
    driver.answer(driver.take(5_000), missing).add(anAccount("2"));
    expect(keysOf(driver.take(1_000))).toEqual(["2"]);
    expect(driver.window.awaitedParents(10)).toMatchObject([{ entity: "accounts", key: "1" }]);
    const isWorkedOff = (entity: string): boolean => entity !== "accounts"; // the parent may yet be read
    expect(driver.window.outcomes.expireParked(600_000, isWorkedOff)).toEqual([]);
    expect(driver.window.outcomes.expireParked(59_999, () => true)).toEqual([]);
    expect(driver.window.outcomes.expireParked(1, () => true).map(({ key }) => key)).toEqual(["D"]);
  });

  test("is released by a parent that another replica created", () => {
    const driver = new WindowDriver().add(aDeal("D", "1"));
    driver.answer(driver.take(5_000), missing);
    const memory = { id: 42, deleted: false, version: null, route: null, fingerprint: null, acceptedAtMs: 0, from: "" };
    driver.window.informParent({ entity: "accounts", key: "1" }, memory);
    expect(driver.take(1_000)?.writes[0]?.body).toMatchObject({ contact_id: 42 });
  });
});

describe("a record that only a person or a creation may write", () => {
  test("fields for creation follow once Sell says that it created the record", () => {
    const driver = new WindowDriver({ lingerMs: 0 }).add(anAccount("1", { onCreate: { owner_id: 4711 } }));
    driver.answer(driver.take(), accepted(7, "created"));
    expect(driver.settled).toEqual([]);
    const second = driver.take(2_000);
    expect(second?.writes).toMatchObject([{ entity: "accounts", key: "1", id: 7, body: { owner_id: 4711 } }]);
    expect(driver.answer(second, accepted(7)).settled).toHaveLength(1);
  });

  test("an existing record never gets them", () => {
    const driver = new WindowDriver({ lingerMs: 0 }).add(anAccount("1", { onCreate: { owner_id: 4711 } }));
    driver.answer(driver.take(), accepted(7, "updated"));
    expect([driver.settled.length, driver.take(60_000)]).toEqual([1, null]);
  });

  test("createOnly looks first, and leaves what exists alone", () => {
    const driver = new WindowDriver({ lingerMs: 0 }).add(anAccount("1", { action: "create" }));
    const lookup = driver.take(5_000);
    expect(lookup?.verb).toBe("lookup");
    driver.answer(lookup, accepted(7, "found"));
    expect([driver.settled.length, driver.take(60_000)]).toEqual([1, null]);
  });

  test("an update or a delete of an unknown record settles and never creates", () => {
    for (const action of ["update", "delete"] as const) {
      const driver = new WindowDriver({ lingerMs: 0 }).add(anAccount("1", { action }));
      driver.answer(driver.take(5_000), missing);
      expect([driver.settled.length, driver.take(60_000)]).toEqual([1, null]);
    }
  });
});

test("what is lost with its partition is forgotten, and the answer to its request changes nothing", () => {
  const driver = new WindowDriver({ lingerMs: 0 }).add(anAccount("1"), aDeal("D", "9"));
  const cut = driver.take();
  driver.window.drop(() => true);
  driver.answer(cut, accepted(7));
  expect([driver.settled, driver.window.size]).toEqual([[], 0]);
});

describe("a tombstone", () => {
  const at = (lsn: number) => ({ version: { kind: "lsn", parts: ["", String(lsn)] }, origin: "streamed" }) as const;
  const aDelete = (lsn: number) => anAccount("1", { action: "delete", isDelete: true, fields: {}, ...at(lsn) });
  const tombstone = anAccount("1", { action: "delete", isDelete: true, tombstone: true, fields: {} });
  const existing = (driver: WindowDriver) => driver.answer(driver.add(anAccount("1", at(5))).take(), accepted(7));

  test("that travels with its delete leaves the delete's position in memory", () => {
    const driver = existing(new WindowDriver({ lingerMs: 0 })).add(aDelete(6), tombstone);
    const cut = driver.take();
    expect([cut?.verb, cut?.writes.length]).toEqual(["delete", 1]);
    driver.answer(cut, accepted(7, "deleted"));
    expect(driver.store.get("accounts/1")).toMatchObject({ deleted: true, version: at(6).version });
    driver.add(anAccount("1", at(5))); // delivered again: must not bring the record back
    expect([driver.take(60_000), driver.settled.length]).toEqual([null, 4]);
  });

  test("behind a delete that was skipped deletes nothing, at once or later", () => {
    const driver = existing(new WindowDriver({ lingerMs: 0 }))
      .add(aDelete(4), tombstone)
      .add(aDelete(4));
    driver.add(tombstone);
    expect([driver.take(60_000), driver.settled.length]).toEqual([null, 5]);
  });

  test("whose delete was never seen deletes", () => {
    const driver = existing(new WindowDriver({ lingerMs: 0 })).add(tombstone);
    expect(driver.take()?.verb).toBe("delete");
  });
});
