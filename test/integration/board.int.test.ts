/** The board's scripts on a real Redis, against the rules in memory: what two writers, a loss and a brake make of it. */
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type Board, boardKey, redisBoard } from "../../src/control/board.ts";
import { type Counted, LocalCount, redisCount } from "../../src/control/count.ts";
import { asBrake, brakeField } from "../../src/control/notes.ts";
import { connectRedis, type RedisConnection } from "../../src/lib/redis.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { until } from "../support/until.ts";

let redis: RedisConnection;
beforeAll(async () => {
  redis = connectRedis({ url: inject("redis") });
  await until(() => redis.lastError() === null, "a connection to Redis");
});
afterAll(() => redis.close());

const aBoard = (): { readonly board: Board; readonly prefix: string } => {
  const prefix = `sell:c:{${randomUUID().slice(0, 16)}}`;
  return { board: redisBoard(redis, prefix), prefix };
};
const noteOf = async (board: Board, field: string) => (await board.look()).notes.get(field);

test("of two notes the newer one counts, whoever restores the older one; a swap needs the note that it knows", async () => {
  const { board, prefix } = aBoard();
  const first = await board.put("pause a", { n: 1 });
  const second = await board.put("pause a", { n: 2, text: 'x "y" ü 3' });
  expect(second).toBeGreaterThan(first);
  await board.restore("pause a", { revision: first, content: { n: 1 } });
  expect(await noteOf(board, "pause a")).toEqual({ revision: second, content: { n: 2, text: 'x "y" ü 3' } });
  expect([await board.swap("pause a", first, { n: 3 }), await board.swap("pause b", 1, null)]).toEqual([false, false]);

  await redis.client.del(boardKey(prefix));
  await board.restore("pause a", { revision: first, content: { n: 1 } });
  await board.restore("pause a", { revision: second, content: { n: 2 } });
  expect(await noteOf(board, "pause a")).toEqual({ revision: second, content: { n: 2 } });
  expect(await board.swap("pause a", second, null)).toBe(second);
  const { nowMs, notes } = await board.look();
  expect([notes.size, Math.abs(nowMs - Date.now()) < 60_000]).toEqual([0, true]);
});

/** Of keys that were counted in the same millisecond nobody knows the order. */
const outline = (note: Counted["note"]) =>
  note?.content.state === "tripped" ? { ...note.content, samples: note.content.samples.at(-1) } : null;

test("counts as one process alone would, whichever replicas ask, and notes the trip for all", async () => {
  const ask = fc.array(fc.constantFrom("1", "2", "3", "4", "5", "ü", "a b"), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(fc.nat(5), fc.array(ask, { maxLength: 8 }), async (limit, asks) => {
      const { board, prefix } = aBoard();
      const [shared, alone] = [redisCount(redis, prefix), new LocalCount(new FakeClock())];
      let hasTripped = false;
      for (const keys of asks) {
        const { within, note } = await shared.count("deletions", "r", limit, keys);
        const expected = hasTripped
          ? { within: keys.map(() => false) }
          : await alone.count("deletions", "r", limit, keys);
        expect(within).toEqual(expected.within);
        if ("note" in expected) expect(outline(note)).toEqual(outline(expected.note));
        hasTripped ||= note !== null;
        expect(asBrake(await noteOf(board, brakeField("deletions", "r")))).toEqual(note);
      }
    }),
    { numRuns: 60 },
  );
});

test("an accepted number counts for a day and beyond the configured one; then a trip at the larger one holds again", async () => {
  const { board, prefix } = aBoard();
  const { count } = redisCount(redis, prefix);
  const within = async (...keys: readonly string[]) => (await count("deletions", "r", 1, keys)).within;
  const field = brakeField("deletions", "r");
  expect(await within("1", "2")).toEqual([true, false]);
  await board.put(field, { state: "accepted", limit: 3, who: "ann" });
  expect(await within("2", "3", "4")).toEqual([true, true, false]);
  expect(asBrake(await noteOf(board, field))?.content).toMatchObject({ state: "tripped", limit: 3 });
  await board.put(field, { state: "accepted", limit: null, who: "ann" });
  expect(await within("4", "5", "6", "7")).not.toContain(false);
  await redis.client.del(boardKey(prefix));
  const yesterday = (await board.look()).nowMs - 86_400_001;
  await board.restore(field, { revision: yesterday, content: { state: "accepted", limit: null, who: "ann" } });
  expect(await within("8")).toEqual([false]);
});

test("what was counted goes after an hour, and the board stays", async () => {
  const { prefix } = aBoard();
  await redisCount(redis, prefix).count("deletions", "r", 0, ["1"]);
  await redisCount(redis, prefix).count("deletions", "r", 1, ["1"]);
  const ttls = [await redis.client.pttl(`${prefix}:deletions:r`), await redis.client.pttl(boardKey(prefix))];
  expect([(ttls[0] ?? 0) > 3_500_000, ttls[1]]).toEqual([true, -1]);
});
