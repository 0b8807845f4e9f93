import { describe, expect, it } from "vitest";
import type { Clock } from "../../../src/lib/clock.ts";
import { createLease } from "../../../src/source/lease.ts";

const SESSION_MS = 20_000;

describe("the lease", () => {
  it("is empty before the first proof of membership", () => {
    expect(createLease(handClock(), SESSION_MS).leftMs()).toBe(0);
  });

  it("counts from when the heartbeat left, not from its answer", () => {
    const clock = handClock();
    const lease = createLease(clock, SESSION_MS);
    clock.pass(12_000); // stopped while the answer waited in the socket
    lease.renew(12_000);
    expect(lease.leftMs()).toBe(8_000);
  });

  it("runs out with time", () => {
    const clock = handClock();
    const lease = createLease(clock, SESSION_MS);
    lease.renew(0);
    clock.pass(20_001);
    expect(lease.leftMs()).toBeLessThan(0);
  });

  it("runs out while the machine is suspended and the monotonic clock stands still", () => {
    const clock = handClock();
    const lease = createLease(clock, SESSION_MS);
    lease.renew(0);
    clock.wallMs += 60_000;
    expect(lease.leftMs()).toBeLessThan(0);
  });

  it("does not live longer because the wall clock was set back", () => {
    const clock = handClock();
    const lease = createLease(clock, SESSION_MS);
    lease.renew(0);
    clock.wallMs -= 3_600_000;
    clock.pass(5_000);
    expect(lease.leftMs()).toBe(15_000);
  });

  it("is not shortened by an older proof that comes later", () => {
    const lease = createLease(handClock(), SESSION_MS);
    lease.renew(100);
    lease.renew(9_000);
    expect(lease.leftMs()).toBe(19_900);
  });

  it("ends at once when membership is given up, until the next proof", () => {
    const lease = createLease(handClock(), SESSION_MS);
    lease.renew(0);
    lease.revoke();
    expect(lease.leftMs()).toBe(0);
    lease.renew(0);
    expect(lease.leftMs()).toBe(SESSION_MS);
  });
});

const handClock = () => {
  const clock = {
    wallMs: 1_700_000_000_000,
    upMs: 1_000,
    now: () => clock.wallMs,
    monotonicMs: () => clock.upMs,
    sleep: () => Promise.resolve(),
    pass(ms: number) {
      clock.wallMs += ms;
      clock.upMs += ms;
    },
  };
  return clock satisfies Clock;
};
