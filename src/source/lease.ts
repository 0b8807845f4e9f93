/**
 * The lease: how long this member may still believe that its partitions are its own. The group gives them away one session
 * timeout after the last heartbeat it *received*, so the lease counts from the moment that request left, not from its answer:
 * a process that was stopped in between finds the answer waiting and would trust it for a whole session too long.
 */
import type { Clock } from "../lib/clock.ts";

export interface Lease {
  /** A request that proves membership succeeded; it was sent `ageMs` ago. An older proof never shortens the lease. */
  renew(ageMs: number): void;
  /** Membership was given up: nothing may be sent before the next `renew`. */
  revoke(): void;
  /** Milliseconds left; <= 0: the partitions may belong to another member. */
  leftMs(): number;
}

export const createLease = (clock: Clock, sessionTimeoutMs: number): Lease => {
  let proof: { readonly monotonicMs: number; readonly wallMs: number } | null = null;
  // Linux stops the monotonic clock while a machine is suspended, the group's clock went on: the older age counts.
  // A wall clock that is set back is thereby ignored, one set forward only costs a heartbeat's time.
  const ageMs = ({ monotonicMs, wallMs }: NonNullable<typeof proof>): number =>
    Math.max(clock.monotonicMs() - monotonicMs, clock.now() - wallMs);

  return {
    renew(sentAgoMs) {
      const sentAgo = Math.max(0, sentAgoMs);
      if (proof !== null && ageMs(proof) <= sentAgo) return;
      proof = { monotonicMs: clock.monotonicMs() - sentAgo, wallMs: clock.now() - sentAgo };
    },
    revoke() {
      proof = null;
    },
    leftMs: () => (proof === null ? 0 : sessionTimeoutMs - ageMs(proof)),
  };
};
