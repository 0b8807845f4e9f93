/** What a resync is about, and from where on. */
import { describe, expect, test } from "vitest";
import type { Config } from "../../../src/config/spec.ts";
import { ALL_KEYS } from "../../../src/resync/newest.ts";
import { type From, firstCheckpoint, type Selection, topicOf } from "../../../src/resync/selection.ts";
import { routesOf } from "../map/builders.ts";

const config = {
  routes: routesOf({ name: "customers" }, { topic: "orders", entity: "deals", key: "order_no" }),
} as unknown as Config;

describe("a topic or a route", () => {
  test.each([
    [{ topic: "customers" }, { topic: "customers", route: null }],
    [{ route: "customers" }, { topic: "customers", route: "customers" }],
    [{ route: "orders -> deals" }, { topic: "orders", route: "orders -> deals" }],
  ])("%o", (given, found) => {
    expect(topicOf(config, given)).toEqual(found);
  });

  test.each([
    [{}, "Give either --topic or --route."],
    [{ topic: "customers", route: "customers" }, "Give either --topic or --route."],
    [{ topic: "custmers" }, 'No route reads the topic "custmers"; the configuration has "customers", "orders".'],
    [{ route: "deals" }, 'There is no route "deals"; the configuration has "customers", "orders -> deals".'],
  ])("%o is refused", (given, message) => {
    expect(() => topicOf(config, given)).toThrow(expect.objectContaining({ code: "USAGE", message }));
  });
});

const whole: Selection = { topic: "customers", route: null, keys: null, from: "earliest", fromText: "earliest" };

/** Offsets 10 to 20 of two partitions; in the first the fifteenth is the first of the last hour, in the second none is. */
const first = (selection: Selection, routes: Config = config) =>
  firstCheckpoint(
    selection,
    routes,
    {
      endOffsets: async () => [0, 1].map((partition) => ({ topic: "customers", partition, low: 10n, high: 20n })),
      offsetsAt: async () => [15n, 20n].map((offset, partition) => ({ topic: "customers", partition, offset })),
    },
    5,
  );

describe("the first checkpoint", () => {
  test.each<[From, readonly bigint[]]>([
    ["earliest", [10n, 10n]],
    [{ timestampMs: 1 }, [15n, 20n]],
    [{ offset: 12n }, [12n, 12n]],
    [{ offset: 3n }, [10n, 10n]],
    [{ offset: 99n }, [20n, 20n]],
  ])("begins at %o", async (from, lows) => {
    const { ranges, ...rest } = await first({ ...whole, from });
    expect(ranges.map(({ low }) => low)).toEqual(lows);
    expect(rest).toMatchObject({ startedAtMs: 5, from: 0, to: ALL_KEYS, next: new Map() });
  });

  test("names the selection: the same words are the same one, other keys or another mapping are not", async () => {
    const nameOf = async (more: Partial<Selection>, routes?: Config) =>
      (await first({ ...whole, ...more }, routes)).selection;
    const name = await nameOf({ keys: new Set(["1", "2"]), fromText: "24h", from: { timestampMs: 1 } });
    expect(await nameOf({ keys: new Set(["2", "1"]), fromText: "24h", from: { timestampMs: 2 } })).toBe(name);
    expect(await nameOf({ keys: new Set(["1"]), fromText: "24h" })).not.toBe(name);
    const remapped = { routes: routesOf({ name: "customers", fields: { name: "other" } }) } as unknown as Config;
    expect(await nameOf({}, remapped)).not.toBe(await nameOf({}));
  });
});
