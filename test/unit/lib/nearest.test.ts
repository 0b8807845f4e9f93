import { expect, test } from "vitest";
import { nearest } from "../../../src/lib/nearest.ts";

test.each([
  ["brokerz", ["brokers", "groupId"], "brokers"],
  ["groupid", ["brokers", "groupId"], "groupId"],
  ["tpoic", ["topic", "tops"], "topic"],
  ["xyz", ["brokers", "groupId"], null],
  ["id", ["name", "key"], null],
])("%s among %j means %s", (name, candidates, meant) => {
  expect(nearest(name, candidates)).toBe(meant);
});
