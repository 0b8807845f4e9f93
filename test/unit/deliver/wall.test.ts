import { expect, test } from "vitest";
import { Wall } from "../../../src/deliver/wall.ts";
import type { Outcome } from "../../../src/domain/receipt.ts";
import { writesOf } from "./support.ts";

const ALONE: Outcome = { status: "retriable", reason: "blocked", alone: true };
const BATCH: Outcome = { status: "refused", reason: "blocked" };
const DONE: Outcome = { status: "accepted", result: "updated", id: 7 };

const blocked = (wall: Wall, ...keys: readonly string[]): readonly boolean[] =>
  keys.map((key) => wall.stands("accounts", writesOf(key), [ALONE]));

test("five records in a row that do not pass are a wall, one of them five times is none", () => {
  const wall = new Wall();
  expect(blocked(wall, "1", "1", "1", "1", "1", "2", "3", "4")).not.toContain(true);
  expect(blocked(wall, "5", "6", "1")).toEqual([true, true, true]);
});

test("a word of Sell's in between begins the count anew, and takes a wall away", () => {
  const wall = new Wall();
  blocked(wall, "1", "2", "3", "4");
  expect(wall.stands("accounts", writesOf("9"), [DONE])).toBe(false);
  expect(blocked(wall, "5", "6", "7", "8", "9").at(-1)).toBe(true);
  expect(wall.stands("accounts", writesOf("1", "2"), [DONE, ALONE])).toBe(false);
  expect(blocked(wall, "1")).toEqual([false]);
});

test("a lost reply or a pause says neither that Sell answers nor that it does not", () => {
  const wall = new Wall();
  blocked(wall, "1", "2", "3", "4");
  for (const status of ["unknown", "retriable"] as const)
    expect(wall.stands("accounts", writesOf("9"), [{ status, reason: "http-500" }])).toBe(false);
  expect(blocked(wall, "5")).toEqual([true]);
});

test("a batch proves nothing, but once there is a wall it did not pass either", () => {
  const wall = new Wall();
  const batch = () => wall.stands("accounts", writesOf("1", "2"), [BATCH, BATCH]);
  expect(Array.from({ length: 10 }, batch)).not.toContain(true);
  blocked(wall, "1", "2", "3", "4", "5");
  expect(batch()).toBe(true);
});

test("each entity has a wall of its own", () => {
  const wall = new Wall();
  blocked(wall, "1", "2", "3", "4", "5");
  expect(wall.stands("leads", writesOf("6"), [ALONE])).toBe(false);
  expect(wall.stands("leads", writesOf("6"), [DONE])).toBe(false);
  expect(blocked(wall, "6")).toEqual([true]);
});
