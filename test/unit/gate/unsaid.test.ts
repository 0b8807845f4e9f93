import { expect, test } from "vitest";
import type { Permit } from "../../../src/domain/stages.ts";
import { Unsaid } from "../../../src/gate/unsaid.ts";

const permit = (grantedAtMs: number): Permit => ({ lane: "live", grantedAtMs });
const refusal = { hintMs: 300, source: "body" };

test("a refusal that is told again is of the same incident, however long it is on its way", () => {
  const unsaid = new Unsaid();
  unsaid.refused(refusal, permit(1_000), 1_000);
  const first = unsaid.at(1_001).refused?.grantedAgoMs ?? 0;
  // The limiter heard it at 1,001 and its answer was lost; the second question arrives 500 ms after it was asked.
  const again = unsaid.at(1_251).refused?.grantedAgoMs ?? 0;
  expect(first).toBe(1);
  expect(1_251 + 500 - again).toBeLessThanOrEqual(1_001);
});

test("the next refusal is one of its own", () => {
  const unsaid = new Unsaid();
  unsaid.refused(refusal, permit(1_000), 1_000);
  unsaid.at(1_001).heard();
  unsaid.refused(refusal, permit(5_000), 5_100);
  expect(unsaid.at(5_100).refused?.grantedAgoMs).toBe(100);
});
