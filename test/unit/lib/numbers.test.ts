import { expect, test } from "vitest";
import { countText, durationText, rateText } from "../../../src/lib/numbers.ts";

test.each([
  [null, "–"],
  [0, "0 s"],
  [59.6, "1 min"],
  [3_599, "59 min 59 s"],
  [3_605, "1 h"],
  [93_780, "1 d 2 h"],
  [86_400 * 1_200, "1,200 d"],
])("%s seconds are %s", (seconds, text) => expect(durationText(seconds)).toBe(text));

test("counts have thousands, small rates a digit", () => {
  expect([countText(1_234_567), countText(null)]).toEqual(["1,234,567", "–"]);
  expect([rateText(0), rateText(0.04), rateText(0.25)]).toEqual(["0 /s", "<0.1 /s", "0.3 /s"]);
  expect([rateText(1_041.4), rateText(null)]).toEqual(["1,041 /s", "–"]);
});
