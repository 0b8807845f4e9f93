/** A login page with status 200 in answer to a DELETE counted as a deletion: the record stayed in Sell, its offset was committed. */
import { expect, test } from "vitest";
import { readDeletion } from "../../src/deliver/core.ts";

const read = (status: number, body: string) => readDeletion({ status, headers: {}, body }, 5);
const UNREADABLE = { status: "unknown", reason: "reply-unreadable" };

test.each(["<html>Sign in</html>", "", "null", '{"data":{"id":6}}'])(
  "a 200 with %j has deleted nothing yet",
  (body) => {
    expect(read(200, body)).toEqual(UNREADABLE);
  },
);

test("a 204 has, and a 200 that shows the record", () => {
  expect([read(204, ""), read(200, '{"data":{"id":5}}')]).toEqual([null, null]);
});
