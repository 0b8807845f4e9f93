/** How long an owner may take to let go: joins, stops and the configuration's checks all count with these. */

/** Longest wait for calls in flight before this process joins its group again. */
export const BARRIER_MS = 6_500;
/** Longest wait for calls in flight at a stop. */
export const DRAIN_MS = 7_000;
/** Longest orderly stop, the last commit and the good-bye to the group included. */
export const STOP_MAX_MS = 10_000;
