import { describe, expect, it } from "vitest";
import { createOwnership } from "../../../src/source/ownership.ts";

const p = (partition: number) => ({ topic: "orders", partition });

describe("ownership", () => {
  it("gains everything at the first join", () => {
    expect(createOwnership().joined("m1", { orders: [0, 1] })).toEqual({ lost: [], kept: [], gained: [p(0), p(1)] });
  });

  it("tells lost, kept and gained partitions of the same member apart", () => {
    const ownership = createOwnership();
    ownership.joined("m1", { orders: [0, 1] });
    expect(ownership.joined("m1", { orders: [1, 2] })).toEqual({ lost: [p(0)], kept: [p(1)], gained: [p(2)] });
    expect([0, 1, 2].map((n) => ownership.owns(p(n)))).toEqual([false, true, true]);
    expect(ownership.current()).toEqual({ orders: [1, 2] });
  });

  it("keeps nothing under another member id, since others may have owned it in between", () => {
    const ownership = createOwnership();
    ownership.joined("m1", { orders: [0] });
    expect(ownership.joined("m2", { orders: [0] })).toEqual({ lost: [p(0)], kept: [], gained: [p(0)] });
  });

  it("loses and gains at once what begins anew, and keeps the others", () => {
    const ownership = createOwnership();
    ownership.joined("m1", { orders: [0, 1] });
    expect(ownership.begunAnew(p(1))).toEqual({ lost: [p(1)], kept: [p(0)], gained: [p(1)] });
  });
});
